#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the Python block of a page with the arguments behind it, and expects what it prints to hold some words."""

import re
import subprocess
import sys

page, words, arguments = sys.argv[1], sys.argv[2].split("|"), sys.argv[3:]
with open(page, encoding="utf-8") as file:
    blocks = re.findall(r"^```python\n(.*?)^```$", file.read(), re.S | re.M)
if len(blocks) != 1:
    sys.exit(f"{page} has {len(blocks)} Python blocks, expected one")
run = subprocess.run([sys.executable, "-", *arguments], input=blocks[0], capture_output=True, text=True)
print(run.stdout, run.stderr, sep="")
missing = [word for word in words if word not in run.stdout]
if run.returncode != 0 or missing:
    sys.exit(f"exit code {run.returncode}, missing: {missing}")
