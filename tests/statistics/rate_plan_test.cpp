// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Monitors and plans: what a watched rate ends in, how long it takes, and that the plan says so beforehand.
#include "support.hpp"

#include <faultline/core/random.hpp>
#include <faultline/statistics/rate_monitor.hpp>
#include <faultline/statistics/rate_plan.hpp>

#include <support/catch2.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;

namespace {

using Boundary = std::shared_ptr<const fl::statistics::RateBoundary>;

Boundary boundary_of(double bound, const fl::statistics::RateSequenceOptions& options = {}) {
  return std::make_shared<const fl::statistics::RateBoundary>(bound, options);
}

/// Runs a monitor on made-up outcomes of one rate until it decides or the budget ends.
fl::statistics::RateMonitor watch(const Boundary& boundary, double rate, std::int64_t budget, std::int64_t trial) {
  fl::statistics::RateMonitor monitor(boundary);
  fl::core::CounterRandom random(21, fl::core::Stream::subsets, trial);
  while (monitor.decision() == fl::statistics::RateDecision::undecided && monitor.samples() < budget)
    monitor.add(random.uniform() < rate);
  monitor.finish();
  return monitor;
}

}  // namespace

TEST_CASE("the planner's samples for a bound of .02") {
  const auto median = [](double rate, double alpha, std::int64_t every) {
    return fl::statistics::plan_rate_test(0.02, rate, 20000,
                                          {.alpha_per_side = alpha, .first_analysis = 100, .analysis_every = every})
        .median;
  };
  // The table of docs/how-to/gates.md
  CHECK(median(0.0, 0.05, 64) == 192);
  CHECK(median(0.005, 0.05, 64) == 320);
  CHECK(median(0.01, 0.05, 64) == 960);
  CHECK(median(0.015, 0.05, 64) == 5120);
  CHECK(median(0.0, 0.025, 64) == 256);
  CHECK(median(0.005, 0.025, 64) == 320);
  CHECK(median(0.01, 0.025, 64) == 1344);
  CHECK(median(0.015, 0.025, 64) == 6464);
  CHECK(median(0.0, 0.005, 64) == 320);
  CHECK(median(0.005, 0.005, 64) == 576);
  CHECK(median(0.01, 0.005, 64) == 1856);
  CHECK(median(0.015, 0.005, 64) == 9536);
  // A budget of 512 classifications is usually not enough at .01, and the plan says so.
  CHECK(fl::statistics::plan_rate_test(0.02, 0.01, 512).undecided > 0.5);
  CHECK(fl::statistics::plan_rate_test(0.02, 0.01, 512).usually_undecided());
  CHECK_FALSE(fl::statistics::plan_rate_test(0.02, 0.0, 512).usually_undecided());
  CHECK(fl::statistics::plan_rate_test(0.02, 0.5, 512).above > 0.999);
}

TEST_CASE("wrong verdicts stay below their stated rate: exact, up to 20 000 samples, at and beyond the bound") {
  for (const double alpha : {0.05, 0.025}) {
    for (const double bound : {0.005, 0.02, 0.1, 0.5}) {
      const fl::statistics::RateBoundary boundary(
          bound, {.alpha_per_side = alpha, .first_analysis = 100, .analysis_every = 64});
      for (const double factor : {0.5, 0.9, 1.0, 1.1, 1.5}) {
        const double rate = bound * factor;
        const fl::statistics::RatePlan plan = fl::statistics::plan_rate_test(boundary, rate, 20000);
        INFO("alpha " << alpha << " bound " << bound << " rate " << rate);
        if (rate >= bound) CHECK(plan.below <= alpha);
        if (rate <= bound) CHECK(plan.above <= alpha);
        CHECK(plan.below + plan.above + plan.undecided == Approx(1.0).epsilon(1e-9));
      }
    }
  }
  // Analyzing after every single sample from the first on does not break it either, nor going on past the horizon.
  const fl::statistics::RatePlan eager = fl::statistics::plan_rate_test(
      0.1, 0.1, 5000, {.alpha_per_side = 0.05, .first_analysis = 1, .analysis_every = 1});
  CHECK(eager.below <= 0.05);
  CHECK(eager.above <= 0.05);
  CHECK(eager.below + eager.above > 0.8 * 0.1);
}

