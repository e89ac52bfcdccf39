# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D compiler=... -D includes=... -D source=... -P compile_fail.cmake (CMakeLists.txt beside this file says what is checked)
cmake_minimum_required(VERSION 3.25)

file(STRINGS "${source}" expectations REGEX "^// expect: " LIMIT_COUNT 1)
string(REGEX REPLACE "^// expect: *" "" expected "${expectations}")
if(expected STREQUAL "")
  message(FATAL_ERROR "${source} does not begin with `// expect: <sentence>`")
endif()

list(TRANSFORM includes PREPEND "-I")
set(compile "${compiler}" -std=c++20 -fsyntax-only -DFAULTLINE_COMPILED ${includes} "${source}")

execute_process(COMMAND ${compile} -DFAULTLINE_CONTROL RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "the control does not compile, so the file fails for another reason:\n${output}")
endif()

file(STRINGS "${source}" flags REGEX "^// flags: " LIMIT_COUNT 1)
string(REGEX REPLACE "^// flags: *" "" flags "${flags}")
separate_arguments(flags UNIX_COMMAND "${flags}")
execute_process(COMMAND ${compile} ${flags} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(code EQUAL 0)
  message(FATAL_ERROR "it compiles, but must not")
endif()
if(flags)  # then the sentence comes first: nothing may fail in the middle of a header before it
  string(REGEX MATCH "error: [^\n]*" output "${output}")
endif()
string(FIND "${output}" "${expected}" position)
if(position EQUAL -1)
  message(FATAL_ERROR "the message lacks: ${expected}\n${output}")
endif()
