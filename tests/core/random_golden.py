# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the golden values of random_test.cpp from Python's integers and floats alone, independently of the C++ code.

Philox4x32-10: key = seed (low, high), counter = (index low, index high, block, stream); two Box-Muller pairs per block.
Run: python3 tests/core/random_golden.py
"""
import math
import struct

M = 0xFFFFFFFF


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & M, (p0 >> 32) ^ c[3] ^ k[1], p0 & M]
        k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
    return c


def block(seed, stream, index, b):
    return philox([index & M, index >> 32 & M, b, stream], [seed & M, seed >> 32 & M])


def normals(seed, stream, index, n):
    out = []
    for b in range((n + 3) // 4):
        u = [((x >> 8) + 0.5) * 2.0**-24 for x in block(seed, stream, index, b)]
        for i in (0, 2):
            r = math.sqrt(-2.0 * math.log(u[i]))
            out += [r * math.cos(2.0 * math.pi * u[i + 1]), r * math.sin(2.0 * math.pi * u[i + 1])]
    return [struct.unpack("<f", struct.pack("<f", v))[0] for v in out[:n]]


def label(seed, index, classes):
    return block(seed, 1, index, 0)[0] * classes >> 32


if __name__ == "__main__":
    for seed, index in ((7, 0), (7, 2**40 + 3), (-1, 2**43), (2**40 + 5, 12345678901)):
        print(f"{{{seed}, {index}, {{" + ", ".join(f"{v:.9g}f" for v in normals(seed, 0, index, 6)) + f"}}, {label(seed, index, 10)}}},")
    print([hex(w) for w in block(123, 4, 99, 2)])
