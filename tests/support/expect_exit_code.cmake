# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D expect=N -P expect_exit_code.cmake -- program arguments...: passes when the program exits with N.
cmake_minimum_required(VERSION 3.25)

set(command "")
set(collecting FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(collecting)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(collecting TRUE)
  endif()
endforeach()
execute_process(COMMAND ${command} RESULT_VARIABLE code)
if(NOT code EQUAL expect)
  message(FATAL_ERROR "exit code ${code}, expected ${expect}")
endif()
