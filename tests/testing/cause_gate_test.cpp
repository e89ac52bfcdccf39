// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gates on the share of the failures that one cause accounts for.

#include <faultline/analysis/finding.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>
#include <faultline/testing/cause_gate.hpp>

#include <support/catch2.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace fl = faultline;
using fl::testing::gate;
using fl::testing::GateMode;
using fl::testing::judge_causes;
using fl::testing::NoCauseAbove;

namespace {

fl::FailureReport with_cause(double fraction, double lower, double upper) {
  fl::FailureReport report;
  report.failure_rate.failures = 500;
  report.failure_rate.n = 10'000;
  report.failure_rate.estimate = 0.05;
  report.smallest_detectable = fl::analysis::DetectableEffect{.effect = 0.004};
  fl::Finding finding;
  finding.title = "blur";
  finding.attributable = {.fraction = fraction, .lower = lower, .upper = upper, .latents = 2'048, .failures = 100};
  report.findings.push_back(finding);
  return report;
}

}  // namespace

TEST_CASE("one cause above the share fails, below it passes, across it is open") {
  const NoCauseAbove policy{.fraction = 0.5};
  CHECK_THAT(judge_causes(with_cause(0.9, 0.87, 0.93), policy), fl::testing::Fails());
  CHECK(judge_causes(with_cause(0.9, 0.87, 0.93), policy).evidence_against() > 80.0);  // enough for a suite of two
  CHECK_THAT(judge_causes(with_cause(0.2, 0.15, 0.25), policy), fl::testing::Passes());
  CHECK(judge_causes(with_cause(0.2, 0.15, 0.25), policy).evidence_against() < 1.0);
  CHECK(judge_causes(with_cause(0.5, 0.45, 0.55), policy).undecided());
  CHECK(judge_causes(with_cause(0.9, 0.87, 0.93), policy)
            .explain()
            .find("FAIL: a cause accounts for more than 50 % of the failures.\n  FAILS: blur: without it 90 %") == 0);
}

TEST_CASE("who could not have seen a cause does not pass") {
  const NoCauseAbove policy{.fraction = 0.05};
  fl::FailureReport report = with_cause(0.02, 0.01, 0.03);
  CHECK(judge_causes(report, policy).undecided());  // .004 is more than a twentieth of .05
  report.smallest_detectable->effect = 0.002;
  CHECK(judge_causes(report, policy).passed());
  fl::Finding open;
  open.title = "slant";
  report.undecided.push_back(open);
  CHECK(judge_causes(report, policy).undecided());
  CHECK(judge_causes(report, policy).explain().find("Undecided: slant.") != std::string::npos);
  report.undecided.clear();
  report.smallest_detectable.reset();
  CHECK(judge_causes(report, policy).undecided());
  report.findings.clear();
  report.failure_rate.failures = 0;
  CHECK(judge_causes(report, policy).passed());  // nobody fails
  CHECK_THROWS_AS(judge_causes(report, {.fraction = 1.0}), fl::Error);
}

TEST_CASE("a planted cause is found by the gate itself") {
  const fl::AnalyticGenerator known({.factors = 3, .channels = 32, .classes = 4, .seed = 1});
  auto mine = fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = known.read(images, i);
          scores(i, factors[0] > 1.5f ? (label + 1) % 4 : label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
  NoCauseAbove policy{.fraction = 0.5, .samples = 2'000, .seed = 7};
  policy.method.property_distances = false;
  const auto verdict = gate(known, mine, policy);
  CHECK_THAT(verdict, fl::testing::Fails());
  CHECK(verdict.replay().find("fl::testing::judge_causes(") == 0);
  policy.mode = GateMode::smoke;
  policy.smoke_samples = 500;
  CHECK(gate(known, mine, policy).samples() == 1'000);
}
