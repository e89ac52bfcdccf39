# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# LibTorch as two imported targets, faultline::c10 and faultline::torch_cpu, both from one prefix (LocateLibTorch.cmake says which). Where
# it is built for CUDA and the headers of CUDA are there, also faultline::cuda_headers and faultline::torch_cuda; the latter is empty when
# the library itself is not there: what links it runs, and says that there is no device.
#
# Why not find_package(Torch): the wheel's config demands a matching CUDA toolkit, takes headers and libraries from different
# installations where two exist, makes directory-scoped targets and cannot be called twice. Our names differ from its names, so that
# a parent project may still call it. A parent that already did is honoured: our targets then stand for its `torch`.
#
# In:  FAULTLINE_LIBTORCH (auto | wheel | system | folder), LIBTORCH, Torch_DIR, CMAKE_PREFIX_PATH.
# Out: LibTorch_FOUND, LibTorch_VERSION, LibTorch_PREFIX, the two targets; LibTorch_REASON when there is none, and LibTorch_REFUSED when
#      there is one that must not be passed over in silence; LibTorch_CUDA_REASON when there are no CUDA targets.
include("${CMAKE_CURRENT_LIST_DIR}/LocateLibTorch.cmake")

set(LibTorch_VERSION "")
set(LibTorch_PREFIX "")
set(_libtorch_reason "")
set(_libtorch_refused FALSE)

if(TARGET faultline::torch_cpu)
  get_target_property(LibTorch_VERSION faultline::torch_cpu FAULTLINE_VERSION)
  get_target_property(LibTorch_PREFIX faultline::torch_cpu FAULTLINE_PREFIX)
elseif(TARGET torch)
  get_target_property(_libtorch_includes torch INTERFACE_INCLUDE_DIRECTORIES)
  foreach(_libtorch_include IN LISTS _libtorch_includes TORCH_INCLUDE_DIRS)
    faultline_inspect_libtorch("${_libtorch_include}/.." _libtorch)
    if(_libtorch_version)
      break()
    endif()
  endforeach()
  if(NOT _libtorch_version)
    set(_libtorch_reason "The project has a target `torch` whose include directories hold no LibTorch.")
  elseif(_libtorch_problem)
    set(_libtorch_reason "The project's own LibTorch ${_libtorch_version} ${_libtorch_problem}.")
  else()
    set(LibTorch_VERSION "${_libtorch_version}")
    set(LibTorch_PREFIX "${_libtorch_prefix}")
    add_library(faultline::c10 INTERFACE IMPORTED GLOBAL)
    add_library(faultline::torch_cpu INTERFACE IMPORTED GLOBAL)
    set_target_properties(faultline::c10 PROPERTIES INTERFACE_LINK_LIBRARIES torch)
    set_target_properties(faultline::torch_cpu PROPERTIES
      INTERFACE_LINK_LIBRARIES torch
      INTERFACE_INCLUDE_DIRECTORIES "${_libtorch_include_dirs}")
  endif()
else()
  if(NOT FAULTLINE_LIBTORCH)
    set(FAULTLINE_LIBTORCH auto)
  endif()
  faultline_locate_libtorch("${FAULTLINE_LIBTORCH}" _libtorch)
  if(_libtorch_version)
    set(_libtorch_reason "")  # it may tell of an older one that was passed over
  endif()

  # The libraries state their own version: one small program asks them, once per prefix. It also shows that programs link and start.
  set(_libtorch_key "${_libtorch_prefix} ${_libtorch_version}")
  if(_libtorch_version AND NOT CMAKE_CROSSCOMPILING AND NOT FAULTLINE_LIBTORCH_CHECKED STREQUAL _libtorch_key)
    set(_libtorch_probe "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/faultline_libtorch_probe")
    file(WRITE "${_libtorch_probe}/probe.cpp" "#include <cstdio>\n#include <string>\n#if defined(_LIBCPP_VERSION)\n#error FAULTLINE_LIBCXX\n#elif defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI\n#error FAULTLINE_OLD_ABI\n#endif\nnamespace at { std::string show_config(); }\nint main() { std::puts(at::show_config().c_str()); }\n")
    try_run(_libtorch_ran _libtorch_linked "${_libtorch_probe}" "${_libtorch_probe}/probe.cpp"
      LINK_OPTIONS "-Wl,--allow-shlib-undefined" "-Wl,-rpath,${_libtorch_lib_dir}"
      LINK_LIBRARIES "${_libtorch_lib_dir}/libtorch_cpu.so" "${_libtorch_lib_dir}/libc10.so"
      COMPILE_OUTPUT_VARIABLE _libtorch_link_output
      RUN_OUTPUT_VARIABLE _libtorch_run_output)
    if(NOT _libtorch_linked AND _libtorch_link_output MATCHES "error:? [^\n]*FAULTLINE_OLD_ABI")
      set(_libtorch_reason "The project is compiled with the old C++ ABI (_GLIBCXX_USE_CXX11_ABI=0), the LibTorch in ${_libtorch_prefix} with the current one: leave that definition out.")
    elseif(NOT _libtorch_linked AND _libtorch_link_output MATCHES "error:? [^\n]*FAULTLINE_LIBCXX")
      set(_libtorch_reason "The project is compiled with libc++, the LibTorch in ${_libtorch_prefix} with libstdc++: leave -stdlib=libc++ out.")
    elseif(NOT _libtorch_linked)
      set(_libtorch_reason "A program does not link with the LibTorch in ${_libtorch_prefix}: see ${_libtorch_probe}/link.log.")
      file(WRITE "${_libtorch_probe}/link.log" "${_libtorch_link_output}")
    elseif(NOT _libtorch_ran EQUAL 0)
      set(_libtorch_reason "A program linked with the LibTorch in ${_libtorch_prefix} does not start: see ${_libtorch_probe}/run.log.")
      file(WRITE "${_libtorch_probe}/run.log" "${_libtorch_run_output}")
    elseif(NOT _libtorch_run_output MATCHES "TORCH_VERSION=([0-9]+\\.[0-9]+\\.[0-9]+)")
      set(_libtorch_reason "The LibTorch in ${_libtorch_lib_dir} does not tell its version.")
    elseif(NOT CMAKE_MATCH_1 VERSION_EQUAL _libtorch_version)
      set(_libtorch_reason "LibTorch's headers in ${_libtorch_prefix} are ${_libtorch_version}, its libraries in ${_libtorch_lib_dir} are ${CMAKE_MATCH_1}: they must be of one version.")
    else()
      set(FAULTLINE_LIBTORCH_CHECKED "${_libtorch_key}" CACHE INTERNAL "LibTorch whose libraries were seen to match its headers")
    endif()
    unset(_libtorch_ran CACHE)
    unset(_libtorch_linked CACHE)
    if(_libtorch_reason)
      set(_libtorch_version "")
      set(_libtorch_refused TRUE)
    endif()
  endif()

  if(_libtorch_version)
    set(LibTorch_VERSION "${_libtorch_version}")
    set(LibTorch_PREFIX "${_libtorch_prefix}")
    foreach(_libtorch_library c10 torch_cpu)
      add_library(faultline::${_libtorch_library} SHARED IMPORTED GLOBAL)
      set_target_properties(faultline::${_libtorch_library} PROPERTIES
        IMPORTED_LOCATION "${_libtorch_lib_dir}/lib${_libtorch_library}.so"
        INTERFACE_INCLUDE_DIRECTORIES "${_libtorch_include_dirs}"
        INTERFACE_COMPILE_FEATURES cxx_std_20
        # a CUDA build names CUDA libraries that a CPU program never loads
        INTERFACE_LINK_OPTIONS "LINKER:--allow-shlib-undefined")
    endforeach()
    set_property(TARGET faultline::torch_cpu PROPERTY INTERFACE_LINK_LIBRARIES faultline::c10)
  endif()
