// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the planners forecast against what gates do, and against each other.

#include <faultline/core/random.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing/gate_plan.hpp>

#include <support/catch2.hpp>

#include <cstdint>

namespace fl = faultline;
using fl::testing::plan_gate;

TEST_CASE("plans of gates on rates are those of their rate and budget") {
  const fl::testing::FailureRateBelow policy{.bound = 0.02, .max_samples = 4'000};
  const auto plan = plan_gate(policy, 0.005);
  const auto rate = fl::statistics::plan_rate_test(0.02, 0.005, 4'000);
  CHECK(plan.median == rate.median);
  CHECK(plan.median == 320);
  CHECK(plan.pass == rate.below);
  CHECK(plan.fail == rate.above);
  CHECK(plan.budget == 4'000);
  CHECK_FALSE(plan.usually_undecided());
  CHECK(plan.pass + plan.fail + plan.undecided == Approx(1.0));
  // A region that holds a quarter takes four times as many
  CHECK(plan_gate(policy, 0.005, 0.25).median == 4 * rate.median);
  CHECK(plan_gate(policy, 0.005, 0.25).pass < plan.pass);
  fl::testing::FailureRateBelow smoke = policy;
  smoke.mode = fl::testing::GateMode::smoke;
  smoke.smoke_samples = 128;
  CHECK(plan_gate(smoke, 0.005).usually_undecided());
  CHECK(plan_gate(smoke, 0.005).budget == 128);
  CHECK(plan_gate(fl::testing::FailureRateBelowPerClass{.bound = 0.05, .max_samples = 20'000}, 0.01, 10).median ==
        10 * fl::statistics::plan_rate_test(0.05, 0.01, 2'000).median);
  fl::testing::DistanceAtLeast distance;
  distance.share = 0.9;
  CHECK(plan_gate(distance, 0.05).median == fl::statistics::plan_rate_test(0.1, 0.05, 2'000).median);
  fl::testing::FailureRateAlongBelow along;
  along.bound = 0.1;
  CHECK(plan_gate(along, 0.2).fail == Approx(fl::statistics::plan_rate_test(0.1, 0.2, 2'000).above));
  CHECK_THROWS_AS((void)plan_gate(policy, 0.005, 0.0), fl::Error);
  CHECK_THROWS_AS((void)plan_gate(policy, -0.1), fl::Error);
}

TEST_CASE("the plan of a comparison knows equal releases, worse ones and budgets that are too small") {
  fl::testing::NotWorseThanBaseline policy;
  policy.baseline.samples = 10'000;
  policy.margin = 0.01;
  const auto same = plan_gate(policy, 0.002, 0.002, 60);
  CHECK(same.pass > 0.9);
  CHECK(same.fail == 0.0);
  CHECK(same.median > 0);
  CHECK(same.median <= same.ninetieth);
  const auto worse = plan_gate(policy, 0.04, 0.002, 60);
  CHECK(worse.fail > 0.9);
  CHECK(worse.pass == 0.0);
  policy.max_samples = 100;
  CHECK(plan_gate(policy, 0.002, 0.002, 60).usually_undecided());
  CHECK_THROWS_AS((void)plan_gate(policy, 0.6, 0.6), fl::Error);
}
