#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Turns the wheel of `animal-mnist` into four IDX files named as MNIST's, with a training and a test part.

  split_silhouettes.py --wheel animal_mnist-0.4-py3-none-any.whl --out silhouettes/data

The wheel has 10 000 grey 28x28 images in ten classes of 1 000, in the order of the classes and without parts of its own.
284 of them repeat an earlier one, so only the first of equal images is kept. Within each class the images are then put
in the order of their SHA-256 and every sixth goes to the test part; within a part they keep the wheel's order. So
the split depends on the images alone, takes the same share of every class, and no image is in both parts.
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import pickletools
import struct
import sys
import zipfile

FOLDER = "animal_mnist/data/Animal_MNIST/"
SIDE, TEST_SHARE = 28, 6


def payload(wheel, name):
    """The bytes of the array in a pickle, without running the pickle."""
    try:
        stored = gzip.decompress(wheel.read(FOLDER + name))
        return max((value for _, value, _ in pickletools.genops(stored) if isinstance(value, bytes)), key=len)
    except (KeyError, OSError, EOFError, ValueError) as reason:
        sys.exit(f"split_silhouettes: cannot read {FOLDER + name}: {reason}")


def read(path):
    try:
        with zipfile.ZipFile(path) as wheel:
            pixels, numbers = payload(wheel, "animal_data_version_3.gz"), payload(wheel, "animal_label_version_3.gz")
    except (OSError, zipfile.BadZipFile) as reason:
        sys.exit(f"split_silhouettes: cannot read {path}: {reason}")
    size, count = SIDE * SIDE, len(numbers) // 8
    if count == 0 or len(numbers) % 8 or len(pixels) != count * size:
        sys.exit(f"split_silhouettes: {path} does not hold as many labels as images of {SIDE}x{SIDE}")
    labels = struct.unpack(f"<{count}q", numbers)
    if any(not 0 <= label <= 9 for label in labels):
        sys.exit(f"split_silhouettes: {path} has labels outside 0 to 9")
    return [pixels[i * size:(i + 1) * size] for i in range(count)], labels


def split(images, labels):
    """Indices of the training and of the test part."""
    classes, seen = {}, set()
    for index, (image, label) in enumerate(zip(images, labels)):
        if image not in seen:
            seen.add(image)
            classes.setdefault(label, []).append(index)
    test = set()
    for members in classes.values():
        members.sort(key=lambda index: hashlib.sha256(images[index]).digest())
        test.update(members[::TEST_SHARE])
    kept = sorted(index for members in classes.values() for index in members)
    return [index for index in kept if index not in test], sorted(test)


def write(path, dimensions, content):
    header = struct.pack(f">HBB{len(dimensions)}I", 0, 8, len(dimensions), *dimensions)
    path.write_bytes(gzip.compress(header + content, mtime=0))


def main():
    parser = argparse.ArgumentParser(description="Turns the wheel of animal-mnist into four IDX files named as MNIST's.")
    parser.add_argument("--wheel", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for the files")
    arguments = parser.parse_args()
    images, labels = read(arguments.wheel)
    parts = split(images, labels)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, part in zip(("train", "t10k"), parts):
        write(arguments.out / f"{name}-images-idx3-ubyte.gz", (len(part), SIDE, SIDE),
              b"".join(images[index] for index in part))
        write(arguments.out / f"{name}-labels-idx1-ubyte.gz", (len(part),), bytes(labels[index] for index in part))
    print(json.dumps({"train": len(parts[0]), "test": len(parts[1]), "repeated": len(images) - sum(map(len, parts))}))


if __name__ == "__main__":
    main()
