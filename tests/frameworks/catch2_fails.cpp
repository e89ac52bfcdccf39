// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Assertions that fail, for what Catch2 prints of them.

#include <faultline/analysis/report.hpp>
#include <faultline/error.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>

#include <support/catch2.hpp>

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

TEST_CASE("wrong assertions") {
  // expect: FAIL: the failure rate is not below 0.02. 31 of 256 generated samples failed (12.1 %)
  // expect: .seed = 7
  // expect: passes
  CHECK_THAT(result(GateVerdict::fail), Passes());
  // expect: PASS: the failure rate is below 0.02.
  // expect: fails
  CHECK_THAT(result(GateVerdict::pass), Fails());
  // expect: FAIL: the failure rate is not below 0.02.
  // expect: passes or is undecided
  CHECK_THAT(result(GateVerdict::fail), DoesNotFail());
  // expect: UNDECIDED: 256 samples do not show
  // expect: passes or fails
  CHECK_THAT(result(GateVerdict::undecided), Passes() || Fails());
  // expect: fails or is undecided
  CHECK_THAT(result(GateVerdict::pass), !Passes());
  // expect: fail == pass
  CHECK(result(GateVerdict::fail).verdict() == GateVerdict::pass);
  fl::FailureReport report;
  // expect: none_found == systematic_causes
  CHECK(report.verdict == fl::Verdict::systematic_causes);
  // expect: property == pair
  CHECK(fl::ConditionKind::property == fl::ConditionKind::pair);
  // expect: uniform == fixed
  CHECK(report.provenance.labels.kind == fl::LabelPolicy::Kind::fixed);
  // expect: undeclared == logits
  CHECK(fl::ClassifierOptions().scores == fl::Scores::logits);
  // expect: F204 == F202
  CHECK(fl::Error(fl::ErrorCode::non_finite_scores, "here", "no").code() == fl::ErrorCode::classifier_threw);
}

TEST_CASE("the same assertions where they hold", "[passes]") {
  CHECK_THAT(result(GateVerdict::pass), Passes());
  CHECK_THAT(result(GateVerdict::fail), Fails());
  CHECK_THAT(result(GateVerdict::undecided), DoesNotFail());
  CHECK_THAT(result(GateVerdict::pass), Passes() || Fails());
  CHECK_THAT(result(GateVerdict::undecided), !Passes() && DoesNotFail());
  CHECK(fl::core::enumerator_of(fl::Verdict::too_few_failures) == "too_few_failures");
  CHECK(fl::core::enumerator_of(static_cast<fl::Verdict>(7)).empty());
  CHECK(fl::core::enumerator_of(fl::ErrorCode::invalid_argument).empty());  // beyond the range: its own text
}
