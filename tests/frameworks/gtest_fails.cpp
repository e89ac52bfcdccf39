// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Assertions that fail, for what GoogleTest prints of them.

#include <faultline/analysis/report.hpp>
#include <faultline/error.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/gtest.hpp>

namespace fl = faultline;
using fl::testing::GateResult;
using fl::testing::GateVerdict;
using fl::testing::Passes;
using fl::testing::verify;

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
  // expect: expected a gate that passes, but: FAIL: the failure rate is not below 0.02. 31 of 256 generated samples failed (12.1 %)
  // expect: Replay: fl::testing::gate(generator
  EXPECT_TRUE(verify(result(GateVerdict::fail), Passes()));
  const GateVerdict verdict = result(GateVerdict::fail).verdict();
  // expect: verdict Which is: fail GateVerdict::pass Which is: pass
  EXPECT_EQ(verdict, GateVerdict::pass);
  const fl::FailureReport report;
  // expect: report.verdict Which is: none_found
  EXPECT_EQ(report.verdict, fl::Verdict::systematic_causes);
  // expect: Which is: F204
  EXPECT_EQ(fl::Error(fl::ErrorCode::non_finite_scores, "here", "no").code(), fl::ErrorCode::classifier_threw);
}

TEST(Verdicts, passes) {
  EXPECT_TRUE(verify(result(GateVerdict::pass), Passes()));
  EXPECT_FALSE(verify(result(GateVerdict::undecided), Passes()));
}
