// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/difference.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;

namespace {

std::vector<double> log_factorials(std::int64_t n) {
  std::vector<double> values;
  for (std::int64_t i = 0; i <= n; ++i) values.push_back(std::lgamma(static_cast<double>(i) + 1.0));
  return values;
}

/// Lowest exact coverage of the one-sided bound over a grid of true rates of 1 and of −1, by enumeration of all
/// outcomes.
double lowest_effect_coverage(std::int64_t n, double confidence, const std::vector<double>& rates) {
  const auto lf = log_factorials(n);
  struct Outcome {
    double up, down, log_choose, bound;
  };
  std::vector<Outcome> outcomes;
  for (std::int64_t up = 0; up <= n; ++up) {
    for (std::int64_t down = 0; up + down <= n; ++down) {
      const double choose = lf[static_cast<std::size_t>(n)] - lf[static_cast<std::size_t>(up)] -
                            lf[static_cast<std::size_t>(down)] - lf[static_cast<std::size_t>(n - up - down)];
      outcomes.push_back({static_cast<double>(up), static_cast<double>(down), choose,
                          fl::statistics::effect_lower_bound(up, down, n, confidence)});
    }
  }
  double lowest = 1.0;
  for (const double plus : rates) {
    for (const double minus : rates) {
      if (plus + minus >= 1.0) continue;
      double missed = 0.0;
      for (const Outcome& o : outcomes) {
        if (o.bound <= plus - minus + 1e-12) continue;
        missed += std::exp(o.log_choose + o.up * std::log(plus) + o.down * std::log(minus) +
                           (static_cast<double>(n) - o.up - o.down) * std::log1p(-plus - minus));
      }
      lowest = std::min(lowest, 1.0 - missed);
    }
  }
  return lowest;
}

std::vector<double> geometric_rates(double factor) {
  std::vector<double> rates;
  for (double p = 0.001; p < 0.5; p *= factor) rates.push_back(p);
  for (double p = 0.5; p < 1.0; p += 0.047) rates.push_back(p);
  return rates;
}

}  // namespace

TEST_CASE("the lower bound of an intervention effect covers: exact enumeration over outcomes and true rates") {
  for (const std::int64_t n : {4, 8, 13, 16, 24, 32, 48, 64}) {
    INFO("n " << n);
    CHECK(lowest_effect_coverage(n, 0.95, geometric_rates(1.17)) >= 0.95);
  }
  CHECK(lowest_effect_coverage(128, 0.95, geometric_rates(1.6)) >= 0.95);
  CHECK(lowest_effect_coverage(32, 0.975, geometric_rates(1.3)) >= 0.975);
}

TEST_CASE("the lower bound of an intervention effect covers on a fine grid and for a large run", "[.slow]") {
  for (std::int64_t n = 3; n <= 128; n += 1 + n / 8) {
    INFO("n " << n);
    CHECK(lowest_effect_coverage(n, 0.95, geometric_rates(1.13)) >= 0.95);
  }
  CHECK(lowest_effect_coverage(512, 0.95, geometric_rates(1.3)) >= 0.95);
}

TEST_CASE("effect bounds are ordered, not wasteful, and know their ends") {
  // Near the normal bound, less one step
  CHECK(fl::statistics::effect_lower_bound(38, 6, 128) == Approx(0.25 - 1.645 * 0.0509 - 1.0 / 128.0).margin(0.01));
  for (std::int64_t up = 1; up <= 60; ++up)
    CHECK(fl::statistics::effect_lower_bound(up, 4, 64) > fl::statistics::effect_lower_bound(up - 1, 4, 64) - 1e-9);
  for (std::int64_t down = 1; down <= 30; ++down)
    CHECK(fl::statistics::effect_lower_bound(30, down, 64) <
          fl::statistics::effect_lower_bound(30, down - 1, 64) + 1e-9);
  CHECK(fl::statistics::effect_lower_bound(0, 0, 128) < 0.0);  // no outcome changed: nothing is claimed
  CHECK(fl::statistics::effect_lower_bound(0, 0, 0) == -1.0);
  CHECK(fl::statistics::effect_lower_bound(0, 128, 128) == -1.0);
  CHECK(fl::statistics::effect_lower_bound(128, 0, 128) > 0.9);
  const fl::statistics::Interval both = fl::statistics::effect_interval(20, 5, 100);
  const fl::statistics::Interval swapped = fl::statistics::effect_interval(5, 20, 100);
  CHECK(both.contains(0.15));
  CHECK(both.lower == Approx(-swapped.upper));
  CHECK_THROWS_AS(fl::statistics::effect_lower_bound(3, 3, 5), fl::Error);
  CHECK_THROWS_AS(fl::statistics::effect_lower_bound(-1, 3, 5), fl::Error);
  CHECK_THROWS_AS(fl::statistics::effect_lower_bound(1, 3, 5, 1.0), fl::Error);
}

TEST_CASE("Wilson and Newcombe intervals agree with worked numbers and stay near their confidence") {
  const fl::statistics::Interval rate = fl::statistics::wilson(81, 263);  // Newcombe 1998, table I: .2553 to .3662
  CHECK(rate.lower == Approx(0.2553).margin(5e-5));
  CHECK(rate.upper == Approx(0.3662).margin(5e-5));
  CHECK(fl::statistics::wilson(0, 20).lower == 0.0);
  CHECK(fl::statistics::wilson(20, 20).upper == 1.0);
  CHECK(fl::statistics::wilson(0, 0) == fl::statistics::Interval{0.0, 1.0});
  // Newcombe 1998, table II, method.md: Global and class-specific: .0524 to .3339
  const fl::statistics::Interval difference = fl::statistics::newcombe_difference(56, 70, 48, 80);
  CHECK(difference.lower == Approx(0.0524).margin(5e-5));
  CHECK(difference.upper == Approx(0.3339).margin(5e-5));
  CHECK(fl::statistics::newcombe_difference(0, 0, 3, 10) == fl::statistics::Interval{-1.0, 1.0});
  double lowest = 1.0;
  const auto lf = log_factorials(40);
  const auto mass = [&](std::int64_t k, std::int64_t n, double p) {
    return std::exp(lf[static_cast<std::size_t>(n)] - lf[static_cast<std::size_t>(k)] -
                    lf[static_cast<std::size_t>(n - k)] + static_cast<double>(k) * std::log(p) +
                    static_cast<double>(n - k) * std::log1p(-p));
  };
  for (double p1 = 0.03; p1 < 1.0; p1 += 0.094) {
    for (double p2 = 0.02; p2 < 1.0; p2 += 0.097) {
      double covered = 0.0;
      for (std::int64_t k1 = 0; k1 <= 40; ++k1) {
        for (std::int64_t k2 = 0; k2 <= 20; ++k2) {
          if (fl::statistics::newcombe_difference(k1, 40, k2, 20).contains(p1 - p2))
            covered += mass(k1, 40, p1) * mass(k2, 20, p2);
        }
      }
      lowest = std::min(lowest, covered);
    }
  }
  CHECK(lowest > 0.92);
  CHECK_THROWS_AS(fl::statistics::wilson(3, 2), fl::Error);
  CHECK_THROWS_AS(fl::statistics::newcombe_difference(3, 2, 1, 2), fl::Error);
}
