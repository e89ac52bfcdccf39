// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Assertions that fail, for what GoogleTest prints of them with GoogleMock's EXPECT_THAT.

#include <faultline/testing.hpp>
#include <faultline/testing/gtest.hpp>

namespace fl = faultline;
using fl::testing::DoesNotFail;
using fl::testing::Fails;
using fl::testing::GateResult;
using fl::testing::GateVerdict;
using fl::testing::Passes;

namespace {
GateResult result(GateVerdict verdict) {
  fl::Provenance run;
  run.generator_digest = "0123456789abcdef";
  run.criterion_expression = "fl::Misclassified{}";
  return fl::testing::detail::rate_result(verdict, {.bound = 0.02, .seed = 7}, 256, 31, {.lower = 0.07, .upper = 0.18},
                                          run);
}
}  // namespace

TEST(Verdicts, wrong) {
  const GateResult passed = result(GateVerdict::pass), failed = result(GateVerdict::fail);
  // expect: Value of: failed Expected: passes Actual: FAIL: the failure rate is not below 0.02.
  EXPECT_THAT(failed, Passes());
  // expect: Value of: passed Expected: fails Actual: PASS: the failure rate is below 0.02.
  EXPECT_THAT(passed, Fails());
  // expect: Expected: passes or is undecided Actual: FAIL
  EXPECT_THAT(failed, DoesNotFail());
  // expect: Expected: fails or is undecided Actual: PASS
  EXPECT_THAT(passed, testing::Not(Passes()));
}

TEST(Verdicts, passes) {
  EXPECT_THAT(result(GateVerdict::pass), Passes());
  EXPECT_THAT(result(GateVerdict::undecided), DoesNotFail());
  EXPECT_THAT(result(GateVerdict::fail), testing::AllOf(Fails(), testing::Not(Passes())));
}
