// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/log_beta.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/rate_plan.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;

namespace {

/// Runs a monitor on made-up outcomes of one rate until it decides or the budget ends.
fl::statistics::RateMonitor watch(double bound, double rate, std::int64_t budget,
                                  const fl::statistics::RateSequenceOptions& options, std::int64_t trial) {
  fl::statistics::RateMonitor monitor(bound, options);
  fl::core::CounterRandom random(21, fl::core::Stream::subsets, trial);
  while (monitor.decision() == fl::statistics::RateDecision::undecided && monitor.samples() < budget)
    monitor.add(random.uniform() < rate);
  return monitor;
}

}  // namespace

TEST_CASE("the mixture ratio is a likelihood ratio: its mean over all outcomes is one") {
  for (const double rate : {0.02, 0.5, 0.9}) {
    for (const std::int64_t n : {1, 10, 200}) {
      double mean = 0.0;
      for (std::int64_t k = 0; k <= n; ++k) {
        const auto a = static_cast<double>(k);
        const auto b = static_cast<double>(n - k);
        const double log_mass = -fl::statistics::log_beta(a + 1.0, b + 1.0) - std::log(a + b + 1.0) +
                                a * std::log(rate) + b * std::log1p(-rate);
        mean += std::exp(log_mass + fl::statistics::log_mixture_ratio(k, n, rate));
      }
      CHECK(mean == Approx(1.0).epsilon(1e-10));
    }
  }
}

TEST_CASE("sequence limits solve their defining equation, exclude symmetrically and match the decision") {
  for (const std::int64_t n : {64, 500, 3000}) {
    for (std::int64_t k = 0; k <= n; k += n / 8) {
      const fl::statistics::Interval interval = fl::statistics::rate_sequence_interval(k, n, 0.025);
      const fl::statistics::Interval mirror = fl::statistics::rate_sequence_interval(n - k, n, 0.025);
      CHECK(interval.lower == Approx(1.0 - mirror.upper).margin(1e-12));
      if (k > 0) CHECK(fl::statistics::log_mixture_ratio(k, n, interval.lower) == Approx(std::log(40.0)).epsilon(1e-7));
      if (k < n) CHECK(fl::statistics::log_mixture_ratio(k, n, interval.upper) == Approx(std::log(40.0)).epsilon(1e-7));
      CHECK(interval.contains(static_cast<double>(k) / static_cast<double>(n)));
    }
  }
  CHECK(fl::statistics::rate_sequence_interval(0, 0) == fl::statistics::Interval{0.0, 1.0});
  CHECK(fl::statistics::rate_sequence_interval(0, 320, 0.05).upper < 0.02);
  CHECK(fl::statistics::rate_sequence_interval(0, 319, 0.05).upper > 0.02);
}

TEST_CASE("the planner's samples for a bound of .02 at .05 per side") {
  const auto median = [](double rate, std::int64_t every) {
    return fl::statistics::plan_rate_test(0.02, rate, 20000,
                                          {.alpha_per_side = 0.05, .first_look = 100, .look_every = every})
        .median;
  };
  CHECK(median(0.0, 64) == 320);
  CHECK(median(0.005, 64) == 704);
  CHECK(median(0.01, 64) == 2048);
  CHECK(median(0.0, 1) == 320);
  CHECK(median(0.005, 1) == 703);
  CHECK(median(0.01, 1) == 1860);
  // A budget of 512 classifications is usually not enough at .01, and the plan says so.
  CHECK(fl::statistics::plan_rate_test(0.02, 0.01, 512).undecided > 0.5);
  CHECK(fl::statistics::plan_rate_test(0.02, 0.5, 512).above > 0.999);
}

TEST_CASE("wrong verdicts stay below their stated rate: exact, up to 20 000 samples, at and beyond the bound") {
  for (const double alpha : {0.05, 0.025}) {
    for (const double bound : {0.005, 0.02, 0.1, 0.5}) {
      for (const double factor : {0.5, 0.9, 1.0, 1.1, 1.5}) {
        const double rate = bound * factor;
        const fl::statistics::RatePlan plan = fl::statistics::plan_rate_test(
            bound, rate, 20000, {.alpha_per_side = alpha, .first_look = 100, .look_every = 64});
        INFO("alpha " << alpha << " bound " << bound << " rate " << rate);
        const double wrong = (rate >= bound ? plan.below : 0.0) + (rate <= bound ? plan.above : 0.0);
        CHECK(wrong <= alpha);
        CHECK(plan.below + plan.above + plan.undecided == Approx(1.0).epsilon(1e-9));
      }
    }
  }
  // Looking after every single sample from the first on does not break it either.
  const fl::statistics::RatePlan eager =
      fl::statistics::plan_rate_test(0.1, 0.1, 5000, {.alpha_per_side = 0.05, .first_look = 1, .look_every = 1});
  CHECK(eager.below + eager.above <= 0.05);
  CHECK(eager.below + eager.above > 0.005);
}

