// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/error.hpp>
#include <faultline/statistics/deviance_gain.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;

namespace {

struct Deviances {
  std::vector<double> small, large, null;
};

double deviance(double p, bool failed) { return -2.0 * (failed ? std::log(p) : std::log1p(-p)); }

/// Outcomes of a logistic model of two normal coordinates, and what three fixed rules say of them: the rate alone, the
/// first coordinate, both.
Deviances make_deviances(std::int64_t trial, int n) {
  fl::core::CounterRandom random(31, fl::core::Stream::permutations, trial);
  const auto rule = [](double eta) { return 1.0 / (1.0 + std::exp(-eta)); };
  Deviances d;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    const double z = random.normal();
    const bool failed = random.uniform() < rule(-1.5 + 1.2 * x + 0.8 * z);
    d.null.push_back(deviance(0.24, failed));
    d.small.push_back(deviance(rule(-1.4 + 1.1 * x), failed));
    d.large.push_back(deviance(rule(-1.5 + 1.2 * x + 0.8 * z), failed));
  }
  return d;
}

double share_of(const Deviances& d) {
  double gained = 0.0;
  double total = 0.0;
  for (std::size_t i = 0; i < d.null.size(); ++i) {
    gained += d.small[i] - d.large[i];
    total += d.null[i];
  }
  return gained / total;
}

}  // namespace

TEST_CASE("the standard error of a deviance gain is that of a bootstrap") {
  const Deviances d = make_deviances(0, 1500);
  const fl::statistics::DevianceGain gain = fl::statistics::deviance_gain(d.small, d.large, d.null);
  CHECK(gain.share == Approx(share_of(d)));
  constexpr int replicates = 2000;
  double sum = 0.0;
  double squares = 0.0;
  for (int b = 0; b < replicates; ++b) {
    fl::core::CounterRandom random(32, fl::core::Stream::permutations, b);
    Deviances drawn;
    for (std::size_t i = 0; i < d.null.size(); ++i) {
      const auto j = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(d.null.size())));
      drawn.null.push_back(d.null[j]);
      drawn.small.push_back(d.small[j]);
      drawn.large.push_back(d.large[j]);
    }
    const double share = share_of(drawn);
    sum += share;
    squares += share * share;
  }
  const double spread = std::sqrt((squares - sum * sum / replicates) / (replicates - 1));
  // The bootstrap's own error is 1 in sqrt(2 x 2000) = 1.6 %
  CHECK(gain.error == Approx(spread).epsilon(0.08));
  CHECK(gain.interval.lower == Approx(gain.share - 1.959964 * gain.error));
  CHECK(gain.interval.upper == Approx(gain.share + 1.959964 * gain.error));
}

TEST_CASE("the interval of a deviance gain covers the population's share") {
  const double truth = share_of(make_deviances(-1, 2'000'000));
  constexpr std::int64_t trials = 3'000;
  std::int64_t covered = 0;
  for (std::int64_t trial = 0; trial < trials; ++trial) {
    const Deviances d = make_deviances(trial + 1, 200);
    covered += fl::statistics::deviance_gain(d.small, d.large, d.null).interval.contains(truth) ? 1 : 0;
  }
  INFO(covered << " of " << trials << " around " << truth);
  CHECK(covered >= fewest_events(trials, 0.94));
  CHECK(covered <= most_events(trials, 0.96));
}

TEST_CASE("a deviance gain knows models that are equal, perfect and worse") {
  const std::vector<double> null = {1.0, 2.0, 3.0, 2.0};
  const std::vector<double> zero(4, 0.0);
  const fl::statistics::DevianceGain equal = fl::statistics::deviance_gain(null, null, null);
  CHECK(equal.share == 0.0);
  CHECK(equal.interval == fl::statistics::Interval{0.0, 0.0});
  const fl::statistics::DevianceGain perfect = fl::statistics::deviance_gain(null, zero, null);
  CHECK(perfect.share == 1.0);
  CHECK(perfect.error == 0.0);
  CHECK(fl::statistics::deviance_gain(zero, null, null).share == -1.0);
}

TEST_CASE("a deviance gain refuses what is no deviance") {
  const std::vector<double> two = {1.0, 2.0};
  const std::vector<double> three = {1.0, 2.0, 3.0};
  const std::vector<double> one = {1.0};
  const std::vector<double> zero = {0.0, 0.0};
  const std::vector<double> infinite = {1.0, std::numeric_limits<double>::infinity()};
  CHECK_THROWS_AS(fl::statistics::deviance_gain(two, three, two), fl::Error);
  CHECK_THROWS_AS(fl::statistics::deviance_gain(two, two, three), fl::Error);
  CHECK_THROWS_AS(fl::statistics::deviance_gain(one, one, one), fl::Error);
  CHECK_THROWS_AS(fl::statistics::deviance_gain(two, two, zero), fl::Error);
  CHECK_THROWS_AS(fl::statistics::deviance_gain(two, infinite, two), fl::Error);
  CHECK_THROWS_AS(fl::statistics::deviance_gain(two, two, two, 1.0), fl::Error);
}
