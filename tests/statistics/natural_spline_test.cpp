// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/natural_spline.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace st = faultline::statistics;

TEST_CASE("the spline basis is orthonormal under the standard normal, its first function the score itself") {
  double mean[4] = {}, product[4][4] = {};
  for (int i = -9000; i <= 9000; ++i) {
    const double x = 1e-3 * i;
    const double weight = 1e-3 * std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
    const auto row = st::natural_spline(x);
    CHECK(row[0] == Approx(x).margin(1e-9));
    for (std::size_t j = 0; j < 4; ++j) {
      mean[j] += weight * row[j];
      for (std::size_t k = 0; k < 4; ++k) product[j][k] += weight * row[j] * row[k];
    }
  }
  for (int j = 0; j < 4; ++j) {
    CHECK(std::abs(mean[j]) < 1e-6);
    for (int k = 0; k < 4; ++k) CHECK(product[j][k] == Approx(j == k ? 1.0 : 0.0).margin(1e-6));
  }
}

TEST_CASE("the second and fourth spline functions are even, the first and third odd, all straight at the ends") {
  for (const double x : {0.3, 0.9, 1.4, 2.2, 3.7}) {
    const auto right = st::natural_spline(x), left = st::natural_spline(-x);
    CHECK(right[0] == Approx(-left[0]));
    CHECK(right[1] == Approx(left[1]));
    CHECK(right[2] == Approx(-left[2]));
    CHECK(right[3] == Approx(left[3]));
  }
  const auto slope = st::natural_spline_slope(1.7);  // beyond the .95 quantile, 1.645
  for (const double x : {2.0, 3.0, 6.0}) {
    const auto here = st::natural_spline_slope(x);
    for (std::size_t j = 0; j < 4; ++j) CHECK(here[j] == Approx(slope[j]).margin(1e-9));
  }
}

TEST_CASE("slopes of the spline functions are their difference quotients") {
  for (const double x : {-2.0, -1.0, -0.31, 0.0, 0.47, 1.2, 1.9}) {
    const auto slope = st::natural_spline_slope(x);
    const auto ahead = st::natural_spline(x + 1e-5), behind = st::natural_spline(x - 1e-5);
    for (std::size_t j = 0; j < 4; ++j) CHECK((ahead[j] - behind[j]) / 2e-5 == Approx(slope[j]).margin(1e-6));
  }
}

TEST_CASE("spline columns of scores are refused where a score is not finite") {
  const std::vector<double> scores{0.5, -1.0};
  const auto columns = st::natural_spline_columns(scores);
  REQUIRE(columns.rows() == 2);
  REQUIRE(columns.cols() == st::spline_columns);
  for (std::size_t j = 0; j < 4; ++j) CHECK(columns(1, static_cast<std::int64_t>(j)) == st::natural_spline(-1.0)[j]);
  const std::vector<double> broken{0.5, std::numeric_limits<double>::infinity()};
  CHECK_THROWS_AS(st::natural_spline_columns(broken), faultline::Error);
}
