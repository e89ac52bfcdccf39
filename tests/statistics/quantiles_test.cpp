// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/quantiles.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <limits>

namespace fl = faultline;
using namespace faultline_test;

namespace {
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
}  // namespace

TEST_CASE("quantiles are values of the sample and infinities order like numbers") {
  const std::vector<double> values{3, inf, 1, 2};
  CHECK(fl::statistics::quantile(values, 0.0) == 1.0);
  CHECK(fl::statistics::quantile(values, 0.25) == 1.0);
  CHECK(fl::statistics::quantile(values, 0.26) == 2.0);
  CHECK(fl::statistics::quantile(values, 0.75) == 3.0);
  CHECK(fl::statistics::quantile(values, 0.76) == inf);
  CHECK(fl::statistics::median(values) == 2.5);
  CHECK(fl::statistics::median(std::vector<double>{1, inf}) == inf);
  CHECK(fl::statistics::median(std::vector<double>{inf, inf}) == inf);
  CHECK(fl::statistics::median(std::vector<double>{-inf, -inf, 4}) == -inf);
  CHECK(fl::statistics::median(std::vector<double>{5, 1, 3}) == 3.0);
  std::vector<double> placebo;
  for (int i = 1; i <= 32; ++i) placebo.push_back(i);
  CHECK(fl::statistics::quantile(placebo, 0.95) == 31.0);
}

TEST_CASE("weighted quantiles agree with repeated values") {
  const std::vector<double> values{5, 1, inf, 3};
  const std::vector<double> weights{2, 1, 1, 0};
  const std::vector<double> repeated{5, 5, 1, inf};
  for (const double level : {0.0, 0.2, 0.25, 0.5, 0.75, 0.8, 1.0})
    CHECK(fl::statistics::weighted_quantile(values, weights, level) == fl::statistics::quantile(repeated, level));
}

TEST_CASE("the percentile of a value counts equal values half") {
  const std::vector<double> values{1, 2, 2, 4};
  CHECK(fl::statistics::percentile_of(2, values) == 0.5);
  CHECK(fl::statistics::percentile_of(0, values) == 0.0);
  CHECK(fl::statistics::percentile_of(inf, values) == 1.0);
}

TEST_CASE("median intervals cover for continuous and for infinite values") {
  for (std::int64_t n = 1; n <= 200; ++n) {
    std::vector<double> values;
    for (std::int64_t i = 1; i <= n; ++i) values.push_back(static_cast<double>(i));
    const fl::statistics::Interval interval = fl::statistics::median_interval(values);
    if (n < 6) {
      CHECK(interval.lower == -inf);
      continue;
    }
    // Value i is the i-th smallest; the interval misses when fewer than lower, or at least upper, of the sample lie
    // below the median.
    const auto l = static_cast<std::int64_t>(interval.lower);
    CHECK(interval.upper == static_cast<double>(n + 1 - l));
    CHECK(1.0 - 2.0 * fl::statistics::binomial_lower_tail(l - 1, n, 0.5) >= 0.95);
    CHECK(1.0 - 2.0 * fl::statistics::binomial_lower_tail(l, n, 0.5) < 0.95);  // and no narrower one does
  }
  std::vector<double> mostly_infinite(20, inf);
  mostly_infinite[0] = 1.0;
  CHECK(fl::statistics::median_interval(mostly_infinite).upper == inf);
}

TEST_CASE("quantiles refuse nothing, NaN and impossible levels") {
  CHECK_THROWS_AS(fl::statistics::median(std::vector<double>{}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::quantile(std::vector<double>{1, nan_value}, 0.5), fl::Error);
  CHECK_THROWS_AS(fl::statistics::quantile(std::vector<double>{1}, 1.5), fl::Error);
  CHECK_THROWS_AS(fl::statistics::weighted_quantile(std::vector<double>{1}, std::vector<double>{1, 2}, 0.5), fl::Error);
  CHECK_THROWS_AS(fl::statistics::weighted_quantile(std::vector<double>{1}, std::vector<double>{-1}, 0.5), fl::Error);
  CHECK_THROWS_AS(fl::statistics::weighted_quantile(std::vector<double>{1}, std::vector<double>{0}, 0.5), fl::Error);
  CHECK_THROWS_AS(fl::statistics::weighted_quantile(std::vector<double>{1}, std::vector<double>{1}, -0.5), fl::Error);
  CHECK_THROWS_AS(fl::statistics::percentile_of(nan_value, std::vector<double>{1}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::median_interval(std::vector<double>{}), fl::Error);
}
