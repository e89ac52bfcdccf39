#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""CITATION.cff names the version of the headers, and what it cites as the pages do."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
citation = (root / "CITATION.cff").read_text()
version = re.search(r'version_string = "([^"]+)"', (root / "include/faultline/version.hpp").read_text())[1]
failures = []
if f"\nversion: {version}\n" not in citation:
    failures.append(f"CITATION.cff has another version than version.hpp, {version}")
page = (root / "docs/explanation/method.md").read_text()
for key, pattern in (("title", r"\n    title: (.+)\n"), ("identifier", r"value: arXiv:(\S+)")):
    found = re.search(pattern, citation)
    if not found or found[1] not in page:
        failures.append(f"the {key} of the paper is not that of docs/explanation/method.md")
for line in ("title: Faultline", "license: Apache-2.0 ", "cff-version: 1.2.0", "  - name: The Faultline authors"):
    if f"\n{line}" not in citation:
        failures.append(f"CITATION.cff has no line '{line}'")
print("\n".join(failures) or f"version {version}")
sys.exit(1 if failures else 0)
