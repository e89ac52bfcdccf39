# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""unpack_wheel.py WHEEL FOLDER: unpacks from a LibTorch wheel what a C++ program on the CPU compiles, links and starts with, and the compiler of CUDA kernels.

The Python half and the CUDA libraries, which cannot start without the rest of CUDA, stay out: 0.5 GB instead of 1.3 GB.
"""
import re
import sys
import zipfile

WANTED = re.compile(
    r"torch/include/|torch/share/cmake/|torch/version\.py$"
    r"|torch/lib/lib(c10|torch_cpu|gomp)\b[^/]*$"
    r"|nvidia/[^/]+/include/|nvidia/[^/]+/lib/lib(cudart|cupti|nvrtc|nvrtc-builtins)\.so"
    r"|[^/]+\.dist-info/(METADATA$|LICENSE|NOTICE|licenses/)",
    re.IGNORECASE,
)

with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if WANTED.match(name)])
