# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""digitReader as a child process (docs/how-to/foreign_classifiers.md), as python3 digit_reader_child.py digitreader-0.1.0-py3-none-any.whl

Its own code classifies, read from the wheel as it is; nothing is installed.
"""
import array
import hashlib
import pathlib
import struct
import sys

CLASSES, PROBABILITIES, SIZE = 10, 2, 28 * 28
wheel = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(wheel))
frames_in, frames_out = sys.stdin.buffer, sys.stdout.buffer
sys.stdout = sys.stderr  # what a library prints must not come between the frames

from digitReader import train, weightLoader  # noqa: E402

weights = weightLoader.loadWeights()
digest = hashlib.sha256(wheel.read_bytes()).hexdigest().encode()
frames_out.write(struct.pack("<4s4I", b"FLTH", 1, CLASSES, PROBABILITIES, len(digest)) + digest)
frames_out.flush()
while head := frames_in.read(24):
    _, _, count, channels, height, width = struct.unpack("<4s5I", head)
    if channels * height * width != SIZE:
        sys.exit(f"digitReader takes 28x28 grey pixels, got {channels} channels of {height}x{width}; say --input '28x28 grey'")
    pixels = array.array("f", frames_in.read(4 * count * SIZE)).tolist()
    scores = array.array("f")
    for first in range(0, count * SIZE, SIZE):
        probabilities, _, _ = train.forwardPass(pixels[first:first + SIZE], *weights)
        scores.extend(probabilities)
    frames_out.write(struct.pack("<4s2I", b"FLTS", count, CLASSES) + scores.tobytes())
    frames_out.flush()
