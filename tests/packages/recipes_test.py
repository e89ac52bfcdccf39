#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Conan recipe asks for the libraries that CMake looks for, no older than it takes, and copies what CMake reads."""
import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPE = ROOT / "packaging/conan/conanfile.py"
# name in Conan: (name in FaultlineTargets.cmake, oldest version)
LIBRARIES = {
    "eigen": ("Eigen3::Eigen", (3, 4)), "boost": ("Boost::headers", (1, 74)), "nlohmann_json": ("nlohmann_json::nlohmann_json", (3, 10)),
    "xtensor": ("xtensor", (0, 24)), "onetbb": ("TBB::tbb", (2021, 5)), "libpng": ("PNG::PNG", (1, 6)), "zlib": ("ZLIB::ZLIB", (1, ))
}

failures = []
text = RECIPE.read_text()
tree = ast.parse(text)
strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
required = dict(value.split("/") for value in strings if re.fullmatch(r"[a-z_]+/[0-9.]+", value))
linked = re.search(r"faultline_add_target\(core ([^)]+)\)", (ROOT / "cmake/FaultlineTargets.cmake").read_text())[1].split()
if {LIBRARIES[name][0] for name in required if name in LIBRARIES} != set(linked) or set(required) - set(LIBRARIES):
    failures.append(f"the recipe requires {sorted(required)}, faultline::core links {linked}")
for name, version in required.items():
    if tuple(map(int, version.split("."))) < LIBRARIES[name][1]:
        failures.append(f"the recipe requires {name} {version}, which CMake refuses")

sources = next(ast.literal_eval(node.value) for node in ast.walk(tree)
               if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_sources")
for pattern in sources:
    if not list(ROOT.glob(pattern)):
        failures.append(f"the recipe copies {pattern}, which is not there")
# (a glob of a folder covers it whole)
for name in re.findall(r"include\(([\w./]+\.cmake)\)", (ROOT / "CMakeLists.txt").read_text()):
    if not any(pathlib.PurePath(name).match(pattern) for pattern in sources):
        failures.append(f"CMakeLists.txt includes {name}, which the recipe does not copy")
print("\n".join(failures) or f"{len(required)} libraries")
sys.exit(1 if failures else 0)
