# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What cpack makes of the install rules (`./bootstrap package` calls it): an archive of everything, which can be unpacked anywhere, and two Debian
# packages, `faultline` with the program and the shipped models, `libfaultline-dev` with what compiles. Without FAULTLINE_BUILD_PROGRAM there is only
# the latter, and nothing is compiled for it. Only at top level: a parent's packages are the parent's.
set(CPACK_PACKAGE_NAME faultline)
set(CPACK_PACKAGE_VENDOR "The Faultline authors")
set(CPACK_PACKAGE_CONTACT "The Faultline authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "finds the conditions under which image classifiers fail")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" faultline_package_platform)
set(CPACK_PACKAGE_FILE_NAME "faultline-${PROJECT_VERSION}-${faultline_package_platform}")
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/FaultlinePackageContents.cmake")
set(CPACK_FAULTLINE_SOURCE_DIR "${PROJECT_SOURCE_DIR}")  # for that script

set(CPACK_COMPONENTS_ALL faultline_development)
if(TARGET faultline_program)
  list(APPEND CPACK_COMPONENTS_ALL faultline_programs)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_FAULTLINE_PROGRAMS_PACKAGE_NAME faultline)
set(CPACK_DEBIAN_FAULTLINE_PROGRAMS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_FAULTLINE_PROGRAMS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FAULTLINE_PROGRAMS_PACKAGE_RECOMMENDS "python3, python3-numpy")  # of `faultline import`
set(CPACK_DEBIAN_FAULTLINE_PROGRAMS_DESCRIPTION
  "The program faultline, with the shipped generator and classifiers: `faultline demo` characterises one of them and writes a report.")

# <what README names for a project of one's own>, which a test compares
set(faultline_debian_depends libeigen3-dev libboost-dev nlohmann-json3-dev libxtensor-dev libtbb-dev libpng-dev zlib1g-dev)
list(JOIN faultline_debian_depends ", " CPACK_DEBIAN_FAULTLINE_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_FAULTLINE_DEVELOPMENT_PACKAGE_NAME libfaultline-dev)
set(CPACK_DEBIAN_FAULTLINE_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_FAULTLINE_DEVELOPMENT_PACKAGE_ARCHITECTURE all)  # headers, and sources of the compiled form
set(CPACK_DEBIAN_FAULTLINE_DEVELOPMENT_PACKAGE_SUGGESTS "cmake, catch2, libgtest-dev, libopencv-dnn-dev")
set(CPACK_DEBIAN_FAULTLINE_DEVELOPMENT_DESCRIPTION
  "The header-only C++20 library Faultline for CMake and pkg-config, with the sources of its compiled form.")
include(CPack)
