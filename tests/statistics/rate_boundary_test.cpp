// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Boundaries of gates: their error by another enumeration, in simulations and beyond the bound; limits that agree with
// decisions; what happens at and past the horizon.
#include "support.hpp"

#include <faultline/core/random.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/rate_boundary.hpp>
#include <faultline/statistics/rate_plan.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;
using fl::statistics::RateBoundary;
using fl::statistics::RateDecision;

namespace {

/// Follows P(count, undecided) one sample at a time at `rate`, and calls `leave(n, k, mass)` for every outcome of a run
/// with `budget` samples: what decides at an interim analysis, and what is left at the end.
void enumerate_outcomes(const RateBoundary& boundary, double rate, std::int64_t budget,
                        const std::function<void(std::int64_t, std::int64_t, double)>& leave) {
  std::vector<double> mass(static_cast<std::size_t>(budget) + 2, 0.0);
  mass[0] = 1.0;
  std::int64_t lowest = 0, highest = 0;
  std::int64_t interim = boundary.next_analysis(0);
  for (std::int64_t n = 1; n <= budget; ++n) {
    ++highest;
    for (std::int64_t k = highest; k >= lowest; --k) {
      const auto at = static_cast<std::size_t>(k);
      mass[at] = mass[at] * (1.0 - rate) + (k > lowest ? mass[at - 1] * rate : 0.0);
    }
    while (lowest < highest && mass[static_cast<std::size_t>(lowest)] < 1e-25)
      mass[static_cast<std::size_t>(lowest++)] = 0.0;
    while (highest > lowest && mass[static_cast<std::size_t>(highest)] < 1e-25)
      mass[static_cast<std::size_t>(highest--)] = 0.0;
    if (n != interim && n != budget) continue;
    interim = boundary.next_analysis(n);
    for (std::int64_t k = lowest; k <= highest; ++k) {
      double& here = mass[static_cast<std::size_t>(k)];
      if (here == 0.0 || (n != budget && boundary.decide(k, n) == RateDecision::undecided)) continue;
      leave(n, k, here);
      here = 0.0;
    }
  }
}

struct Errors {
  double below = 0.0, above = 0.0;
};

Errors enumerated_errors(const RateBoundary& boundary, double rate, std::int64_t budget) {
  Errors errors;
  enumerate_outcomes(boundary, rate, budget, [&](std::int64_t n, std::int64_t k, double mass) {
    const RateDecision decision = boundary.decide_at_end(k, n);
    if (decision == RateDecision::below) errors.below += mass;
    if (decision == RateDecision::above) errors.above += mass;
  });
  return errors;
}

/// The number of failures in 64 samples, from one uniform number: the inverse of the distribution function, from a
/// guide table on.
class Step {
 public:
  explicit Step(double rate) {
    for (std::int64_t k = 0; k <= 64; ++k) upto_.push_back(fl::statistics::binomial_lower_tail(k, 64, rate));
    std::int64_t k = 0;
    for (int i = 0; i < 1024; ++i) {
      while (upto_[static_cast<std::size_t>(k)] < i / 1024.0) ++k;
      guide_.push_back(k);
    }
  }
  std::int64_t operator()(double u) const {
    std::int64_t k = guide_[static_cast<std::size_t>(1024.0 * u)];
    while (upto_[static_cast<std::size_t>(k)] < u) ++k;
    return k;
  }

 private:
  std::vector<double> upto_;
  std::vector<std::int64_t> guide_;
};

}  // namespace

