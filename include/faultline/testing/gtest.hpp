// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Gates in GoogleTest: EXPECT_THAT(gate(...), Passes()) prints the explanation when it does not. EXPECT_THAT is a macro
// of GoogleMock; where that is not installed, EXPECT_TRUE(verify(gate(...), Passes())) says the same. Parametrised
// tests give one test for each class or each known failure, see statement_results.hpp.

#include <faultline/testing/verdict_matcher.hpp>

#if __has_include(<gmock/gmock-matchers.h>)
#include <gmock/gmock-matchers.h>
#endif
#include <gtest/gtest.h>

#include <string>

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
  return ::testing::AssertionFailure() << why_not(result, wanted);
}

/// Names the tests of INSTANTIATE_TEST_SUITE_P after parameters that have a name, as entries of a failure corpus do.
/// GoogleTest allows letters, digits and _ alone: where others were replaced the number of the parameter follows.
///
/// Example: `INSTANTIATE_TEST_SUITE_P(Corpus, KnownFailure, testing::ValuesIn(fl::testing::read_corpus("corpus")),
/// fl::testing::ParameterName());`
struct ParameterName {
  template <class T>
  [[nodiscard]] std::string operator()(const ::testing::TestParamInfo<T>& parameter) const {
    std::string name = parameter.param.name;
    for (char& c : name)
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) c = '_';
    if (name != parameter.param.name) name += "_" + std::to_string(parameter.index);
    return name;
  }
};

}  // namespace testing
}  // namespace v1
}  // namespace faultline
