# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tesseract as a child: printed characters are read right, an image's answer is its own, nothing read is a class."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from child import Child

program = pathlib.Path(sys.argv.pop(2))
sys.argv.pop(1)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
try:
    from PIL import Image, ImageDraw, ImageFont
    if not program.exists():
        sys.exit(f"there is no {program.name}, it is built where Tesseract is found (libtesseract-dev)")
    if not pathlib.Path(FONT).exists():
        sys.exit("there is no DejaVuSans.ttf (fonts-dejavu-core)")
    Child(program, "01").end()
except ImportError:
    print("skipped: there is no Pillow (python3-pil)")
    sys.exit(77)
except (SystemExit, EOFError) as reason:  # EOFError: no language data, says the child
    print(f"skipped: {reason}")
    sys.exit(77)

SIZE = 32


def drawn(character, ink, ground):
    """A character in the middle of a picture, as one list of values for each channel."""
    picture = Image.new("RGB", (SIZE, SIZE), ground)
    font = ImageFont.truetype(FONT, 24)
    left, top, right, bottom = font.getbbox(character)
    ImageDraw.Draw(picture).text(((SIZE - left - right) / 2, (SIZE - top - bottom) / 2), character, ink, font)
    return [[pixel[channel] / 255 for pixel in picture.getdata()] for channel in range(3)]


def grey(character):
    return drawn(character, "white", "black")[0]


class Tesseract(unittest.TestCase):

    def answers(self, characters, images, channels, *options):
        child = Child(program, characters, *options)
        self.assertEqual((child.version, child.classes, child.kind), (1, len(characters) + 1, 2))
        self.assertRegex(child.digest, r"^tesseract-[0-9A-Za-z.-]+:[0-9a-f]{64}:[0-9a-f]{8}$")
        rows = child.scores(images, channels, SIZE, SIZE)
        self.assertEqual(child.end(), (0, ""))
        for row in rows:
            self.assertAlmostEqual(sum(row), 1.0, places=5)
        return rows

    def read(self, characters, images, channels, *options):
        return "".join((characters + "?")[row.index(max(row))] for row in self.answers(characters, images, channels, *options))

    def test_printed_digits_are_read(self):
        self.assertEqual(self.read("0123456789", [grey(each) for each in "2345678"], 1), "2345678")

    def test_letters_in_colour_are_read(self):
        images = [sum(drawn(each, (255, 255, 0), (0, 0, 120)), []) for each in "ACEHKSTX"]
        self.assertEqual(self.read("ACEHKSTX", images, 3), "ACEHKSTX")

    def test_dark_ink_is_read_where_it_is_announced(self):
        images = [drawn(each, "black", "white")[0] for each in "2345"]
        self.assertEqual(self.read("0123456789", images, 1, "--dark-ink"), "2345")

    def test_what_came_before_and_comes_with_it_changes_nothing(self):
        images = [grey(each) for each in "2345678"]
        together = self.answers("0123456789", images, 1, "--threads", "2")
        child = Child(program, "0123456789", "--threads", "1")
        alone = {index: child.scores([images[index]], 1, SIZE, SIZE)[0] for index in (6, 0, 3, 1, 5, 2, 4)}
        child.end()
        self.assertEqual([alone[index] for index in range(7)], together)

    def test_probabilities_are_as_sure_as_the_engine(self):
        blank, clear = self.answers("0123456789", [[0.0] * SIZE * SIZE, grey("2")], 1)
        self.assertLess(max(blank), 0.4)
        self.assertGreater(max(clear), 0.6)

    def test_where_no_character_is_among_what_was_read_the_last_class_says_so(self):
        row, = self.answers("{}", [grey("2")], 1)
        self.assertEqual(row, [0.0, 0.0, 1.0])

    def test_other_channels_are_refused(self):
        child = Child(program, "01")
        with self.assertRaises(Exception):
            child.scores([[0.0] * 2 * SIZE * SIZE], 2, SIZE, SIZE)
        code, complaint = child.end()
        self.assertEqual(code, 2)
        self.assertIn("expected images of one or three channels, got 2", complaint)


if __name__ == "__main__":
    unittest.main()
