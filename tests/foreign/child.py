# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The host's side of docs/how-to/child_process.md, as short as it gets."""

import array
import struct
import subprocess


class Child:
    """A child that has said hello."""

    def __init__(self, *command):
        self.process = subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        head = self.process.stdout.read(20)
        if len(head) < 20:
            raise EOFError(self.process.communicate()[1].decode().strip())
        letters, self.version, self.classes, self.kind, length = struct.unpack("<4s4I", head)
        assert letters == b"FLTH"
        self.digest = self.process.stdout.read(length).decode()

    def scores(self, images, channels, height, width):
        """A row of scores for every image; an image is a flat list of its values."""
        pixels = array.array("f", (value for image in images for value in image))
        self.process.stdin.write(struct.pack("<4s5I", b"FLTB", 1, len(images), channels, height, width)
                                 + pixels.tobytes())
        self.process.stdin.flush()
        letters, count, classes = struct.unpack("<4s2I", self.process.stdout.read(12))
        assert (letters, count, classes) == (b"FLTS", len(images), self.classes)
        answer = array.array("f", self.process.stdout.read(4 * count * classes))
        return [list(answer[first:first + classes]) for first in range(0, count * classes, classes)]

    def end(self):
        """The exit code at the end of the input, and what stands on standard error."""
        complaint = self.process.communicate()[1].decode()
        return self.process.returncode, complaint
