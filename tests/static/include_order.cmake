# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D compiler=... -D includes=... -D scratch=... -D order=FTCG -P include_order.cmake: a file that includes the library (F),
# torch/torch.h (T), Catch2 (C) and GoogleTest (G) in this order compiles, and CHECK is Catch2's in it. The one exception is LibTorch's
# own doing: where torch/torch.h comes straight after Catch2 it takes CHECK before the library is read, so CHECK is not asked about there.
cmake_minimum_required(VERSION 3.25)

set(header_F "faultline/torch.hpp")
set(header_T "torch/torch.h")
set(header_C "support/catch2.hpp")
set(header_G "gtest/gtest.h")
set(text "")
set(rest "${order}")
while(NOT rest STREQUAL "")
  string(SUBSTRING "${rest}" 0 1 letter)
  string(SUBSTRING "${rest}" 1 -1 rest)
  string(APPEND text "#include <${header_${letter}}>\n")
endwhile()
if(NOT order MATCHES "C.*T.*F")
  string(APPEND text [[
#include <string_view>
#define TEXT_OF(...) #__VA_ARGS__
#define EXPANSION_OF(...) TEXT_OF(__VA_ARGS__)
static_assert(std::string_view(EXPANSION_OF(CHECK(condition))).find("Catch::") != std::string_view::npos, "CHECK is not Catch2's");
]])
endif()

list(TRANSFORM includes PREPEND "-I")
set(source "${scratch}/include_order_${order}.cpp")
file(WRITE "${source}" "${text}")
execute_process(COMMAND "${compiler}" -std=c++20 -fsyntax-only -DFAULTLINE_COMPILED ${includes} "${source}" RESULT_VARIABLE code ERROR_VARIABLE error)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "in this order the headers do not compile:\n${text}${error}")
endif()
