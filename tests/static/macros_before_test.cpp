// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The library before the test framework.

#include <faultline/faultline.hpp>

#include <support/catch2.hpp>

#if defined(LOG) || defined(VLOG) || defined(DCHECK)
#error "LibTorch's macros reached a user's file"
#endif

TEST_CASE("CHECK is the test framework's when the library comes first") {
  int evaluations = 0;
  CHECK(++evaluations == 1);  // LibTorch's macro of this name accepts no such expression twice and aborts on failure
  CHECK(evaluations == 1);
}
