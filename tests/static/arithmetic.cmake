# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D compiler=... -D id=Clang|GNU -D include_dir=... -D scratch=... -P arithmetic.cmake: a call of a user's classifier works in a file
# compiled as usual, and is refused where clang was told to assume that there is no NaN or to reorder sums, for which it has no macro.
cmake_minimum_required(VERSION 3.25)

set(source "${scratch}/arithmetic.cpp")
file(WRITE "${source}" [[
#include <faultline/classify/guarded_call.hpp>
int main() {
  try {
    faultline::classify::call_user("here", [] {}, [] { return std::string(); });
  } catch (const faultline::Error& error) {
    return error.code() == faultline::ErrorCode::invalid_argument ? 1 : 2;
  }
}
]])
function(expect code)
  execute_process(COMMAND "${compiler}" -std=c++20 -O2 ${ARGN} "-I${include_dir}" "${source}" -o "${scratch}/arithmetic" RESULT_VARIABLE failed ERROR_VARIABLE error)
  if(failed)
    message(FATAL_ERROR "with '${ARGN}' it does not compile: ${error}")
  endif()
  execute_process(COMMAND "${scratch}/arithmetic" RESULT_VARIABLE found)
  if(NOT found EQUAL code)
    message(SEND_ERROR "with '${ARGN}' the program ended with ${found}, expected ${code}")
  endif()
endfunction()

expect(0)
if(id STREQUAL "Clang")
  expect(1 -fno-honor-nans)
  expect(1 -funsafe-math-optimizations)
  expect(1 -ffast-math -fno-finite-math-only)
endif()
