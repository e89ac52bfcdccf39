# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs faultline.pc, with which pkg-config describes the torch-free part as headers alone. What it requires is read off faultline::core, so that
# the two name the same libraries.

# <target that faultline::core links>|<what a .pc file requires for it>, with the versions of FaultlineDependencies.cmake
set(faultline_pc_names
  "Eigen3::Eigen|eigen3 >= 3.4"
  "Boost::headers|"  # has no .pc file; its headers lie where the compiler looks, or beside ours
  "nlohmann_json::nlohmann_json|nlohmann_json >= 3.10"
  "xtensor|xtensor"
  "TBB::tbb|tbb >= 2021.5"
  "PNG::PNG|libpng >= 1.6"
  "ZLIB::ZLIB|zlib")
get_target_property(faultline_pc_libraries faultline_core INTERFACE_LINK_LIBRARIES)
set(faultline_pc_requires "")
foreach(library IN LISTS faultline_pc_libraries)
  set(faultline_pc_name ${faultline_pc_names})
  list(FILTER faultline_pc_name INCLUDE REGEX "^${library}\\|")
  if(NOT faultline_pc_name)
    message(FATAL_ERROR "faultline::core links ${library}, for which cmake/FaultlinePkgConfig.cmake has no name of pkg-config.")
  endif()
  string(REGEX REPLACE "^.*\\|" "" faultline_pc_name "${faultline_pc_name}")
  if(faultline_pc_name)
    list(APPEND faultline_pc_requires "${faultline_pc_name}")
  endif()
endforeach()
list(JOIN faultline_pc_requires ", " faultline_pc_requires)

# In share/, because headers are the same for every processor. The prefix is found from the place of the file, so that the tree can be moved and
# `cmake --install --prefix` may name another; a folder that was given as an absolute path stays that path.
set(faultline_pc_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
set(faultline_pc_prefix "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${faultline_pc_dir}")
  file(RELATIVE_PATH faultline_pc_prefix "/${faultline_pc_dir}" "/")
  string(REGEX REPLACE "/$" "" faultline_pc_prefix "\${pcfiledir}/${faultline_pc_prefix}")
endif()
set(faultline_pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
if(NOT IS_ABSOLUTE "${faultline_pc_includedir}")
  string(PREPEND faultline_pc_includedir "\${prefix}/")
endif()
set(faultline_pc_url "")
if(PROJECT_HOMEPAGE_URL)
  set(faultline_pc_url "URL: ${PROJECT_HOMEPAGE_URL}\n")
endif()
configure_file(cmake/faultline.pc.in "${CMAKE_CURRENT_BINARY_DIR}/faultline.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/faultline.pc" DESTINATION "${faultline_pc_dir}" COMPONENT faultline_development)
