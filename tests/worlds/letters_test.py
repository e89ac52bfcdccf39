# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Letters: the same seed draws the same files, the tables say what was drawn, and the factors mean what they say."""

import colorsys
import csv
import pathlib
import subprocess
import sys
import tempfile
import unittest

folder = pathlib.Path(sys.argv.pop(1))
sys.path.insert(0, str(folder))
try:
    import draw_letters
    from PIL import Image
    draw_letters.Pen("/usr/share/fonts")
except SystemExit as reason:  # no Pillow or no fonts
    print(f"skipped: {reason}")
    sys.exit(77)

COUNT = 60


def draw(out, *options):
    subprocess.run([sys.executable, "-B", str(folder / "draw_letters.py"), "--out", str(out), *map(str, options)],
                   check=True)
    return out


def table(out, name):
    with open(out / name, newline="") as file:
        return list(csv.DictReader(file))


def pictures(out):
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.png"))}


class Letters(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.scratch.name)
        cls.train = draw(root / "train", "--count", COUNT, "--seed", 1)
        cls.again = draw(root / "again", "--count", COUNT // 3, "--seed", 1)
        cls.test = draw(root / "test", "--count", COUNT, "--seed", 2)
        cls.clean = draw(root / "clean", "--count", COUNT, "--seed", 1, "--undisturbed")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_an_image_depends_on_seed_and_index_alone(self):
        whole, part = pictures(self.train), pictures(self.again)
        self.assertEqual((len(whole), len(part)), (COUNT, COUNT // 3))
        for name, picture in part.items():
            self.assertEqual(picture, whole[name])
        self.assertEqual(table(self.train, "factors.csv")[:COUNT // 3], table(self.again, "factors.csv"))

    def test_another_seed_draws_other_images(self):
        self.assertFalse(set(pictures(self.train).values()) & set(pictures(self.test).values()))

    def test_the_tables_say_what_was_drawn(self):
        rows, labels = table(self.train, "factors.csv"), table(self.train, "labels.csv")
        self.assertEqual([(row["file"], row["label"]) for row in rows], [(row["file"], row["label"]) for row in labels])
        self.assertEqual({row["file"] for row in rows}, set(pictures(self.train)))
        self.assertEqual({int(row["label"]) for row in rows}, set(range(len(draw_letters.LETTERS))))
        for row in rows:
            self.assertEqual(tuple(row), draw_letters.COLUMNS)
            self.assertEqual(row["letter"], draw_letters.LETTERS[int(row["label"])])
            self.assertIn(row["font"], draw_letters.FONTS)
            ink, background = (colorsys.hsv_to_rgb(*(float(row[f"{name}_{part}"]) for part in ("hue", "saturation", "value")))
                               for name in ("ink", "background"))
            self.assertGreater(draw_letters.luma(ink) - draw_letters.luma(background), 0.2499)
            with Image.open(self.train / row["file"]) as picture:
                self.assertEqual((picture.size, picture.mode), ((32, 32), "RGB"))

    def test_blur_and_noise_are_switched_separately(self):
        kinds = {(float(row["blur"]) > 0, float(row["noise"]) > 0) for row in table(self.train, "factors.csv")}
        self.assertEqual(len(kinds), 4)

    def test_undisturbed_images_are_the_same_but_for_blur_and_noise(self):
        plain, disturbed = pictures(self.clean), pictures(self.train)
        for clean, row in zip(table(self.clean, "factors.csv"), table(self.train, "factors.csv")):
            calm = float(row["blur"]) == float(row["noise"]) == 0.0
            self.assertEqual(plain[row["file"]] == disturbed[row["file"]], calm)
            self.assertEqual((float(clean.pop("blur")), float(clean.pop("noise"))), (0.0, 0.0))
            del row["blur"], row["noise"]
            self.assertEqual(clean, row)

    def test_a_corner_has_the_background_colour(self):
        rows = table(self.clean, "factors.csv")
        for row in rows:
            expected = colorsys.hsv_to_rgb(*(float(row[f"background_{part}"]) for part in ("hue", "saturation", "value")))
            with Image.open(self.clean / row["file"]) as picture:
                self.assertEqual(picture.getpixel((0, 0)), tuple(round(255 * value) for value in expected))

    def mask(self, letter, **changes):
        factors = {"font": "DejaVuSans", "letter": letter, "height": 16.0, "x": 0.0, "y": 0.0, "rotation": 0.0,
                   "slant": 0.0, "weight": 0.0, **changes}
        return draw_letters.letter_mask(draw_letters.Pen("/usr/share/fonts"), factors)

    def moments(self, mask):
        """Ink, its centre from the image's (right, down), and how far it moves to the right per pixel upwards."""
        points = [(mask.getpixel((x, y)) / 255.0, x - 15.5, y - 15.5) for x in range(32) for y in range(32)]
        ink = sum(w for w, _, _ in points)
        x, y = (sum(point[0] * point[k] for point in points) / ink for k in (1, 2))
        across = sum(w * (px - x) * (y - py) for w, px, py in points)
        return ink, x, y, across / sum(w * (py - y)**2 for w, _, py in points)

    def test_factors_mean_what_they_say(self):
        ink, x, y, lean = self.moments(self.mask("H"))
        self.assertAlmostEqual(x, 0.0, delta=0.3)
        self.assertAlmostEqual(y, 0.0, delta=0.3)
        self.assertAlmostEqual(lean, 0.0, delta=0.02)
        left, top, right, bottom = self.mask("H").getbbox()
        self.assertAlmostEqual(bottom - top, 16, delta=1)
        _, moved_x, moved_y, _ = self.moments(self.mask("H", x=3.0, y=-2.0))
        self.assertAlmostEqual(moved_x - x, 3.0, delta=0.05)
        self.assertAlmostEqual(moved_y - y, -2.0, delta=0.05)
        self.assertAlmostEqual(self.moments(self.mask("H", slant=0.3))[3], 0.3, delta=0.03)  # to the right
        self.assertAlmostEqual(self.moments(self.mask("T"))[1], 0.0, delta=0.1)
        self.assertLess(self.moments(self.mask("T", rotation=20.0))[1], -0.5)  # anticlockwise: its top goes to the left
        self.assertAlmostEqual(self.moments(self.mask("H", height=20.8))[0] / ink, 1.3**2, delta=0.1)
        self.assertGreater(self.moments(self.mask("H", weight=0.1))[0], 1.5 * ink)


if __name__ == "__main__":
    unittest.main()
