// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/core/random.hpp>
#include <faultline/statistics/multiplicity.hpp>
#include <faultline/statistics/distributions.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace fl = faultline;

namespace {

/// Holm by its step-down rule at one level: the definition, not the adjusted values.
std::vector<bool> holm_rejects(const std::vector<double>& p, double alpha) {
  std::vector<bool> rejected(p.size(), false);
  for (std::size_t step = 0; step < p.size(); ++step) {
    std::size_t best = p.size();
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (!rejected[i] && (best == p.size() || p[i] < p[best])) best = i;
    }
    if (p[best] * static_cast<double>(p.size() - step) > alpha) break;
    rejected[best] = true;
  }
  return rejected;
}

/// Benjamini-Hochberg by its step-up rule at one level.
std::vector<bool> bh_rejects(const std::vector<double>& p, double q) {
  std::vector<double> sorted = p;
  std::sort(sorted.begin(), sorted.end());
  double critical_value = -1.0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] * static_cast<double>(sorted.size()) <= q * static_cast<double>(i + 1)) critical_value = sorted[i];
  }
  std::vector<bool> rejected;
  for (const double value : p) rejected.push_back(value <= critical_value);
  return rejected;
}

}  // namespace

TEST_CASE("adjusted p-values reject exactly what the step rules reject, with ties and in any order") {
  for (std::int64_t trial = 0; trial < 300; ++trial) {
    fl::core::CounterRandom random(5, fl::core::Stream::subsets, trial);
    std::vector<double> p;
    const std::int64_t m = 1 + random.below(12);
    for (std::int64_t i = 0; i < m; ++i)
      p.push_back(static_cast<double>(random.below(40)) / 400.0 * random.uniform() *
                  (random.below(2) == 1 ? 1.0 : 0.1));
    if (m > 3) p[2] = p[0];
    const auto by_holm = fl::statistics::holm(p);
    const auto by_bh = fl::statistics::benjamini_hochberg(p);
    for (const double level : {0.01, 0.0473, 0.2}) {
      const auto holm_truth = holm_rejects(p, level);
      const auto bh_truth = bh_rejects(p, level);
      for (std::size_t i = 0; i < p.size(); ++i) {
        CHECK((by_holm[i] <= level) == holm_truth[i]);
        CHECK((by_bh[i] <= level) == bh_truth[i]);
      }
    }
    for (std::size_t i = 0; i < p.size(); ++i) {
      CHECK(by_bh[i] <= by_holm[i] * (1.0 + 1e-15));
      CHECK(by_bh[i] >= p[i]);
    }
  }
}

TEST_CASE("adjusted p-values of worked examples") {
  const auto by_holm = fl::statistics::holm(std::vector<double>{0.01, 0.04, 0.03});
  CHECK(by_holm[0] == Approx(0.03));
  CHECK(by_holm[1] == Approx(0.06));
  CHECK(by_holm[2] == Approx(0.06));
  const auto by_bh = fl::statistics::benjamini_hochberg(std::vector<double>{0.01, 0.04, 0.03});
  CHECK(by_bh[0] == Approx(0.03));
  CHECK(by_bh[1] == Approx(0.04));
  CHECK(by_bh[2] == Approx(0.04));
  CHECK(fl::statistics::holm(std::vector<double>{}).empty());
  CHECK(fl::statistics::benjamini_hochberg(std::vector<double>{}).empty());
  CHECK(fl::statistics::holm(std::vector<double>{0.6, 0.9})[1] == 1.0);
}

TEST_CASE("the false-discovery rate is held, with nothing to find and with something") {
  // 2 000 runs of 20 independent tests at q = .1. With nothing to find the rate is the chance of any rejection, exactly
  // q; with 5 real effects among 20 it is q * 15 / 20 (Benjamini and Yekutieli 2001, theorem 5.1). False-fail rate of
  // each bound: 1e-6, for the mean share by its standard deviation of at most .25 / sqrt(2000).
  std::int64_t any = 0;
  double share = 0.0;
  double found = 0.0;
  for (std::int64_t trial = 0; trial < 2000; ++trial) {
    fl::core::CounterRandom random(6, fl::core::Stream::subsets, trial);
    std::vector<double> null;
    for (int i = 0; i < 20; ++i) null.push_back(random.uniform());
    const auto adjusted = fl::statistics::benjamini_hochberg(null);
    any += *std::min_element(adjusted.begin(), adjusted.end()) <= 0.1 ? 1 : 0;

    std::vector<double> mixed = null;
    for (std::size_t i = 0; i < 5; ++i) mixed[i] = fl::statistics::normal_upper_tail(random.normal() + 3.0);
    const auto q = fl::statistics::benjamini_hochberg(mixed);
    double right = 0.0;
    double wrong = 0.0;
    for (std::size_t i = 0; i < 20; ++i) (i < 5 ? right : wrong) += q[i] <= 0.1 ? 1.0 : 0.0;
    share += wrong / std::max(1.0, right + wrong) / 2000.0;
    found += right / 5.0 / 2000.0;
  }
  CHECK(any <= faultline_test::most_events(2000, 0.1));
  CHECK(any >= faultline_test::fewest_events(2000, 0.1));
  CHECK(std::abs(share - 0.075) < 4.9 * 0.25 / std::sqrt(2000.0));
  CHECK(found > 0.7);  // effects of three standard errors are mostly found
}

TEST_CASE("adjusting refuses what is no p-value") {
  CHECK_THROWS_AS(fl::statistics::holm(std::vector<double>{0.1, -0.1}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::benjamini_hochberg(std::vector<double>{1.1}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::holm(std::vector<double>{std::numeric_limits<double>::quiet_NaN()}), fl::Error);
}
