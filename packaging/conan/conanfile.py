# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Conan 2 recipe of Faultline's torch-free part: `conan create packaging/conan` in a checkout, of which it takes the sources and the version."""

import pathlib
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import collect_libs, copy, rmdir

required_conan_version = ">=2.0"


class FaultlineRecipe(ConanFile):
    name = "faultline"
    description = "Under which conditions an image classifier fails, how far away they are, and what they look like"
    license = "Apache-2.0 WITH LLVM-exception"
    topics = ("machine-learning", "testing", "robustness", "header-only")
    settings = "os", "arch", "compiler", "build_type"
    options = {"compiled": [True, False]}  # the definitions as a static library, the target faultline::compiled
    default_options = {"compiled": False, "boost/*:header_only": True}
    languages = "C++"
    # A checkout's files are copied; what is needed to configure and install, and no more.
    _sources = ("CMakeLists.txt", "LICENSE", "NOTICE", "cmake/*", "include/*", "src/*", "tests/support/together.cmake")

    def _checkout(self):
        return pathlib.Path(self.recipe_folder).parent.parent

    def set_version(self):
        header = (self._checkout() / "include/faultline/version.hpp").read_text(encoding="utf-8")
        self.version = self.version or re.search(r'version_string = "([^"]+)"', header)[1]

    def export_sources(self):
        for pattern in self._sources:
            copy(self, pattern, self._checkout(), self.export_sources_folder)

    def configure(self):
        self.package_type = "static-library" if self.options.compiled else "header-library"

    def requirements(self):
        for reference in ("eigen/3.4.0", "boost/1.84.0", "nlohmann_json/3.11.3", "xtensor/0.24.7", "onetbb/2021.12.0", "libpng/1.6.43", "zlib/1.3.1"):
            self.requires(reference, transitive_headers=True, transitive_libs=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def package_id(self):
        if not self.info.options.compiled:
            self.info.clear()

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables.update({
            "FAULTLINE_LIBTORCH": "off", "FAULTLINE_BUILD_TESTS": "OFF", "FAULTLINE_BUILD_EXAMPLES": False,
            "FAULTLINE_BUILD_BENCHMARKS": False, "FAULTLINE_INSTALL": True, "CMAKE_SKIP_INSTALL_ALL_DEPENDENCY": True
        })
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        if self.options.compiled:
            cmake.build(target="faultline_compiled")

    def package(self):
        CMake(self).install()
        for name in ("LICENSE", "NOTICE"):
            copy(self, name, self.source_folder, pathlib.Path(self.package_folder) / "licenses")
        copy(self, "*.a", self.build_folder, pathlib.Path(self.package_folder) / "lib", keep_path=False)
        # CMakeDeps describes the package; CMake's and pkg-config's own files, and the sources of the compiled form, would be second ones.
        for folder in ("lib/cmake", "share"):
            rmdir(self, pathlib.Path(self.package_folder) / folder)

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "faultline")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "faultline::core")
        # (faultline::faultline is the name of the whole package, which Conan makes itself)
        core.bindirs, core.libdirs = [], []
        core.requires = [
            "eigen::eigen", "boost::headers", "nlohmann_json::nlohmann_json", "xtensor::xtensor", "onetbb::libtbb", "libpng::libpng", "zlib::zlib"
        ]
        if self.options.compiled:
            compiled = self.cpp_info.components["compiled"]
            compiled.set_property("cmake_target_name", "faultline::compiled")
            compiled.requires = ["core"]
            compiled.libs = collect_libs(self)
            compiled.defines = ["FAULTLINE_COMPILED"]