endif()

if(TARGET faultline::torch_cpu)
  set_target_properties(faultline::torch_cpu PROPERTIES FAULTLINE_VERSION "${LibTorch_VERSION}" FAULTLINE_PREFIX "${LibTorch_PREFIX}")
endif()

# CUDA. A build for the CPU lacks the header that says how it was built for CUDA; the toolkit's headers lie beside the wheel or in a toolkit.
set(LibTorch_CUDA_REASON "")
if(TARGET faultline::torch_cpu AND NOT TARGET faultline::cuda_headers)
  if(NOT EXISTS "${LibTorch_PREFIX}/include/c10/cuda/impl/cuda_cmake_macros.h")
    set(LibTorch_CUDA_REASON "The LibTorch ${LibTorch_VERSION} in ${LibTorch_PREFIX} is a build without CUDA.")
  else()
    file(GLOB _libtorch_cuda_hints "${LibTorch_PREFIX}/../nvidia/cu*/include" "${LibTorch_PREFIX}/../nvidia/cuda_runtime/include")
    find_path(FAULTLINE_CUDA_INCLUDE_DIR crt/host_config.h HINTS ${_libtorch_cuda_hints} PATHS "$ENV{CUDA_HOME}/include" "$ENV{CUDA_PATH}/include" /usr/local/cuda/include NO_CACHE)
    if(NOT FAULTLINE_CUDA_INCLUDE_DIR OR NOT EXISTS "${FAULTLINE_CUDA_INCLUDE_DIR}/cuda.h" OR NOT EXISTS "${FAULTLINE_CUDA_INCLUDE_DIR}/cuda_runtime_api.h")
      set(LibTorch_CUDA_REASON "The LibTorch ${LibTorch_VERSION} in ${LibTorch_PREFIX} comes without the headers of CUDA (cuda.h, cuda_runtime_api.h, crt/host_config.h); set FAULTLINE_CUDA_INCLUDE_DIR to a folder that has them.")
    else()
      add_library(faultline::cuda_headers INTERFACE IMPORTED GLOBAL)
      set_target_properties(faultline::cuda_headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${FAULTLINE_CUDA_INCLUDE_DIR}")
      add_library(faultline::torch_cuda INTERFACE IMPORTED GLOBAL)
      if(_libtorch_lib_dir AND EXISTS "${_libtorch_lib_dir}/libtorch_cuda.so" AND EXISTS "${_libtorch_lib_dir}/libc10_cuda.so")
        # it registers the device's operations when it is loaded, which no symbol asks for
        set_target_properties(faultline::torch_cuda PROPERTIES
          INTERFACE_LINK_LIBRARIES "-Wl,--push-state,--no-as-needed,${_libtorch_lib_dir}/libtorch_cuda.so,${_libtorch_lib_dir}/libc10_cuda.so,--pop-state")
      endif()
    endif()
  endif()
endif()

string(REPLACE ";" "," _libtorch_reason "${_libtorch_reason}")  # a semicolon would end the argument below
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_PREFIX
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "${_libtorch_reason}")
set(LibTorch_REASON "${_libtorch_reason}")
set(LibTorch_REFUSED "${_libtorch_refused}")