TEST_CASE("simulated verdicts agree with the plan and with the stated error rate") {
  // 10 000 replicates each, bounds that a right implementation leaves with probability 1e-6.
  const Boundary boundary = boundary_of(0.1);
  for (const double rate : {0.1, 0.05, 0.15}) {
    for (const std::int64_t budget : {1280, 400}) {  // at an analysis, and between two
      const fl::statistics::RatePlan plan = fl::statistics::plan_rate_test(*boundary, rate, budget);
      std::int64_t below = 0;
      std::int64_t above = 0;
      double samples = 0.0;
      for (std::int64_t trial = 0; trial < 10000; ++trial) {
        const fl::statistics::RateMonitor monitor = watch(boundary, rate, budget, trial);
        below += monitor.decision() == fl::statistics::RateDecision::below ? 1 : 0;
        above += monitor.decision() == fl::statistics::RateDecision::above ? 1 : 0;
        samples += static_cast<double>(monitor.samples());
      }
      INFO("rate " << rate << " budget " << budget);
      CHECK(below <= most_events(10000, plan.below));
      CHECK(below >= fewest_events(10000, plan.below));
      CHECK(above <= most_events(10000, plan.above));
      CHECK(above >= fewest_events(10000, plan.above));
      // The number of samples lies in [0, budget], so five standard errors are at most this (1e-6)
      CHECK(std::abs(samples / 10000.0 - plan.expected) <= 5.0 * 0.5 * static_cast<double>(budget) / 100.0);
      if (rate == 0.1) CHECK(below + above <= most_events(10000, 0.05));
    }
  }
}

TEST_CASE("the planner's medians are those of simulated runs") {
  // 10 000 runs: fewer than half have decided at the analysis before, at least half at the median, up to 1e-6.
  const Boundary boundary = boundary_of(0.02);
  for (const double rate : {0.0, 0.005, 0.01}) {
    const std::int64_t median = fl::statistics::plan_rate_test(*boundary, rate, 4000).median;
    const double by = 1.0 - fl::statistics::plan_rate_test(*boundary, rate, median).undecided,
                 before = 1.0 - fl::statistics::plan_rate_test(*boundary, rate, median - 64).undecided;
    CHECK(by >= 0.5);
    CHECK(before < 0.5);
    std::int64_t decided = 0, earlier = 0;
    for (std::int64_t trial = 0; trial < 10000; ++trial) {
      const std::int64_t at = watch(boundary, rate, median, trial).decided_at();
      decided += at != 0 ? 1 : 0;
      earlier += at != 0 && at <= median - 64 ? 1 : 0;
    }
    INFO("rate " << rate << " median " << median);
    CHECK(decided >= fewest_events(10000, by));
    CHECK(decided <= most_events(10000, by));
    CHECK(earlier >= fewest_events(10000, before));
    CHECK(earlier <= most_events(10000, before));
  }
}

TEST_CASE("a monitor decides when it should, never reverses, and agrees with one that saw less") {
  fl::statistics::RateMonitor monitor(0.02, {.alpha_per_side = 0.05, .first_analysis = 100, .analysis_every = 64});
  CHECK(monitor.interval() == fl::statistics::Interval{0.0, 1.0});
  CHECK(monitor.next_analysis() == 128);
  for (int i = 0; i < 191; ++i) monitor.add(false);
  CHECK(monitor.decision() == fl::statistics::RateDecision::undecided);
  CHECK(monitor.next_analysis() == 192);
  CHECK(monitor.interval().contains(0.02));
  monitor.add(false);
  CHECK(monitor.decision() == fl::statistics::RateDecision::below);
  CHECK(monitor.decided_at() == 192);
  CHECK(monitor.interval().upper < 0.02);
  for (int i = 0; i < 2000; ++i) monitor.add(true);
  monitor.finish();
  CHECK(monitor.decision() == fl::statistics::RateDecision::below);  // final
  CHECK(monitor.decided_at() == 192);
  CHECK(monitor.interval().upper < 0.02);
  CHECK(monitor.failures() == 2000);
  CHECK(monitor.samples() == 2192);

  const Boundary boundary = boundary_of(0.1);
  int decided = 0, between = 0;
  for (std::int64_t trial = 0; trial < 400; ++trial) {
    const auto smoke = watch(boundary, 0.13, 440, trial);
    const auto large_run = watch(boundary, 0.13, 4000, trial);
    if (smoke.decision() != fl::statistics::RateDecision::undecided) {
      ++decided;
      CHECK(large_run.decision() == smoke.decision());
      between += smoke.decided_at() == 440 ? 1 : 0;
      CHECK(large_run.decided_at() == (smoke.decided_at() == 440 ? 448 : smoke.decided_at()));
    }
  }
  CHECK(decided > 0);
  CHECK(between > 0);
}

TEST_CASE("monitors and plans refuse bounds, rates and budgets out of range") {
  CHECK_THROWS_AS(fl::statistics::RateMonitor(0.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::RateMonitor(0.1, {.alpha_per_side = 0.0}), fl::Error);
  CHECK_THROWS_AS(
      fl::statistics::RateMonitor(0.1, {.alpha_per_side = 0.05, .first_analysis = 100, .analysis_every = 0}),
      fl::Error);
  CHECK_THROWS_AS(fl::statistics::plan_rate_test(1.0, 0.1, 100), fl::Error);
  CHECK_THROWS_AS(fl::statistics::plan_rate_test(0.1, 1.1, 100), fl::Error);
  CHECK_THROWS_AS(fl::statistics::plan_rate_test(0.1, 0.1, 0), fl::Error);
}
