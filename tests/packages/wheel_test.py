#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""wheel_test.py [--install]: packaging/wheel/build_wheel on a program of the system that stands for faultline.

With --install the wheel is installed into an environment of its own and run; skipped where Python cannot make one.
"""
import base64
import csv
import email
import hashlib
import importlib.machinery
import importlib.util
import io
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging/wheel/build_wheel"
STUB = pathlib.Path(shutil.which("echo", path="/usr/bin:/bin") or "/bin/echo")  # prints its arguments


def load_script():
    loader = importlib.machinery.SourceFileLoader("build_wheel", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("build_wheel", loader))
    loader.exec_module(module)
    return module


def installed_stub(folder):
    """What `cmake --install --component faultline_programs` leaves, with another program and small models."""
    (folder / "bin").mkdir(parents=True)
    shutil.copy(STUB.resolve(), folder / "bin/faultline")
    assets = folder / "share/faultline/assets"
    assets.mkdir(parents=True)
    (assets / "digits.safetensors").write_bytes(b"weights" * 1000)
    (assets / "digits.md").write_text("a card\n")
    (assets / "leftover.part").write_text("not to be packed\n")
    shutil.copytree(ROOT / "examples/import_stylegan2", folder / "share/faultline/import_stylegan2", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def build(prefix, out, *options):
    return subprocess.run([sys.executable, "-B", SCRIPT, prefix, "--out", out, *options], capture_output=True, text=True)


class Wheel(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.prefix = installed_stub(self.folder / "stage")

    def made(self, out="out", *options):
        done = build(self.prefix, self.folder / out, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return pathlib.Path(done.stdout.strip())

    def test_record_has_every_file_with_its_hash_and_size(self):
        with zipfile.ZipFile(self.made()) as wheel:
            info = next(name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
            rows = {name: (digest, size) for name, digest, size in csv.reader(io.StringIO(wheel.read(info).decode()))}
            self.assertEqual(sorted(rows), sorted(wheel.namelist()))
            self.assertEqual(rows.pop(info), ("", ""))
            for name, (digest, size) in rows.items():
                data = wheel.read(name)
                self.assertEqual(digest, "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("="))
                self.assertEqual(int(size), len(data))

    def test_name_tag_and_metadata_agree(self):
        path = self.made()
        name, version, python, abi, platform = path.name.removesuffix(".whl").split("-")
        with zipfile.ZipFile(path) as wheel:
            about = email.message_from_bytes(wheel.read(f"faultline-{version}.dist-info/METADATA"))
            tags = email.message_from_bytes(wheel.read(f"faultline-{version}.dist-info/WHEEL"))
            self.assertEqual((about["Name"], about["Version"]), (name, version))
            self.assertIn(f'version_string = "{version}"', (ROOT / "include/faultline/version.hpp").read_text())
            self.assertEqual(tags.get_all("Tag"), [f"{python}-{abi}-{platform}"])
            self.assertEqual(tags["Root-Is-Purelib"], "false")
            for licence in about.get_all("License-File"):
                self.assertGreater(len(wheel.read(f"faultline-{version}.dist-info/{licence}")), 500)
            self.assertIn(b"faultline = faultline:main", wheel.read(f"faultline-{version}.dist-info/entry_points.txt"))

    def test_only_the_program_is_one_and_only_models_are_packed(self):
        with zipfile.ZipFile(self.made()) as wheel:
            modes = {entry.filename: entry.external_attr >> 16 for entry in wheel.infolist()}
        self.assertEqual([name for name, mode in modes.items() if mode & 0o111], ["faultline/bin/faultline"])
        share = [name for name in modes if name.startswith("faultline/share/faultline/assets/")]
        self.assertEqual([pathlib.Path(name).name for name in share], ["digits.md", "digits.safetensors"])
        self.assertIn("faultline/share/faultline/import_stylegan2/__main__.py", modes)

    def test_same_input_same_bytes(self):
        self.assertEqual(self.made("one").read_bytes(), self.made("two").read_bytes())

    def test_a_wheel_above_the_limit_is_not_left(self):
        done = build(self.prefix, self.folder / "out", "--limit", "0.001")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^build_wheel: the wheel would have [0-9.]+ MB, more than 0.001; .*\n$")
        self.assertEqual(list((self.folder / "out").iterdir()), [])

    def test_what_is_no_installed_program_is_refused_in_one_sentence(self):
        (self.prefix / "bin/faultline").write_text("#!/bin/sh\n")
        for prefix in (self.folder / "nowhere", self.prefix):
            done = build(prefix, self.folder / "out")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^build_wheel: [^\n]+\n$")
        self.assertEqual(build(self.prefix, self.folder / "out", "--fast").returncode, 2)


class Platform(unittest.TestCase):
    """The oldest platform that has everything; the versions here are those that binaries of Debian 12 and 13 ask for."""

    def tag(self, *versions):
        script = load_script()
        with mock.patch.object(script, "needed_by", side_effect=[([], "", asked) for asked in versions]):
            return script.platform_of([STUB] * len(versions))

    def test_the_newest_of_all_binaries_decides(self):
        self.assertRegex(self.tag({"GLIBC": (2, 14)}, {"GLIBC": (2, 35)}), "^manylinux_2_35_")
        self.assertRegex(self.tag({"GLIBC": (2, 2, 5)}), "^manylinux_2_28_")
        self.assertRegex(self.tag({"GLIBC": (2, 36)}, {"GLIBC": (2, 4)}), "^manylinux_2_36_")

    def test_the_compilers_library_counts_as_well(self):
        self.assertRegex(self.tag({"GLIBC": (2, 17), "GLIBCXX": (3, 4, 30)}), "^manylinux_2_35_")
        self.assertRegex(self.tag({"GLIBC": (2, 36), "GLIBCXX": (3, 4, 32)}), "^manylinux_2_39_")
        self.assertRegex(self.tag({"GLIBC": (2, 17), "CXXABI": (1, 3, 13)}), "^manylinux_2_34_")

    def test_what_no_platform_has_is_refused(self):
        for asked in ({"GLIBC": (2, 99)}, {"GLIBCXX": (3, 4, 99)}):
            with self.assertRaises(SystemExit), mock.patch("sys.stderr", io.StringIO()) as stderr:
                self.tag(asked)
            self.assertIn("no known platform has what the program needs", stderr.getvalue())

    def test_the_versions_are_those_that_readelf_sees(self):
        seen = subprocess.run(["readelf", "--version-info", "--wide", STUB], capture_output=True, text=True, check=True).stdout
        numbers = [tuple(map(int, part.split()[0].split("."))) for part in seen.split("Name: GLIBC_")[1:]]
        self.assertTrue(numbers)
        self.assertEqual(load_script().needed_by(STUB)[2]["GLIBC"], max(numbers))


class Libraries(unittest.TestCase):

    def bring(self, run_path, others=("libc.so.6",)):
        script = load_script()
        needs = {"program": (["libtbb.so.12", "libz.so.1", "libstdc++.so.6"], run_path, {}), "/lib/libtbb.so.12": (list(others), "", {})}
        ldd = "\tlibtbb.so.12 => /lib/libtbb.so.12 (0x0)\n\tlibz.so.1 => /lib/libz.so.1 (0x0)\n"
        with mock.patch.object(script, "needed_by", side_effect=needs.get), mock.patch.object(script, "output_of", return_value=ldd):
            return list(script.libraries_to_bring("program"))

    def test_the_platforms_own_stay_out(self):
        self.assertEqual(self.bring("$ORIGIN/../lib/faultline"), ["libtbb.so.12"])

    def test_a_program_that_would_not_find_them_is_refused(self):
        for arguments in (("",), ("$ORIGIN/../lib/faultline", ["libhwloc.so.15"])):
            with self.assertRaises(SystemExit), mock.patch("sys.stderr", io.StringIO()):
                self.bring(*arguments)


def install():
    """pip install into a fresh environment, and what `faultline` is then."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        environment = folder / "environment"
        if subprocess.run([sys.executable, "-m", "venv", environment], capture_output=True).returncode != 0:
            print("skipped: Python cannot make a virtual environment (Debian package python3-venv)")
            return 77
        done = build(installed_stub(folder / "stage"), folder)
        assert done.returncode == 0, done.stderr
        pip = [environment / "bin/pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check", "--quiet", done.stdout.strip()]
        subprocess.run(pip, check=True)
        for command in ([environment / "bin/faultline"], [environment / "bin/python", "-m", "faultline"]):
            done = subprocess.run([*command, "demo", "--samples", "a b"], cwd=folder, capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (0, "demo --samples a b\n"), done
    return 0


if __name__ == "__main__":
    if shutil.which("objdump") is None or shutil.which("readelf") is None:
        print("skipped: objdump and readelf are missing (Debian package binutils)")
        sys.exit(77)
    if sys.argv[1:] == ["--install"]:
        sys.exit(install())
    unittest.main()
