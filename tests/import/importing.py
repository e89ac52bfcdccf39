# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the program on a checkpoint and looks at what it wrote. The first two arguments of a test that uses this are the
folder of the program and the repository."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

folder, source = (pathlib.Path(sys.argv.pop(1)) for _ in range(2))
try:
    import numpy as np
except ImportError:
    print("skipped: numpy is missing")
    sys.exit(77)
import checkpoints as make

DIGITS = source / "assets" / "digits.safetensors"
NAMES = [str(i) for i in range(10)]


def all_weights():
    metadata, tensors = make.read_safetensors(DIGITS)
    return {name: array for name, array in tensors.items() if not name.startswith("probe.")}


def unconditional(weights):
    """The digits without their class: an unconditional network of the same widths."""
    result = {name: array for name, array in weights.items() if "embed" not in name}
    result["mapping.fc0.weight"] = np.ascontiguousarray(weights["mapping.fc0.weight"][:, :64])
    return result


class ImportTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)
        self.trap = self.root / "source text was run"
        self.out = self.root / "generator.safetensors"
        self.weights = all_weights()

    def tearDown(self):
        self.assertFalse(self.trap.exists())

    def run_import(self, data, *options):
        path = self.root / "checkpoint"
        path.write_bytes(data)
        self.out.unlink(missing_ok=True)
        return subprocess.run([sys.executable, "-B", folder, path, "--out", self.out, *options], capture_output=True,
                              text=True)

    def imported(self, data, *options):
        run = self.run_import(data, *options)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return make.read_safetensors(self.out)

    def refused(self, data, words, *options, code=3):
        run = self.run_import(data, *options)
        self.assertEqual(run.returncode, code, run.stderr)
        self.assertIn(words, run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1)
        self.assertFalse(self.out.exists())

    def expect(self, result, weights, **config):
        metadata, tensors = result
        found = {name: array for name, array in tensors.items() if not name.startswith("probe.")}
        self.assertEqual(set(found), set(weights))
        for name, array in weights.items():
            self.assertEqual(found[name].shape, array.shape, name)
            self.assertTrue(np.array_equal(found[name], array), name)
        self.assertEqual(metadata["format"], "faultline.stylegan2/1")
        stored = json.loads(metadata["config"])
        for key, value in config.items():
            self.assertEqual(stored[key], value, key)
        return stored
