// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/bootstrap.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <limits>

namespace fl = faultline;
using namespace faultline_test;

TEST_CASE("bootstrap intervals of a mean agree with the normal interval and cover as stated") {
  std::int64_t covered = 0;
  double width = 0.0;
  for (std::int64_t trial = 0; trial < 500; ++trial) {
    fl::core::CounterRandom random(31, fl::core::Stream::subsets, trial);
    std::vector<double> values;
    for (int i = 0; i < 50; ++i) values.push_back(-std::log(random.uniform()));  // exponential: mean 1, skewed
    const auto mean = [&](std::span<const std::int64_t> units) {
      double sum = 0.0;
      for (const std::int64_t unit : units) sum += values[static_cast<std::size_t>(unit)];
      return sum / static_cast<double>(units.size());
    };
    const fl::statistics::Interval interval =
        fl::statistics::bootstrap_interval(50, mean, {.replicates = 199, .seed = trial});
    covered += interval.contains(1.0) ? 1 : 0;
    width += interval.width() / 500.0;
  }
  CHECK(covered >= fewest_events(500, 0.92));
  CHECK(covered <= most_events(500, 0.96));
  CHECK(width == Approx(2.0 * 1.96 / std::sqrt(50.0)).epsilon(0.1));
}

TEST_CASE("bootstrap is reproducible, allows infinities and refuses nothing and NaN") {
  const auto first = [](std::span<const std::int64_t> units) { return static_cast<double>(units[0]); };
  CHECK(fl::statistics::bootstrap_interval(10, first, {.seed = 3}) ==
        fl::statistics::bootstrap_interval(10, first, {.seed = 3}));
  const auto infinite = [](std::span<const std::int64_t>) { return std::numeric_limits<double>::infinity(); };
  CHECK(std::isinf(fl::statistics::bootstrap_interval(10, infinite).lower));
  CHECK_THROWS_AS(fl::statistics::bootstrap_interval(0, first), fl::Error);
  CHECK_THROWS_AS(fl::statistics::bootstrap_interval(10, first, {.replicates = 0}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::bootstrap_interval(10, first, {.confidence = 1.0}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::bootstrap_interval(
                      10, [](std::span<const std::int64_t>) { return std::numeric_limits<double>::quiet_NaN(); }),
                  fl::Error);
}
