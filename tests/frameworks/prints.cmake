# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D program=... -D source=... -P prints.cmake: the program must fail, and print every `// expect: <text>` of its source in that order.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND "${program}" RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(code EQUAL 0)
  message(FATAL_ERROR "${program} passes, but all of its assertions are wrong")
endif()
string(REGEX REPLACE "[ \n]+" " " rest "${output}")  # frameworks break lines where they like
file(STRINGS "${source}" expectations REGEX "^ *// expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${source} says nowhere what it expects")
endif()
foreach(expected IN LISTS expectations)
  string(REGEX REPLACE "^ *// expect: " "" expected "${expected}")
  string(FIND "${rest}" "${expected}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "'${expected}' is not printed, or not in its place:\n${output}")
  endif()
  string(SUBSTRING "${rest}" ${at} -1 rest)
endforeach()
