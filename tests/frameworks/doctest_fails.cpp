// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Assertions that fail, for what doctest prints of them.

#include <faultline/testing.hpp>
#include <faultline/testing/verdict_matcher.hpp>

#include <doctest/doctest.h>

#include <string>

namespace fl = faultline;
using fl::testing::GateResult;
using fl::testing::GateVerdict;
using fl::testing::Passes;
using fl::testing::why_not;

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
  // expect: ERROR: CHECK( why_not(result(GateVerdict::fail)) == "" ) is NOT correct!
  // expect: expected a gate that holds: passes, or is undecided where that is allowed, but: FAIL: the failure rate is not below 0.02. 31 of 256 generated samples failed (12.1 %)
  // expect: Replay: fl::testing::gate(generator
  CHECK(why_not(result(GateVerdict::fail)) == "");
  // expect: expected a gate that passes, but: UNDECIDED: 256 samples do not show
  CHECK(why_not(result(GateVerdict::undecided), Passes()) == "");
}

TEST_CASE("the same assertions where one passes") {
  CHECK(why_not(result(GateVerdict::pass)) == "");
  CHECK(why_not(result(GateVerdict::pass), Passes()) == "");
  CHECK(why_not(result(GateVerdict::undecided), fl::testing::DoesNotFail()) == "");
  CHECK(why_not(result(GateVerdict::fail), fl::testing::Fails()) == "");
}
