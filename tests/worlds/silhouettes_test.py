# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Silhouettes: parts that are stratified, disjoint and the same each time, from a stand-in for the wheel."""

import collections
import gzip
import pathlib
import pickle
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

folder = pathlib.Path(sys.argv.pop(1))
CLASSES, EACH, SIZE = 3, 24, 28 * 28


def write_wheel(path, pixels, numbers):
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in (("data", pixels), ("label", numbers)):
            wheel.writestr(f"animal_mnist/data/Animal_MNIST/animal_{name}_version_3.gz",
                           gzip.compress(pickle.dumps(("array", content), protocol=4)))


def split(wheel, out):
    return subprocess.run([sys.executable, "-B", str(folder / "split_silhouettes.py"), "--wheel", str(wheel), "--out",
                           str(out)], capture_output=True, text=True)


def read(path, header):
    content = gzip.decompress(path.read_bytes())
    return struct.unpack(f">{header}I", content[:4 * header]), content[4 * header:]


def part(out, name):
    (kind, count, height, width), pixels = read(out / f"{name}-images-idx3-ubyte.gz", 4)
    (label_kind, labelled), labels = read(out / f"{name}-labels-idx1-ubyte.gz", 2)
    assert (kind, height, width, label_kind, labelled) == (0x803, 28, 28, 0x801, count)
    return [pixels[i * SIZE:(i + 1) * SIZE] for i in range(count)], list(labels)


class Silhouettes(unittest.TestCase):

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.root = pathlib.Path(self.scratch.name)
        source = random.Random(7)
        images = [bytes(source.randrange(256) for _ in range(SIZE)) for _ in range(CLASSES * EACH)]
        self.labels = [index // EACH for index in range(len(images))]  # in the order of the classes, as in the wheel
        for copy, original in ((5, 0), (11, 0), (30, 29)):
            images[copy] = images[original]
        self.images = images
        self.wheel = self.root / "stand_in.whl"
        self.write(images, self.labels)

    def write(self, images, labels):
        write_wheel(self.wheel, b"".join(images), struct.pack(f"<{len(labels)}q", *labels))

    def test_parts_are_stratified_and_disjoint(self):
        result = split(self.wheel, self.root / "out")
        self.assertEqual(result.returncode, 0, result.stderr)
        (train, train_labels), (test, test_labels) = (part(self.root / "out", name) for name in ("train", "t10k"))
        self.assertEqual(set(train) | set(test), set(self.images))
        self.assertEqual(len(train) + len(test), len(set(self.images)))  # each image once, in one part
        self.assertEqual(collections.Counter(test_labels), {0: 4, 1: 4, 2: 4})  # every sixth of 22, 23 and 24
        for images, labels in ((train, train_labels), (test, test_labels)):
            self.assertEqual(labels, [self.labels[self.images.index(image)] for image in images])

    def test_the_same_wheel_gives_the_same_files(self):
        for out in ("first", "second"):
            self.assertEqual(split(self.wheel, self.root / out).returncode, 0)
        for path in sorted((self.root / "first").iterdir()):
            self.assertEqual(path.read_bytes(), (self.root / "second" / path.name).read_bytes())

    def test_the_split_does_not_depend_on_the_order(self):
        split(self.wheel, self.root / "first")
        order = list(range(len(self.images)))
        random.Random(3).shuffle(order)
        self.write([self.images[i] for i in order], [self.labels[i] for i in order])
        split(self.wheel, self.root / "second")
        self.assertEqual(set(part(self.root / "first", "t10k")[0]), set(part(self.root / "second", "t10k")[0]))

    def test_what_is_no_such_wheel_is_refused_in_one_sentence(self):
        def refused():
            result = split(self.wheel, self.root / "out")
            self.assertEqual(result.returncode, 1)
            self.assertTrue(result.stderr.startswith("split_silhouettes: "), result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1)

        self.write(self.images[:-1], self.labels)
        refused()
        self.write(self.images, self.labels[:-1] + [10])
        refused()
        self.wheel.write_bytes(b"no archive")
        refused()
        self.wheel.unlink()
        refused()


if __name__ == "__main__":
    unittest.main()
