# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The programs that read wheels of others, on small wheels made here: what is read is what stands in the wheel, and nothing else is run."""

import array
import collections
import io
import pathlib
import pickle
import random
import subprocess
import sys
import tempfile
import types
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from child import Child

sys.argv.pop(2)
folder = pathlib.Path(sys.argv.pop(1))
SHAPES = {"conv_layers.0": (32, 1, 3, 3), "conv_layers.3": (64, 32, 3, 3), "conv_layers.6": (128, 64, 3, 3),
          "fc_layers.0": (256, 1152), "fc_layers.2": (10, 256)}

READER = {"digitReader/__init__.py": "print('a library that prints')",
          "digitReader/weightLoader.py": "def loadWeights():\n    return 1, 2, 3, 4\n",
          "digitReader/train.py": "def forwardPass(pixels, a, b, c, d):\n"
                                  "    first = sum(pixels[:28]) / 28\n"
                                  "    return [first] + [(1 - first) / 9] * 9, (a, b), (c, d)\n"}


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


class Storage:
    def __init__(self, name, count):
        self.saved = ("storage", sys.modules["torch"].FloatStorage, name, "cpu", count)


class Tensor:
    def __init__(self, name, shape):
        count, self.strides = 1, []
        for extent in reversed(shape):
            self.strides.insert(0, count)
            count *= extent
        self.storage, self.shape = Storage(name, count), shape

    def __reduce__(self):
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (self.storage, 0, self.shape, tuple(self.strides), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.saved if isinstance(value, Storage) else None


def saved(table):
    """The pickle of a table of tensors as torch.save writes it, without LibTorch: names are all that it keeps of functions."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    utils._rebuild_tensor_v2 = lambda *_: None
    utils._rebuild_tensor_v2.__module__, utils._rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        out = io.BytesIO()
        Pickler(out, protocol=2).dump(table() if callable(table) else table)
        return out.getvalue()
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]


class Wheels(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def test_digit_reader_answers_what_its_own_code_says(self):
        wheel = zipped(self.folder / "digitreader.whl", READER)
        child = Child(sys.executable, "-B", folder / "digit_reader_child.py", wheel)
        self.assertEqual((child.version, child.classes, child.kind, len(child.digest)), (1, 10, 2, 64))
        first, second = child.scores([[0.5] * 784, [1.0] * 784], 1, 28, 28)
        self.assertAlmostEqual(first[0], 0.5)
        self.assertAlmostEqual(second[0], 1.0)
        code, complaint = child.end()
        self.assertEqual((code, complaint), (0, "a library that prints\n"))

    def test_digit_reader_refuses_images_of_another_size(self):
        child = Child(sys.executable, "-B", folder / "digit_reader_child.py", zipped(self.folder / "digitreader.whl", READER))
        with self.assertRaises(Exception):
            child.scores([[0.5] * 1024], 1, 32, 32)
        code, complaint = child.end()
        self.assertEqual(code, 1)
        self.assertIn("--input '28x28 grey'", complaint)

    def convert(self, pickled, numbers):
        weights = io.BytesIO()
        zipped(weights, {"model/data.pkl": pickled, **{f"model/data/{name}": data for name, data in numbers.items()}})
        wheel = zipped(self.folder / "digit_recognizer.whl", {"digit_recognizer/models/model.pth": weights.getvalue()})
        program = subprocess.run([sys.executable, "-B", str(folder / "digit_recognizer_to_onnx.py"), str(wheel),
                                  str(self.folder / "out.onnx")], capture_output=True, text=True)
        return program.returncode, program.stderr

    def test_weights_stand_in_the_onnx_file_bit_by_bit(self):
        chance, numbers, tensors = random.Random(1), {}, {}
        for index, (layer, shape) in enumerate(SHAPES.items()):
            for part, extents in ("weight", shape), ("bias", shape[:1]):
                name, count = f"{index}-{part}", 1
                for extent in extents:
                    count *= extent
                numbers[name] = array.array("f", (chance.random() for _ in range(count))).tobytes()
                tensors[f"{layer}.{part}"] = name, extents
        pickled = saved(lambda: collections.OrderedDict((key, Tensor(*each)) for key, each in tensors.items()))
        self.assertEqual(self.convert(pickled, numbers), (0, ""))
        network = (self.folder / "out.onnx").read_bytes()
        for key, (name, _) in tensors.items():
            self.assertIn(key.encode(), network)
            self.assertIn(numbers[name], network)

    def test_a_pickle_that_names_anything_else_is_not_run(self):
        marker = self.folder / "ran"
        hostile = b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR."
        code, complaint = self.convert(hostile, {})
        self.assertEqual(code, 1)
        self.assertIn("os.system is no part of a table of tensors", complaint)
        self.assertFalse(marker.exists())


if __name__ == "__main__":
    unittest.main()
