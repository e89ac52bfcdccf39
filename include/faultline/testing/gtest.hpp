// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Gates in GoogleTest: EXPECT_THAT(gate(...), Passes()) prints the explanation when it does not. EXPECT_THAT is a macro
// of GoogleMock; where that is not installed, EXPECT_TRUE(verify(gate(...), Passes())) says the same.

#include <faultline/testing/verdict_matcher.hpp>

#if __has_include(<gmock/gmock-matchers.h>)
#include <gmock/gmock-matchers.h>
#endif
#include <gtest/gtest.h>

namespace faultline {
inline namespace v1 {
namespace testing {

/// Whether the result of a gate or a suite is what was wanted; the message of a failed assertion is the explanation of
/// the result.
///
/// Example: `EXPECT_TRUE(verify(gate(generator, mine, policy), Passes()));`
template <VerdictHolder R, class Matcher>
[[nodiscard]] ::testing::AssertionResult verify(const R& result, const Matcher& wanted) {
  if (wanted.match(result)) return ::testing::AssertionSuccess() << result;
  return ::testing::AssertionFailure() << "expected a gate that " << wanted.describe() << ", but: " << result;
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
