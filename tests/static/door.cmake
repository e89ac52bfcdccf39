# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D compiler=... -D includes=... -D door=core|testing -P door.cmake: asks the compiler which files faultline/<door>.hpp reads, where
# headers are all there is and in the compiled form.
cmake_minimum_required(VERSION 3.25)

set(forbidden "/(torch|ATen|c10)/")
if(door STREQUAL "testing")
  string(APPEND forbidden "|/(unsupported/Eigen|xtensor|xtl|nlohmann)/|/png(conf)?\\.h$|/zlib\\.h$")
  string(APPEND forbidden "|/Eigen/(Dense|Cholesky|Eigenvalues|Geometry|LU|QR|SVD|Sparse)")
endif()

# What only definitions need; Eigen's matrices stand behind every door, its decompositions do not.
set(of_definitions "/(unsupported/Eigen|boost|xtensor|xtl|nlohmann|tbb|oneapi)/|/png(conf)?\\.h$|/zlib\\.h$")
string(APPEND of_definitions "|/Eigen/(Dense|Cholesky|Eigenvalues|Geometry|LU|QR|SVD|Sparse)")

list(TRANSFORM includes PREPEND "-I")
set(source "${scratch}/door_${door}.cpp")
file(WRITE "${source}" "#include <faultline/${door}.hpp>\n")
foreach(form headers compiled)
  set(flags "")
  if(form STREQUAL "compiled")
    set(flags -DFAULTLINE_COMPILED)
    string(APPEND forbidden "|${of_definitions}")
  endif()
  execute_process(COMMAND "${compiler}" -std=c++20 ${flags} ${includes} -M "${source}" OUTPUT_VARIABLE files ERROR_VARIABLE error RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "faultline/${door}.hpp cannot be read: ${error}")
  endif()
  string(REGEX MATCHALL "[^ \\\n]+" files "${files}")
  list(LENGTH files count)
  if(NOT files MATCHES "faultline/${door}\\.hpp")
    message(FATAL_ERROR "the compiler's list of files lacks the door itself")
  endif()
  list(REMOVE_ITEM files "${source}")  # the folder of the build may have any name
  list(FILTER files INCLUDE REGEX "${forbidden}")
  if(files)
    list(LENGTH files heavy)
    list(GET files 0 first)
    message(FATAL_ERROR "${form}: faultline/${door}.hpp reads ${heavy} files that must not stand behind it, the first is ${first}")
  endif()
  message(STATUS "${form}: faultline/${door}.hpp reads ${count} files, none of them forbidden")
endforeach()
