# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""property_admission on drawn letters: colour is tried, what is not follows from the exit code, and known factors are
compared where the folder has them."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

program, folder = pathlib.Path(sys.argv.pop(1)), pathlib.Path(sys.argv.pop(1))
if not program.exists():
    print("skipped: property_admission was not built")
    sys.exit(77)
COUNT = 100


def run(*arguments):
    return subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True)


class Admission(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.letters = pathlib.Path(cls.scratch.name) / "letters"
        drawn = subprocess.run([sys.executable, "-B", str(folder / "draw_letters.py"), "--out", str(cls.letters),
                                "--count", str(COUNT), "--seed", "3"], capture_output=True, text=True)
        if drawn.returncode != 0:  # no Pillow or no fonts
            print(f"skipped: {drawn.stderr.strip()}")
            sys.exit(77)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_colour_is_tried_and_factors_are_compared(self):
        result = run(self.letters, COUNT)
        self.assertEqual(result.returncode, 1, result.stderr)  # ink area, at the least
        responses, factors = result.stdout.split("Rank correlation within classes")
        for name in ("drain", "tint", "rainbow", "grain 3", "cut"):
            self.assertIn(name, responses.splitlines()[0])
        self.assertIn("not admitted: ink area", responses)
        own = {line[:20].strip(): line[20:27].strip() for line in factors.splitlines()}
        self.assertGreater(float(own["horizontal position"]), 0.8)
        self.assertGreater(float(own["vertical position"]), 0.8)  # with the sign turned round
        self.assertGreater(float(own["noise level"]), 0.7)
        self.assertEqual(own["saturation"], "")

    def test_a_broken_table_of_factors_is_named_with_its_line(self):
        table = self.letters / "factors.csv"
        whole = table.read_text()
        try:
            table.write_text("\n".join(whole.splitlines()[:3]) + "\nhalf a row\n")
            result = run(self.letters, COUNT)
            self.assertEqual(result.returncode, 3)
            self.assertIn("factors.csv, line 4", result.stderr)
            table.write_text("\n".join(whole.splitlines()[:3]) + "\n")
            result = run(self.letters, COUNT)
            self.assertEqual(result.returncode, 3)
            self.assertIn("no row for", result.stderr)
        finally:
            table.write_text(whole)

    def test_more_images_than_there_are_is_a_wrong_call(self):
        self.assertEqual(run(self.letters, COUNT + 1).returncode, 2)


unittest.main()
