#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""whole_test.py BUILD SCRATCH: makes all packages of a build that has the program faultline, and uses each as a user would.

The archive is unpacked elsewhere: the demo runs, a project is compiled against it. The wheel is installed into a fresh environment, from which the
demo runs. The Debian packages are unpacked, their files and dependencies looked at, and the demo runs from there; installed they are in a tree of
their own (docs/how-to/packages.md). Exit code 77, with a sentence, where a part could not be tried.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAIN = """#include <faultline/statistics/binomial.hpp>
int main() { return faultline::statistics::clopper_pearson(5, 100, 0.95).lower > 0.01 ? 0 : 1; }
"""
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES CXX)
find_package(faultline REQUIRED COMPONENTS faultline)
add_executable(main main.cpp)
target_link_libraries(main PRIVATE faultline::faultline)
"""

parser = argparse.ArgumentParser()
parser.add_argument("build", type=pathlib.Path)
parser.add_argument("scratch", type=pathlib.Path)
parser.add_argument("--cmake", default="cmake")
parser.add_argument("--cpack", default="cpack")
arguments = parser.parse_args()
scratch = arguments.scratch.absolute()
untried = []
shutil.rmtree(scratch, ignore_errors=True)
elsewhere = scratch / "elsewhere"
elsewhere.mkdir(parents=True)
clean = {name: value for name, value in os.environ.items() if not name.startswith(("FAULTLINE_", "LD_LIBRARY_PATH", "PYTHON"))}


def run(*command, code=0, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=clean, cwd=elsewhere, **options)
    if done.returncode != code:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def check(true, what):
    if not true:
        sys.exit(what)


def try_program(program, name):
    """A short demo from a folder that has nothing to do with it."""
    out = elsewhere / f"{name} report"
    said = run(program, "demo", "--samples", 200, "--out", out)
    check(f"Report: {out}/report.html" in said, f"{name}: the demo does not say where its report is: {said}")
    check((out / "report.html").stat().st_size > 100_000, f"{name}: the report is empty")
    started = subprocess.run([program, "import", "--help"], capture_output=True, text=True, env=clean, cwd=elsewhere)
    with_numpy = started.returncode == 0 and "usage: import_stylegan2" in started.stdout
    check(with_numpy or "import_stylegan2: numpy is missing" in started.stderr, f"{name}: no importer: {started}")
    print(f"{name}: demo runs, importer {'runs' if with_numpy else 'starts, it lacks numpy'}")


def try_project(prefix, name):
    source = scratch / f"{name} user"
    source.mkdir()
    (source / "main.cpp").write_text(MAIN)
    (source / "CMakeLists.txt").write_text(PROJECT)
    run(arguments.cmake, "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run(arguments.cmake, "--build", source / "build")
    run(source / "build/main")
    print(f"{name}: a project is compiled against it")


generators = ["TGZ"] + (["DEB"] if shutil.which("dpkg-shlibdeps") else [])
for generator in generators:
    run(arguments.cpack, "--config", arguments.build.absolute() / "CPackConfig.cmake", "-G", generator, "-B", scratch / "packages")
run(arguments.cmake, "--install", arguments.build.absolute(), "--component", "faultline_programs", "--strip", "--prefix", scratch / "stage")
wheel = run(sys.executable, "-B", ROOT / "packaging/wheel/build_wheel", scratch / "stage", "--out", scratch / "packages").strip()
# (nothing of these may help what follows)
shutil.rmtree(scratch / "stage")
shutil.rmtree(scratch / "packages/_CPack_Packages")

[archive] = (scratch / "packages").glob("*.tar.gz")
with tarfile.open(archive) as files:
    files.extractall(scratch / "unpacked here")
[prefix] = (scratch / "unpacked here").iterdir()
for file in ("share/doc/faultline/LICENSE", "share/doc/faultline/NOTICE", "share/doc/faultline/THIRD_PARTY", "share/faultline/assets/digits.md"):
    check((prefix / file).is_file(), f"the archive lacks {file}")
brought = sorted(file.name for file in (prefix / "lib/faultline").iterdir())
needed = re.findall(r"(lib(?:tbb|png16)\.so\.\d+) => (\S.*) \(", run("ldd", prefix / "bin/faultline"))
check([name for name, _ in sorted(needed)] == brought and all(str(prefix) in str(pathlib.Path(file).resolve()) for _, file in needed),
      f"the archive brings {brought}, the program uses {needed}")
try_program(prefix / "bin/faultline", "archive")
try_project(prefix, "archive")
print(f"{archive.name}: {archive.stat().st_size / 1e6:.1f} MB")

if "DEB" in generators:
    tree = scratch / "tree"
    for package, depends in (("faultline", ("libc6", "libpng16-16", "libstdc++6", "libtbb12", "zlib1g")), ("libfaultline-dev", ("libeigen3-dev", "libtbb-dev"))):
        [file] = (scratch / "packages").glob(f"{package}_*.deb")
        field = run("dpkg-deb", "--field", file, "Depends")
        for name in depends:
            check(re.search(rf"(^|[ ,]){re.escape(name)}(t64)?( \(|,|$)", field.strip()), f"{file.name} does not depend on {name}: {field}")
        run("dpkg-deb", "--extract", file, tree)
        check((tree / f"usr/share/doc/{package}/copyright").is_file(), f"{file.name} has no copyright")
        print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB")
    check(not (tree / "usr/lib/faultline").exists(), "the Debian package brings libraries that the distribution has")
    try_program(tree / "usr/bin/faultline", "Debian packages")
    try_project(tree / "usr", "Debian packages")
else:
    untried.append("Debian packages, which need dpkg-shlibdeps (dpkg-dev)")

check(pathlib.Path(wheel).stat().st_size <= 20e6, f"{wheel} has {pathlib.Path(wheel).stat().st_size} bytes")
if subprocess.run([sys.executable, "-m", "venv", scratch / "environment"], capture_output=True).returncode == 0:
    run(scratch / "environment/bin/pip", "install", "--no-index", "--disable-pip-version-check", wheel)
    try_program(scratch / "environment/bin/faultline", "wheel")
else:
    untried.append("the wheel installed, for which Python cannot make a virtual environment (python3-venv)")
print(f"{pathlib.Path(wheel).name}: {pathlib.Path(wheel).stat().st_size / 1e6:.1f} MB")
for what in untried:
    print(f"not tried: {what}")
sys.exit(77 if untried else 0)
