# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The library loads what was imported, which means that it computes its probe, and makes the same images with it."""

import json
import pathlib
import subprocess
import sys
import unittest

evaluate = pathlib.Path(sys.argv.pop(3))
from importing import DIGITS, NAMES, ImportTest, source, unconditional
import checkpoints as make
import numpy as np

if not evaluate.exists():
    print(f"skipped: {evaluate} was not built")
    sys.exit(77)


class Library(ImportTest):
    def evaluated(self, path):
        """What evaluate_generator says of the generator, on 60 images of it."""
        return subprocess.run([
            evaluate, "--generator", path, "--judge", source / "assets/judge.safetensors", "--data",
            source / "tests/fixtures/segments", "--samples", "60"
        ], capture_output=True, text=True)

    def test_imported_digits_are_judged_as_the_shipped_ones(self):
        snapshot = {"G": None, "G_ema": make.persistent(self.weights, self.trap)}
        self.imported(make.plain(snapshot), "--class-names", ",".join(NAMES))
        run, first = self.evaluated(self.out), self.evaluated(DIGITS)
        self.assertEqual((run.returncode, first.returncode), (0, 0), run.stderr)
        run, first = json.loads(run.stdout), json.loads(first.stdout)
        self.assertEqual(run.pop("generator"), make.read_safetensors(self.out)[0]["sha256"])
        first.pop("generator")
        self.assertEqual(run, first)

    def test_options_arrive(self):
        names = ",".join(f"Ziffer „{i}“" for i in range(10))
        data = make.safetensors(self.weights)
        self.imported(data, "--conv-clamp", "0.5", "--class-names", names, "--value-range=-1,1.5")
        run = self.evaluated(self.out)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_an_unconditional_network(self):
        arrays = make.rosinality(unconditional(self.weights), 2, 32)
        self.imported(make.archive({"g_ema": make.tensors(arrays)}))
        run = self.evaluated(self.out)
        # It is loaded, its probe is computed; then the program has no use for images without a class.
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("[F105] evaluate_generator: generator and judge must have the same classes", run.stderr)

    def test_a_changed_weight_is_noticed(self):
        """The control: a file whose network does not make its probe is refused."""
        self.imported(make.plain({"G_ema": make.persistent(self.weights, self.trap)}))
        metadata, tensors = make.read_safetensors(self.out)
        sys.path.insert(0, str(source / "examples/import_stylegan2"))
        import safetensors_file
        tensors["synthesis.b8.conv0.weight"] = np.ascontiguousarray(
            tensors["synthesis.b8.conv0.weight"][:, :, ::-1, ::-1])
        self.out.write_bytes(safetensors_file.encode(metadata, tensors)[0])
        run = self.evaluated(self.out)
        self.assertEqual(run.returncode, 3)
        self.assertIn("probe", run.stderr)


if __name__ == "__main__":
    unittest.main()
