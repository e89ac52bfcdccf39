// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/simultaneous_rates.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fl = faultline;

namespace {

double binomial_mass(std::int64_t k, std::int64_t n, double rate) {
  return fl::statistics::binomial_upper_tail(k, n, rate) - fl::statistics::binomial_upper_tail(k + 1, n, rate);
}

/// Probability that all intervals contain their rate, by enumeration of every joint outcome.
double joint_coverage(const std::vector<std::int64_t>& trials, const std::vector<double>& rates, double confidence) {
  std::vector<std::int64_t> failures(trials.size(), 0);
  double covered = 0.0;
  while (true) {
    const auto intervals = fl::statistics::simultaneous_rates(failures, trials, confidence);
    double mass = 1.0;
    bool all = true;
    for (std::size_t c = 0; c < trials.size(); ++c) {
      mass *= binomial_mass(failures[c], trials[c], rates[c]);
      all = all && intervals[c].contains(rates[c]);
    }
    covered += all ? mass : 0.0;
    std::size_t c = 0;
    while (c < trials.size() && failures[c] == trials[c]) failures[c++] = 0;
    if (c == trials.size()) return covered;
    ++failures[c];
  }
}

}  // namespace

TEST_CASE("simultaneous rates hold together: enumeration of all joint outcomes") {
  const std::vector<double> rates = {0.02, 0.31, 0.5, 0.87};
  double lowest = 1.0;
  for (const double confidence : {0.8, 0.95}) {
    for (const double a : rates) {
      for (const double b : rates) {
        for (const double c : rates) {
          const double covered = joint_coverage({3, 6, 5}, {a, b, c}, confidence);
          INFO(a << " " << b << " " << c);
          CHECK(covered >= confidence - 1e-9);
          if (confidence == 0.8) lowest = std::min(lowest, covered);
        }
      }
    }
  }
  CHECK(lowest < 0.95);  // not needlessly wide
  // The worst rates lie just inside the limits of one class; with many samples there, coverage comes near what is asked
  const auto limits =
      fl::statistics::simultaneous_rates(std::vector<std::int64_t>{12, 12}, std::vector<std::int64_t>{30, 30}, 0.9);
  const double worst = joint_coverage({30, 30}, {limits[0].lower * (1.0 - 1e-9), limits[1].lower * (1.0 - 1e-9)}, 0.9);
  CHECK(worst >= 0.9 - 1e-9);
  CHECK(worst < 0.96);
}

TEST_CASE("simultaneous rates of one class are Clopper and Pearson's, and narrower than Bonferroni's of several") {
  const std::vector<std::int64_t> failures = {3, 0, 40, 7};
  const std::vector<std::int64_t> trials = {20, 50, 40, 900};
  CHECK(fl::statistics::simultaneous_rates(std::vector<std::int64_t>{3}, std::vector<std::int64_t>{20}, 0.9)[0] ==
        fl::statistics::clopper_pearson(3, 20, 0.9));
  const auto all = fl::statistics::simultaneous_rates(failures, trials, 0.95);
  for (std::size_t c = 0; c < failures.size(); ++c) {
    const fl::statistics::Interval alone = fl::statistics::clopper_pearson(failures[c], trials[c], 0.95);
    const fl::statistics::Interval bonferroni = fl::statistics::clopper_pearson(failures[c], trials[c], 1.0 - 0.05 / 4);
    CHECK(all[c].width() > alone.width());
    CHECK(all[c].width() < bonferroni.width());
  }
}

TEST_CASE("a class without samples may have any rate and costs the others nothing") {
  const auto with = fl::statistics::simultaneous_rates(std::vector<std::int64_t>{3, 0, 5},
                                                       std::vector<std::int64_t>{20, 0, 60}, 0.95);
  const auto without =
      fl::statistics::simultaneous_rates(std::vector<std::int64_t>{3, 5}, std::vector<std::int64_t>{20, 60}, 0.95);
  REQUIRE(with.size() == 3);
  CHECK(with[0] == without[0]);
  CHECK(with[1] == fl::statistics::Interval{0.0, 1.0});
  CHECK(with[2] == without[1]);
  CHECK(fl::statistics::simultaneous_rates({}, {}).empty());
}

TEST_CASE("simultaneous rates refuse impossible counts") {
  const std::vector<std::int64_t> one = {1};
  const std::vector<std::int64_t> two = {1, 2};
  const std::vector<std::int64_t> negative = {-1};
  CHECK_THROWS_AS(fl::statistics::simultaneous_rates(one, two), fl::Error);
  CHECK_THROWS_AS(fl::statistics::simultaneous_rates(two, std::vector<std::int64_t>{1, 1}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::simultaneous_rates(negative, one), fl::Error);
  CHECK_THROWS_AS(fl::statistics::simultaneous_rates(one, one, 0.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::simultaneous_rates({}, {}, 1.0), fl::Error);
}
