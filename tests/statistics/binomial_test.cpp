// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/error.hpp>
#include <faultline/statistics/log_beta.hpp>
#include <faultline/statistics/binomial.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fl = faultline;

namespace {

/// Lowest exact coverage over rates, by enumeration of every outcome. Coverage is a step function times a smooth one:
/// it is lowest right beside an interval limit, so the rates looked at are the limits themselves, just inside and just
/// outside, and a regular grid.
struct Coverage {
  double two_sided = 1.0, lower = 1.0, upper = 1.0;
  std::int64_t cells = 0;
};

Coverage lowest_coverage(std::int64_t n, double confidence, int grid) {
  std::vector<fl::statistics::Interval> both;
  std::vector<double> lower;
  std::vector<double> upper;
  std::vector<double> log_choose;
  std::vector<double> rates;
  for (std::int64_t k = 0; k <= n; ++k) {
    both.push_back(fl::statistics::clopper_pearson(k, n, confidence));
    lower.push_back(fl::statistics::clopper_pearson_lower(k, n, confidence));
    upper.push_back(fl::statistics::clopper_pearson_upper(k, n, confidence));
    log_choose.push_back(-fl::statistics::log_beta(static_cast<double>(k) + 1.0, static_cast<double>(n - k) + 1.0) -
                         std::log(static_cast<double>(n) + 1.0));
    for (const double limit : {both.back().lower, both.back().upper}) {
      if (grid == 0 && limit > 0.0 && limit < 1.0) {
        rates.push_back(limit * (1.0 - 1e-9));
        rates.push_back(limit + (1.0 - limit) * 1e-9);
      }
    }
  }
  for (int g = 1; g < grid; ++g) rates.push_back(static_cast<double>(g) / grid);
  Coverage worst;
  for (const double p : rates) {
    double covered = 0.0;
    double above_lower = 0.0;
    double below_upper = 0.0;
    for (std::int64_t k = 0; k <= n; ++k) {
      const auto i = static_cast<std::size_t>(k);
      if (p < lower[i] && p > upper[i]) continue;
      const double mass =
          std::exp(log_choose[i] + static_cast<double>(k) * std::log(p) + static_cast<double>(n - k) * std::log1p(-p));
      if (both[i].contains(p)) covered += mass;
      if (lower[i] <= p) above_lower += mass;
      if (p <= upper[i]) below_upper += mass;
    }
    worst.two_sided = std::min(worst.two_sided, covered);
    worst.lower = std::min(worst.lower, above_lower);
    worst.upper = std::min(worst.upper, below_upper);
    ++worst.cells;
  }
  return worst;
}

}  // namespace

TEST_CASE("Clopper-Pearson limits cover at every rate: exact enumeration, no simulation") {
  std::int64_t cells = 0;
  for (std::int64_t n = 1; n <= 120; n += n < 30 ? 1 : 9) {
    for (const double confidence : {0.8, 0.95, 0.99}) {
      for (const int grid : {0, 101}) {
        const Coverage worst = lowest_coverage(n, confidence, grid);
        cells += worst.cells;
        INFO("n " << n << " confidence " << confidence);
        CHECK(worst.two_sided >= confidence - 1e-9);
        CHECK(worst.lower >= confidence - 1e-9);
        CHECK(worst.upper >= confidence - 1e-9);
      }
    }
  }
  CHECK(cells > 20000);
}

TEST_CASE("Clopper-Pearson limits cover in a million cells", "[.slow]") {
  std::int64_t cells = 0;
  double lowest = 1.0;
  for (std::int64_t n = 1; n <= 1000; ++n) {
    const Coverage worst = lowest_coverage(n, 0.95, 1001);
    cells += worst.cells;
    lowest = std::min(lowest, worst.two_sided);
    REQUIRE(worst.two_sided >= 0.95 - 1e-9);
    REQUIRE(worst.lower >= 0.95 - 1e-9);
    REQUIRE(worst.upper >= 0.95 - 1e-9);
  }
  CHECK(cells == 1000000);
  CHECK(lowest < 0.96);  // exact, but not needlessly wide
}

TEST_CASE("Clopper-Pearson limits solve their defining equations and know the closed forms") {
  const fl::statistics::Interval none = fl::statistics::clopper_pearson(0, 100);
  CHECK(none.lower == 0.0);
  CHECK(none.upper == Approx(1.0 - std::pow(0.025, 0.01)).epsilon(1e-12));
  const fl::statistics::Interval all = fl::statistics::clopper_pearson(100, 100);
  CHECK(all.lower == Approx(std::pow(0.025, 0.01)).epsilon(1e-12));
  CHECK(all.upper == 1.0);
  CHECK(fl::statistics::clopper_pearson(0, 0) == fl::statistics::Interval{0.0, 1.0});
  const fl::statistics::Interval some = fl::statistics::clopper_pearson(17, 1000);
  CHECK(fl::statistics::binomial_upper_tail(17, 1000, some.lower) == Approx(0.025).epsilon(1e-9));
  CHECK(fl::statistics::binomial_lower_tail(17, 1000, some.upper) == Approx(0.025).epsilon(1e-9));
  CHECK(fl::statistics::binomial_lower_tail(16, 1000, 0.02) + fl::statistics::binomial_upper_tail(17, 1000, 0.02) ==
        Approx(1.0).epsilon(1e-12));
}

TEST_CASE("exact McNemar test equals the binomial sum and keeps its level") {
  CHECK(fl::statistics::mcnemar_exact(0, 0) == 1.0);
  CHECK(fl::statistics::mcnemar_exact(5, 5) == 1.0);
  CHECK(fl::statistics::mcnemar_exact(0, 6) == Approx(2.0 / 64.0));
  CHECK(fl::statistics::mcnemar_exact(6, 0) == fl::statistics::mcnemar_exact(0, 6));
  CHECK(fl::statistics::mcnemar_exact(1, 9) == Approx(2.0 * 11.0 / 1024.0));
  for (std::int64_t n = 1; n <= 60; ++n) {
    double rejected = 0.0;
    for (std::int64_t k = 0; k <= n; ++k) {
      if (fl::statistics::mcnemar_exact(k, n - k) <= 0.05)
        rejected += fl::statistics::binomial_upper_tail(k, n, 0.5) - fl::statistics::binomial_upper_tail(k + 1, n, 0.5);
    }
    CHECK(rejected <= 0.05 + 1e-12);
  }
}

TEST_CASE("binomial functions refuse impossible counts and confidences") {
  CHECK_THROWS_AS(fl::statistics::clopper_pearson(-1, 10), fl::Error);
  CHECK_THROWS_AS(fl::statistics::clopper_pearson(11, 10), fl::Error);
  CHECK_THROWS_AS(fl::statistics::clopper_pearson(1, 10, 1.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::clopper_pearson_lower(1, 10, 0.0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::clopper_pearson_upper(1, -1), fl::Error);
  CHECK_THROWS_AS(fl::statistics::mcnemar_exact(-1, 3), fl::Error);
}
