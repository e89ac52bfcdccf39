#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws coloured letters, 32x32 RGB, of which every factor is known, as a folder that the training programs read.

  draw_letters.py --out letters/train --count 40000 --seed 1
  draw_letters.py --out letters/clean-train --count 40000 --seed 1 --undisturbed     the same without blur and noise

The folder gets one PNG for each image, `labels.csv` (file,label), `factors.csv` (every factor of every image) and, last
of all, `complete.json`, which says what was drawn. Image i is a function of the seed and i alone; its pixels also
depend on the versions of Pillow and of the fonts. Fonts: Debian's fonts-dejavu-core and fonts-liberation.
"""

import argparse
import colorsys
import csv
import json
import math
import pathlib
import random
import sys

try:
    import PIL
    from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
except ImportError:
    sys.exit("draw_letters: Pillow is missing; apt-get install python3-pil and run this with /usr/bin/python3")

LETTERS = "ACEHKSTX"  # class k is letter k
FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "LiberationSans-Regular", "LiberationSerif-Regular",
         "LiberationMono-Regular")
SIDE = 32
# A letter is drawn once for each font and weight, large and upright, and then brought to its place in one step.
MASTER, CAP = 320, 160  # pixels of the canvas and of a capital's height on it
FINE = 4  # subpixels of a pixel, each way, over which a letter's edge is averaged
WEIGHTS = 9  # outlines of 0, 1, ... eightieths of the capital's height

COLUMNS = ("file", "label", "letter", "font", "height", "x", "y", "rotation", "slant", "weight", "ink_hue",
           "ink_saturation", "ink_value", "background_hue", "background_saturation", "background_value", "blur",
           "noise")


def luma(color):
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def draw_factors(seed, index):
    """Everything there is to know about an image. Apart from the two colours, which are drawn again until the ink is
    the brighter by 0.25, the factors are independent of each other and of the letter."""
    source = random.Random(f"factors/{seed}/{index}")
    label = source.randrange(len(LETTERS))
    factors = {
        "file": f"{index:06d}.png",
        "label": label,
        "letter": LETTERS[label],
        "font": FONTS[source.randrange(len(FONTS))],
        "height": source.uniform(13.0, 21.0),  # of a capital, in pixels
        "x": source.uniform(-3.0, 3.0),  # of the letter's centre from the image's, in pixels, to the right
        "y": source.uniform(-3.0, 3.0),  # downwards
        "rotation": source.uniform(-20.0, 20.0),  # degrees, anticlockwise
        "slant": source.uniform(-0.3, 0.3),  # to the right, per height
        "weight": source.randrange(WEIGHTS) / 80.0,  # outline added on either side of a stroke, per height
    }
    while True:
        ink = (source.random(), source.random(), source.uniform(0.5, 1.0))
        background = (source.random(), source.random(), source.uniform(0.0, 0.5))
        if luma(colorsys.hsv_to_rgb(*ink)) - luma(colorsys.hsv_to_rgb(*background)) >= 0.25:
            break
    for name, color in (("ink", ink), ("background", background)):
        for part, value in zip(("hue", "saturation", "value"), color):
            factors[f"{name}_{part}"] = value
    # Two switches, so that clean, blurred, noisy and doubly disturbed images all exist.
    factors["blur"] = source.uniform(0.5, 1.75) if source.random() < 0.5 else 0.0  # standard deviation, in pixels
    factors["noise"] = source.uniform(0.03, 0.2) if source.random() < 0.5 else 0.0  # standard deviation, of [0, 1]
    # What is written down is what is drawn.
    return {name: round(value, 5) if isinstance(value, float) else value for name, value in factors.items()}


class Pen:
    """Large upright letters, each drawn once."""

    def __init__(self, folder):
        found = {path.stem: path for path in sorted(pathlib.Path(folder).rglob("*.ttf"))}
        missing = [name for name in FONTS if name not in found]
        if missing:
            sys.exit(f"draw_letters: no {', '.join(missing)} below {folder}; "
                     "apt-get install fonts-dejavu-core fonts-liberation")
        self.paths = {name: found[name] for name in FONTS}
        self.fonts, self.masters = {}, {}

    def font(self, name):
        if name not in self.fonts:
            trial = ImageFont.truetype(str(self.paths[name]), 200, layout_engine=ImageFont.Layout.BASIC)
            left, top, right, bottom = trial.getbbox("H")
            size = round(200 * CAP / (bottom - top))
            self.fonts[name] = ImageFont.truetype(str(self.paths[name]), size, layout_engine=ImageFont.Layout.BASIC)
        return self.fonts[name]

    def master(self, name, letter, weight):
        key = (name, letter, weight)
        if key not in self.masters:
            font, stroke = self.font(name), round(weight * CAP)
            left, top, right, bottom = font.getbbox(letter, stroke_width=stroke)
            canvas = Image.new("L", (MASTER, MASTER), 0)
            ImageDraw.Draw(canvas).text(((MASTER - left - right) / 2, (MASTER - top - bottom) / 2), letter, fill=255,
                                        font=font, stroke_width=stroke, stroke_fill=255)
            self.masters[key] = canvas
        return self.masters[key]


def letter_mask(pen, factors):
    """How much of each pixel is ink: the large letter slanted, turned, scaled and moved."""
    master = pen.master(factors["font"], factors["letter"], factors["weight"])
    angle, per_subpixel = math.radians(factors["rotation"]), CAP / (factors["height"] * FINE)
    cosine, sine = math.cos(angle) * per_subpixel, math.sin(angle) * per_subpixel
    # From a subpixel (x to the right, y down) back to the large letter: moved, turned and slanted back.
    rows = ((cosine, -sine), (sine, cosine))
    slant = factors["slant"]
    rows = ((rows[0][0] + slant * rows[1][0], rows[0][1] + slant * rows[1][1]), rows[1])
    centre = ((SIDE / 2 + factors["x"]) * FINE, (SIDE / 2 + factors["y"]) * FINE)
    # Pillow adds half a pixel to the target itself and takes it from the source.
    shift = [MASTER / 2 - row[0] * centre[0] - row[1] * centre[1] for row in rows]
    fine = master.transform((SIDE * FINE, SIDE * FINE), Image.Transform.AFFINE,
                            (*rows[0], shift[0], *rows[1], shift[1]), resample=Image.Resampling.BILINEAR)
    return fine.resize((SIDE, SIDE), Image.Resampling.BOX)


def to_bytes(color):
    return tuple(round(255 * part) for part in color)


def draw_image(pen, factors, seed):
    color = lambda name: to_bytes(
        colorsys.hsv_to_rgb(*(factors[f"{name}_{part}"] for part in ("hue", "saturation", "value"))))
    size = (SIDE, SIDE)
    image = Image.composite(Image.new("RGB", size, color("ink")), Image.new("RGB", size, color("background")),
                            letter_mask(pen, factors))
    if factors["blur"] > 0.0:
        image = image.filter(ImageFilter.GaussianBlur(factors["blur"]))
    if factors["noise"] > 0.0:  # of brightness: the same in all three channels
        source = random.Random(f"noise/{seed}/{factors['file']}")
        scale = 255 * factors["noise"]
        grain = Image.frombytes(
            "L", size, bytes(min(255, max(0, round(128 + source.gauss(0.0, scale)))) for _ in range(SIDE * SIDE)))
        image = ImageChops.add(image, Image.merge("RGB", (grain, grain, grain)), offset=-128)
    return image


def main():
    parser = argparse.ArgumentParser(description="Draws coloured letters, 32x32 RGB, of which every factor is known.")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for the pictures and tables")
    parser.add_argument("--count", type=int, default=40000, help="images")
    parser.add_argument("--seed", type=int, default=1, help="another one for every part")
    parser.add_argument("--undisturbed", action="store_true", help="the same images without blur and noise")
    parser.add_argument("--fonts", default="/usr/share/fonts", help="folder of the fonts")
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error("--count must be at least 1")
    pen = Pen(arguments.fonts)
    arguments.out.mkdir(parents=True, exist_ok=True)
    complete = arguments.out / "complete.json"
    complete.unlink(missing_ok=True)
    with (open(arguments.out / "labels.csv", "w", newline="") as labels, open(arguments.out / "factors.csv", "w",
                                                                              newline="") as table):
        labels.write("file,label\n")
        rows = csv.DictWriter(table, COLUMNS, lineterminator="\n")
        rows.writeheader()
        for index in range(arguments.count):
            factors = draw_factors(arguments.seed, index)
            if arguments.undisturbed:
                factors["blur"] = factors["noise"] = 0.0
            draw_image(pen, factors, arguments.seed).save(arguments.out / factors["file"])
            labels.write(f"{factors['file']},{factors['label']}\n")
            rows.writerow(factors)
    complete.write_text(
        json.dumps({"count": arguments.count, "seed": arguments.seed, "undisturbed": arguments.undisturbed,
                    "letters": LETTERS, "fonts": FONTS, "pillow": PIL.__version__}) + "\n")


if __name__ == "__main__":
    main()
