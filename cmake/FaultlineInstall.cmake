# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs headers and a package that find_package(faultline COMPONENTS ...) reads; no LibTorch is needed to install. With FAULTLINE_BUILD_PROGRAM
# also the program faultline, and what it looks for beside itself. Two components, which become two Debian packages.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(faultline_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/faultline")
set(faultline_set_core core faultline)
set(faultline_set_torch torch training)
set(faultline_set_cuda cuda)
set(faultline_set_catch2 catch2)
set(faultline_set_gtest gtest)
set(faultline_set_opencv opencv)
set(faultline_set_onnxruntime onnxruntime)
foreach(set core torch cuda catch2 gtest opencv onnxruntime)
  list(TRANSFORM faultline_set_${set} PREPEND faultline_ OUTPUT_VARIABLE targets)
  if(set MATCHES "^(core|torch)$")
    install(TARGETS ${targets} EXPORT faultline-${set}-targets FILE_SET headers DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT faultline_development)
  else()
    install(TARGETS ${targets} EXPORT faultline-${set}-targets)
  endif()
  install(EXPORT faultline-${set}-targets NAMESPACE faultline:: DESTINATION "${faultline_package_dir}" COMPONENT faultline_development)
endforeach()

set(faultline_source_dir "${CMAKE_INSTALL_DATADIR}/faultline/src")
configure_package_config_file(cmake/faultline-config.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/faultline-config.cmake" INSTALL_DESTINATION "${faultline_package_dir}"
  PATH_VARS faultline_source_dir)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/faultline-config-version.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/faultline-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/faultline-config-version.cmake"
  cmake/FaultlineCompiled.cmake cmake/FaultlineDependencies.cmake cmake/FindLibTorch.cmake cmake/LocateLibTorch.cmake
  DESTINATION "${faultline_package_dir}" COMPONENT faultline_development)
install(DIRECTORY src/ DESTINATION "${faultline_source_dir}" COMPONENT faultline_development FILES_MATCHING PATTERN "*.cpp")  # of faultline::compiled
install(FILES LICENSE NOTICE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/faultline" COMPONENT faultline_development)
include("${CMAKE_CURRENT_LIST_DIR}/FaultlinePkgConfig.cmake")

if(TARGET faultline_program)
  # The program finds these from its own place, so they keep their place beside its folder, whatever other folders are called.
  cmake_path(SET faultline_program_data NORMALIZE "${CMAKE_INSTALL_BINDIR}/../share/faultline")
  install(TARGETS faultline_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT faultline_programs)
  install(DIRECTORY assets DESTINATION "${faultline_program_data}" COMPONENT faultline_programs
    FILES_MATCHING PATTERN "*.safetensors" PATTERN "*.md")
  install(DIRECTORY examples/import_stylegan2 DESTINATION "${faultline_program_data}" COMPONENT faultline_programs FILES_MATCHING PATTERN "*.py")
  install(FILES packaging/THIRD_PARTY DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/faultline" COMPONENT faultline_programs)
endif()