TEST_CASE("a boundary errs as often as it may, by an enumeration sample by sample over the whole horizon") {
  for (const double bound : {1e-3, 0.02, 0.1, 0.5, 0.98, 0.999}) {
    for (const double alpha : {0.05, 0.025}) {
      if (alpha == 0.05 && bound != 0.02) continue;
      const RateBoundary boundary(bound, {.alpha_per_side = alpha});
      CHECK(boundary.horizon() == 64'000);
      const Errors errors = enumerated_errors(boundary, bound, boundary.horizon());
      INFO("bound " << bound << " alpha " << alpha << ": " << errors.below << " " << errors.above);
      CHECK(errors.below == Approx(boundary.error_below()).epsilon(1e-7));
      CHECK(errors.above == Approx(boundary.error_above()).epsilon(1e-7));
      for (const double error : {errors.below, errors.above}) {
        CHECK(error <= 0.95 * alpha * (1 + 1e-9));
        CHECK(error >= 0.8 * alpha);
      }
    }
  }
}

TEST_CASE("rare outcomes get a longer horizon, with analyses further apart, and the same error") {
  for (const double bound : {1e-5, 1e-4, 1.0 - 1e-4}) {
    const RateBoundary boundary(bound);
    INFO("bound " << bound << " horizon " << boundary.horizon());
    CHECK(static_cast<double>(boundary.horizon()) == Approx(64.0 / std::min(bound, 1.0 - bound)).epsilon(1e-5));
    CHECK(boundary.error_below() <= 0.95 * 0.025);
    CHECK(boundary.error_below() >= 0.8 * 0.025);
    CHECK(boundary.error_above() <= 0.95 * 0.025);
    CHECK(boundary.error_above() >= 0.8 * 0.025);
  }
  const RateBoundary rare(1e-5);
  // Two failures among the first 128 are too many; none at all is enough once 1e-5 would usually have shown some.
  CHECK(rare.decide(1, 128) == RateDecision::undecided);
  CHECK(rare.decide(2, 128) == RateDecision::above);
  const std::int64_t median = fl::statistics::plan_rate_test(rare, 0.0, 1'000'000).median;
  CHECK(median > 368'888);  // log 40 / 1e-5, where a single analysis would decide
  CHECK(median < 600'000);
  // Where even 10^8 samples cannot show it, nothing is ever found below.
  CHECK(RateBoundary(1e-9).error_below() == 0.0);
}

TEST_CASE("interim analyses come every 64 samples up to 64 000, then half as often for each doubling") {
  const RateBoundary boundary(0.02);
  CHECK(boundary.next_analysis(0) == 128);
  CHECK(boundary.next_analysis(127) == 128);
  CHECK(boundary.next_analysis(128) == 192);
  CHECK(boundary.next_analysis(63'999) == 64'000);
  CHECK(boundary.next_analysis(64'000) == 64'128);
  CHECK(boundary.next_analysis(127'999) == 128'000);
  CHECK(boundary.next_analysis(128'000) == 128'256);
  CHECK(boundary.decide(0, 150) == RateDecision::undecided);  // no analysis
  CHECK(boundary.decide(0, 64'064) == RateDecision::undecided);
  CHECK(boundary.decide(0, 64'128) == RateDecision::below);
}

TEST_CASE("past the horizon the error that is left is spent by Ville's bound") {
  const RateBoundary boundary(0.02);
  for (const std::int64_t n : {64'128, 128'256}) {
    std::int64_t k = static_cast<std::int64_t>(0.02 * static_cast<double>(n));
    while (boundary.decide(k, n) == RateDecision::undecided) --k;
    CHECK(fl::statistics::log_mixture_ratio(k, n, 0.02) >= std::log(1.0 / (0.05 * 0.025)));
    CHECK(fl::statistics::log_mixture_ratio(k + 1, n, 0.02) < std::log(1.0 / (0.05 * 0.025)));
    CHECK(boundary.interval(k, n).upper < 0.02);
    CHECK(boundary.interval(k + 1, n).contains(0.02));
  }
  // Both together stay within the error: exact, up to 200 000 samples.
  for (const double bound : {0.02, 0.1}) {
    const fl::statistics::RatePlan plan = fl::statistics::plan_rate_test(bound, bound, 200'000);
    CHECK(plan.below <= 0.025);
    CHECK(plan.above <= 0.025);
    CHECK(plan.below + plan.above > 0.95 * 0.05 * (1 - 1e-3));
  }
}

TEST_CASE("away from the bound wrong decisions only get rarer") {
  for (const double bound : {0.005, 0.02, 0.1, 0.5, 0.9}) {
    const RateBoundary boundary(bound);
    double last = boundary.error_below() * (1 + 1e-9);
    for (const double further : {1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5}) {
      const double error = fl::statistics::plan_rate_test(boundary, bound + further * (1.0 - bound), 64'000).below;
      INFO("bound " << bound << " + " << further);
      CHECK(error <= last);
      last = error;
    }
    last = boundary.error_above() * (1 + 1e-9);
    for (const double further : {1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5}) {
      const double error = fl::statistics::plan_rate_test(boundary, bound * (1.0 - further), 64'000).above;
      INFO("bound " << bound << " - " << further);
      CHECK(error <= last);
      last = error;
    }
  }
}

TEST_CASE("simulated runs over the whole horizon err as often as stated, on both sides of several bounds") {
  // 10 000 runs each, at the bound; limits that a right implementation leaves with probability 1e-6 each.
  for (const double bound : {0.005, 0.02, 0.5, 0.98}) {
    const RateBoundary boundary(bound);
    const Step step(bound);
    std::int64_t below = 0, above = 0;
    for (std::int64_t trial = 0; trial < 10'000; ++trial) {
      fl::core::CounterRandom random(23, fl::core::Stream::subsets, trial);
      std::int64_t k = step(random.uniform());
      RateDecision decision = RateDecision::undecided;
      for (std::int64_t n = 128; n <= boundary.horizon() && decision == RateDecision::undecided; n += 64) {
        k += step(random.uniform());
        decision = boundary.decide(k, n);
      }
      below += decision == RateDecision::below ? 1 : 0;
      above += decision == RateDecision::above ? 1 : 0;
    }
    INFO("bound " << bound << ": " << below << " below, " << above << " above");
    CHECK(below <= most_events(10'000, 0.025));
    CHECK(above <= most_events(10'000, 0.025));
    CHECK(below + above <= most_events(10'000, 0.05));
    CHECK(below >= fewest_events(10'000, 0.8 * 0.025));
    CHECK(above >= fewest_events(10'000, 0.8 * 0.025));
  }
}

TEST_CASE("what is shown agrees with what was decided, at every outcome") {
  const RateBoundary boundary(0.05, {.alpha_per_side = 0.05});
  for (const std::int64_t budget : {100, 128, 150, 640, 700}) {
    int decided = 0;
    enumerate_outcomes(boundary, 0.05, budget, [&](std::int64_t n, std::int64_t k, double mass) {
      if (mass < 1e-9) return;
      const fl::statistics::Interval limits = boundary.interval(k, n);
      const RateDecision decision = boundary.decide_at_end(k, n);
      INFO(k << " of " << n << ": " << limits.lower << " to " << limits.upper);
      CHECK(limits.lower <= limits.upper);
      CHECK((decision == RateDecision::below) == (limits.upper < 0.05));
      CHECK((decision == RateDecision::above) == (limits.lower > 0.05));
      decided += decision == RateDecision::undecided ? 0 : 1;
    });
    CHECK(decided > 0);  // before the first analysis, too: so many failures that nothing can save it
  }
  CHECK(boundary.interval(0, 0) == fl::statistics::Interval{0.0, 1.0});
  // Without an analysis before, the limits are those of a single one.
  const fl::statistics::Interval first = boundary.interval(9, 128);
  CHECK(first.lower == Approx(fl::statistics::clopper_pearson_lower(9, 128, 0.9525)).epsilon(1e-5));
  CHECK(first.upper == Approx(fl::statistics::clopper_pearson_upper(9, 128, 0.9525)).epsilon(1e-5));
  CHECK(boundary.interval(0, 100).lower == 0.0);
  CHECK(boundary.interval(100, 100).upper == 1.0);
}

TEST_CASE("limits shown when a run stops cover the true rate: exact, over all outcomes and a grid of rates") {
  for (const double bound : {0.02, 0.3}) {
    const double alpha = 0.05;
    const std::int64_t budget = 1'000;  // ends between two analyses
    const RateBoundary boundary(bound, {.alpha_per_side = alpha});
    std::vector<std::vector<fl::statistics::Interval>> shown;  // by analysis, then count; made when first asked for
    shown.resize(static_cast<std::size_t>(budget) + 1);
    const auto limits = [&](std::int64_t k, std::int64_t n) {
      auto& row = shown[static_cast<std::size_t>(n)];
      if (row.empty()) row.assign(static_cast<std::size_t>(n) + 1, {2.0, 2.0});
      auto& one = row[static_cast<std::size_t>(k)];
      if (one.lower == 2.0) one = boundary.interval(k, n);
      return one;
    };
    double most_low = 0.0, most_high = 0.0;
    for (const double factor : {0.05, 0.2, 0.4, 0.6, 0.75, 0.9, 0.97, 1.0, 1.03, 1.1, 1.25, 1.5, 2.0, 3.0}) {
      const double rate = bound * factor;
      double low = 0.0, high = 0.0;  // limits on the wrong side
      enumerate_outcomes(boundary, rate, budget, [&](std::int64_t n, std::int64_t k, double mass) {
        if (mass < 1e-10) return;
        low += limits(k, n).upper < rate ? mass : 0.0;
        high += limits(k, n).lower > rate ? mass : 0.0;
      });
      INFO("bound " << bound << " rate " << rate << ": " << low << " " << high);
      CHECK(low <= 0.95 * alpha + 1e-6);
      CHECK(high <= 0.95 * alpha + 1e-6);
      most_low = std::max(most_low, low);
      most_high = std::max(most_high, high);
    }
    CHECK(most_low > 0.5 * alpha);  // (counts are whole numbers)
    CHECK(most_high > 0.5 * alpha);
  }
}

TEST_CASE("the end of a budget between two analyses decides only what the next one is bound to say") {
  const RateBoundary boundary(0.2);
  int below = 0, above = 0;
  for (std::int64_t n = 129; n < 1'000; n += 7) {
    const std::int64_t interim = boundary.next_analysis(n - 1);
    for (std::int64_t k = 0; k <= n; ++k) {
      const RateDecision fewest = boundary.decide(k, interim), most = boundary.decide(k + interim - n, interim);
      const RateDecision now = boundary.decide_at_end(k, n);
      REQUIRE(now == (fewest == most ? fewest : RateDecision::undecided));
      below += now == RateDecision::below ? 1 : 0;
      above += now == RateDecision::above ? 1 : 0;
    }
  }
  CHECK(below > 0);
  CHECK(above > 0);
}

TEST_CASE("failures and successes are treated alike") {
  const RateBoundary fails(0.125), succeeds(0.875);
  for (std::int64_t n = 128; n <= 6'400; n += 64)
    for (std::int64_t k = 0; k <= n; ++k) {
      const RateDecision one = fails.decide(k, n), other = succeeds.decide(n - k, n);
      if ((one == RateDecision::below) != (other == RateDecision::above) ||
          (one == RateDecision::above) != (other == RateDecision::below))
        FAIL(k << " of " << n);
    }
  const fl::statistics::Interval limits = fails.interval(40, 512), mirror = succeeds.interval(472, 512);
  CHECK(limits.lower == Approx(1.0 - mirror.upper).epsilon(1e-5));
  CHECK(limits.upper == Approx(1.0 - mirror.lower).epsilon(1e-5));
}

TEST_CASE("boundaries refuse bounds, options and counts out of range") {
  for (const double bound : {0.0, 1.0, -0.1, std::nan("")}) CHECK_THROWS_AS(RateBoundary(bound), fl::Error);
  for (const double alpha : {0.0, 1.0, std::nan("")})
    CHECK_THROWS_AS(RateBoundary(0.1, {.alpha_per_side = alpha}), fl::Error);
  CHECK_THROWS_AS(RateBoundary(0.1, {.first_analysis = 0}), fl::Error);
  CHECK_THROWS_AS(RateBoundary(0.1, {.analysis_every = 0}), fl::Error);
  CHECK_THROWS_AS(RateBoundary(0.1).interval(3, 2), fl::Error);
  CHECK_THROWS_AS(RateBoundary(0.1).interval(-1, 2), fl::Error);
}
