// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The test framework, and a LOG of the user's own, before the library.

#include <support/catch2.hpp>

#include <string>

#define LOG(text) (std::string("mine: ") + (text))
#define DCHECK(condition) (condition)

#include <faultline/torch.hpp>

TEST_CASE("CHECK and LOG are the user's when the library comes last") {
  CHECK(LOG("kept") == "mine: kept");
  CHECK(DCHECK(true));
  CHECK_FALSE(false);
}
