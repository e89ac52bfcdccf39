# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The targets that users link: faultline::core, faultline::faultline, faultline::compiled, faultline::torch, faultline::training, faultline::cuda,
# faultline::catch2, faultline::gtest, faultline::opencv, faultline::onnxruntime.
set(faultline_include_dir "${PROJECT_SOURCE_DIR}/include")

# Which target a header belongs to is read off its place in the tree.
file(GLOB_RECURSE faultline_core_headers CONFIGURE_DEPENDS "${faultline_include_dir}/faultline/*.hpp")
set(faultline_torch_headers ${faultline_core_headers})
set(faultline_torch_pattern "/faultline/(torch/|torch\\.hpp$|training\\.hpp$|cuda\\.hpp$)")
list(FILTER faultline_torch_headers INCLUDE REGEX "${faultline_torch_pattern}")
list(FILTER faultline_core_headers EXCLUDE REGEX "${faultline_torch_pattern}")

# faultline_add_target(<name> <libraries>...): INTERFACE target faultline_<name>, alias and export name faultline::<name>.
function(faultline_add_target name)
  add_library(faultline_${name} INTERFACE)
  set_target_properties(faultline_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(faultline_${name} INTERFACE cxx_std_20)
  target_link_libraries(faultline_${name} INTERFACE ${ARGN})
endfunction()

if(PROJECT_IS_TOP_LEVEL)
  set(faultline_scope "")
else()
  set(faultline_scope GLOBAL)  # the parent links targets that are found here
endif()

faultline_find_core_dependencies(faultline_missing ${faultline_scope})
if(faultline_missing)
  message(FATAL_ERROR "${faultline_missing}")
endif()
faultline_add_target(core Eigen3::Eigen Boost::headers nlohmann_json::nlohmann_json xtensor TBB::tbb PNG::PNG ZLIB::ZLIB)
target_sources(faultline_core INTERFACE FILE_SET headers TYPE HEADERS BASE_DIRS "${faultline_include_dir}" FILES ${faultline_core_headers})
if(NOT PROJECT_IS_TOP_LEVEL)
  target_include_directories(faultline_core SYSTEM INTERFACE "$<BUILD_INTERFACE:${faultline_include_dir}>")  # the parent's warnings are not ours
endif()
add_library(faultline::core ALIAS faultline_core)
# The generator on the CPU needs nothing beyond that; the name says which door a program uses.
faultline_add_target(faultline faultline_core)
add_library(faultline::faultline ALIAS faultline_faultline)

# The same, compiled: whoever links it reads declarations alone. Built where somebody asks for it, by us always.
include("${CMAKE_CURRENT_LIST_DIR}/FaultlineCompiled.cmake")
faultline_add_compiled("${PROJECT_SOURCE_DIR}/src" faultline_core)
if(PROJECT_IS_TOP_LEVEL)
  set_target_properties(faultline_compiled PROPERTIES EXCLUDE_FROM_ALL FALSE)
endif()

# The LibTorch half is always described, so that an installed package has it, but can be linked here only where LibTorch was found.
faultline_add_target(torch faultline_faultline faultline::torch_cpu)
target_sources(faultline_torch INTERFACE FILE_SET headers TYPE HEADERS BASE_DIRS "${faultline_include_dir}" FILES ${faultline_torch_headers})
faultline_add_target(training faultline_torch)
faultline_add_target(cuda faultline_torch faultline::cuda_headers faultline::torch_cuda ${CMAKE_DL_LIBS})
set(FAULTLINE_HAS_LIBTORCH OFF)
if(NOT FAULTLINE_LIBTORCH STREQUAL "off")
  list(PREPEND CMAKE_MODULE_PATH "${PROJECT_SOURCE_DIR}/cmake")
  find_package(LibTorch QUIET MODULE)
  list(POP_FRONT CMAKE_MODULE_PATH)
  if(LibTorch_FOUND)
    set(FAULTLINE_HAS_LIBTORCH ON)
    add_library(faultline::torch ALIAS faultline_torch)
    add_library(faultline::training ALIAS faultline_training)
    message(STATUS "Faultline: LibTorch ${LibTorch_VERSION} in ${LibTorch_PREFIX}")
    if(TARGET faultline::cuda_headers)
      add_library(faultline::cuda ALIAS faultline_cuda)
    else()
      message(STATUS "Faultline: without faultline::cuda. ${LibTorch_CUDA_REASON}")
    endif()
  elseif(FAULTLINE_LIBTORCH STREQUAL "auto" AND NOT LibTorch_REFUSED)
    message(STATUS "Faultline: without faultline::torch. ${LibTorch_REASON}")
  else()
    message(FATAL_ERROR "${LibTorch_REASON}")
  endif()
endif()

# The matchers for users' test frameworks; each exists where its framework does.
faultline_add_target(catch2 faultline_core Catch2::Catch2)
faultline_add_target(gtest faultline_core GTest::gtest $<TARGET_NAME_IF_EXISTS:GTest::gmock>)  # EXPECT_THAT is GoogleMock's
if(PROJECT_IS_TOP_LEVEL OR NOT TARGET Catch2::Catch2)
  find_package(Catch2 QUIET CONFIG ${faultline_scope})
endif()
if(TARGET Catch2::Catch2)
  add_library(faultline::catch2 ALIAS faultline_catch2)
endif()
if(PROJECT_IS_TOP_LEVEL OR NOT TARGET GTest::gtest)
  find_package(GTest QUIET ${faultline_scope})
endif()
if(TARGET GTest::gtest)
  add_library(faultline::gtest ALIAS faultline_gtest)
endif()

# ONNX files as classifiers, where an engine is; the headers themselves are faultline::core's.
faultline_add_target(opencv faultline_core faultline::opencv_dnn)
faultline_add_target(onnxruntime faultline_core faultline::onnxruntime_engine)
foreach(engine "opencv|OpenCV|opencv_dnn" "onnxruntime|ONNX Runtime|onnxruntime_engine")
  string(REGEX MATCH "^(.*)\\|(.*)\\|(.*)$" engine "${engine}")
  set(faultline_engine ${CMAKE_MATCH_1})
  set(faultline_engine_name "${CMAKE_MATCH_2}")
  set(faultline_engine_library faultline::${CMAKE_MATCH_3})
  cmake_language(CALL faultline_find_${faultline_engine} faultline_missing ${faultline_scope})
  if(faultline_missing)
    message(STATUS "Faultline: without faultline::${faultline_engine}. ${faultline_missing}")
  else()
    add_library(faultline::${faultline_engine} ALIAS faultline_${faultline_engine})
    get_target_property(faultline_engine_version ${faultline_engine_library} FAULTLINE_VERSION)
    message(STATUS "Faultline: ${faultline_engine_name} ${faultline_engine_version}")
  endif()
endforeach()
