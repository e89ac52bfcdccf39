// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The library before the test framework; names that nobody had are left to LibTorch, whose later headers use them.

#include <faultline/torch.hpp>

#include <support/catch2.hpp>

#ifndef LOG
#error "a macro that nobody had before was taken from LibTorch, whose later headers use it"
#endif

TEST_CASE("CHECK is the test framework's when the library comes first") {
  int evaluations = 0;
  CHECK(++evaluations == 1);  // LibTorch's macro of this name accepts no such expression twice and aborts on failure
  CHECK(evaluations == 1);
}
