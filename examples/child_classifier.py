# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A classifier as a child process (docs/how-to/child_process.md): which tenth of an image is the brightest?"""
import array
import struct
import sys

CLASSES, LOGITS = 10, 1
frames_in, frames_out = sys.stdin.buffer, sys.stdout.buffer
sys.stdout = sys.stderr  # what a library prints must not come between the frames

frames_out.write(struct.pack("<4s4I", b"FLTH", 1, CLASSES, LOGITS, 0))
frames_out.flush()
while head := frames_in.read(24):
    _, _, count, channels, height, width = struct.unpack("<4s5I", head)
    size = channels * height * width
    images = array.array("f", frames_in.read(4 * count * size))
    scores = array.array("f")
    for first in range(0, count * size, size):
        bands = [first + band * size // CLASSES for band in range(CLASSES + 1)]
        scores.extend(sum(images[a:b]) for a, b in zip(bands, bands[1:]))
    frames_out.write(struct.pack("<4s2I", b"FLTS", count, CLASSES) + scores.tobytes())
    frames_out.flush()
