# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D source=... -D binary=... -D generator=... -P consume.cmake -- <configure options>: a fresh configure, build and test.
cmake_minimum_required(VERSION 3.25)

set(options "")
set(collecting FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(collecting)
    list(APPEND options "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(collecting TRUE)
  endif()
endforeach()

function(step name)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${name} failed:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${binary}")
step(configure "${CMAKE_COMMAND}" -S "${source}" -B "${binary}" -G "${generator}" ${options})
step(build "${CMAKE_COMMAND}" --build "${binary}")
step(test "${CMAKE_CTEST_COMMAND}" --test-dir "${binary}" --output-on-failure --no-tests=error)