TEST_CASE("simulated verdicts agree with the plan and with the stated error rate") {
  // 10 000 replicates each, bounds that a right implementation leaves with probability 1e-6.
  const fl::statistics::RateSequenceOptions options{.alpha_per_side = 0.025, .first_look = 100, .look_every = 64};
  for (const double rate : {0.1, 0.05}) {
    const std::int64_t budget = 1280;
    const fl::statistics::RatePlan plan = fl::statistics::plan_rate_test(0.1, rate, budget, options);
    std::int64_t below = 0;
    std::int64_t above = 0;
    for (std::int64_t trial = 0; trial < 10000; ++trial) {
      const auto decision = watch(0.1, rate, budget, options, trial).decision();
      below += decision == fl::statistics::RateDecision::below ? 1 : 0;
      above += decision == fl::statistics::RateDecision::above ? 1 : 0;
    }
    CHECK(below <= most_events(10000, plan.below));
    CHECK(below >= fewest_events(10000, plan.below));
    CHECK(above <= most_events(10000, plan.above));
    if (rate == 0.1) CHECK(below + above <= most_events(10000, 0.05));
  }
}

TEST_CASE("limits that are intersected over looks cover the true rate at all times") {
  // 10 000 runs of up to 3 200 samples, looked at after every batch: ever wrong at most 5 % (two sides at .025), up to
  // a bound of probability 1e-6.
  std::int64_t wrong = 0;
  for (std::int64_t trial = 0; trial < 10000; ++trial) {
    fl::statistics::RateMonitor monitor(0.5);
    fl::core::CounterRandom random(22, fl::core::Stream::subsets, trial);
    for (int i = 0; i < 1600; ++i) monitor.add(random.uniform() < 0.08);
    if (!monitor.interval().contains(0.08)) ++wrong;
  }
  CHECK(wrong <= most_events(10000, 0.05));
}

TEST_CASE("a monitor looks when it should, never reverses, and agrees with one that saw less") {
  fl::statistics::RateMonitor monitor(0.02, {.alpha_per_side = 0.05, .first_look = 100, .look_every = 64});
  CHECK(monitor.next_look() == 128);
  for (int i = 0; i < 319; ++i) monitor.add(false);
  CHECK(monitor.decision() == fl::statistics::RateDecision::undecided);
  CHECK(monitor.next_look() == 320);
  monitor.add(false);
  CHECK(monitor.decision() == fl::statistics::RateDecision::below);
  CHECK(monitor.decided_at() == 320);
  CHECK(monitor.interval().upper < 0.02);
  for (int i = 0; i < 2000; ++i) monitor.add(true);
  CHECK(monitor.decision() == fl::statistics::RateDecision::below);  // final
  CHECK(monitor.failures() == 2000);
  CHECK(monitor.samples() == 2320);

  for (std::int64_t trial = 0; trial < 200; ++trial) {
    const auto smoke = watch(0.1, 0.13, 400, {}, trial);
    const auto campaign = watch(0.1, 0.13, 4000, {}, trial);
    if (smoke.decision() != fl::statistics::RateDecision::undecided) {
      CHECK(campaign.decision() == smoke.decision());
      CHECK(campaign.decided_at() == smoke.decided_at());
    }
  }
}

TEST_CASE("sequences refuse impossible counts, bounds and options") {
  CHECK_THROWS_AS(fl::statistics::log_mixture_ratio(3, 2, 0.1), fl::Error);
  CHECK_THROWS_AS(fl::statistics::log_mixture_ratio(1, 2, 0.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::rate_sequence_interval(-1, 2), fl::Error);
  CHECK_THROWS_AS(fl::statistics::rate_sequence_interval(1, 2, 1.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::RateMonitor(0.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::RateMonitor(0.1, {.alpha_per_side = 0.0}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::RateMonitor(0.1, {.alpha_per_side = 0.05, .first_look = 100, .look_every = 0}),
                  fl::Error);
  CHECK_THROWS_AS(fl::statistics::plan_rate_test(1.0, 0.1, 100), fl::Error);
  CHECK_THROWS_AS(fl::statistics::plan_rate_test(0.1, 1.1, 100), fl::Error);
  CHECK_THROWS_AS(fl::statistics::plan_rate_test(0.1, 0.1, 0), fl::Error);
}
