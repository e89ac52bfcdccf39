# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# An overlay port: it builds from the checkout in which it lies, so that it always describes the sources beside it and fetches nothing.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)
if(NOT EXISTS "${SOURCE_PATH}/include/faultline/version.hpp")
  message(FATAL_ERROR "The port faultline builds from the checkout in which it lies, and ${SOURCE_PATH} is none: name packaging/vcpkg/ports inside a checkout with --overlay-ports, or set SOURCE_PATH in this file.")
endif()

set(VCPKG_BUILD_TYPE release)  # headers and sources: there is no debug form of them

# The features only add dependencies: every component is installed, and is there for find_package where its library is. Nothing is compiled here;
# CMAKE_SKIP_INSTALL_ALL_DEPENDENCY keeps `install` from building faultline::compiled, which each user's project builds with its own flags.
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    -DFAULTLINE_LIBTORCH=off
    -DFAULTLINE_BUILD_TESTS=OFF
    -DFAULTLINE_BUILD_EXAMPLES=OFF
    -DFAULTLINE_BUILD_BENCHMARKS=OFF
    -DFAULTLINE_INSTALL=ON
    -DCMAKE_SKIP_INSTALL_ALL_DEPENDENCY=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/faultline)

# Without faultline.pc: vcpkg's xtensor comes without the xtensor.pc that it would require.
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/lib" "${CURRENT_PACKAGES_DIR}/share/doc" "${CURRENT_PACKAGES_DIR}/share/pkgconfig")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE" "${SOURCE_PATH}/NOTICE")
