# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The program `faultline`, as a Python package brings it. There is nothing to import: `faultline --help` says what it does."""

import os
import pathlib
import sys

PROGRAM = pathlib.Path(__file__).resolve().parent / "bin" / "faultline"


def main():
    """Becomes the program. What runs Python, `faultline import`, runs this one, which has what was installed with it."""
    os.environ.setdefault("FAULTLINE_PYTHON", sys.executable or "python3")
    try:
        os.execv(PROGRAM, ["faultline", *sys.argv[1:]])
    except OSError as reason:
        print(f"faultline: {PROGRAM} cannot be started: {reason.strerror}", file=sys.stderr)
        return 5
