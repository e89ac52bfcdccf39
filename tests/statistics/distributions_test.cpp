// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/statistics/log_beta.hpp>
#include <faultline/statistics/distributions.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace fl = faultline;

namespace {

double relative_error(double value, double truth) { return std::abs(value - truth) / std::abs(truth); }

/// P(X >= k) for a binomial, added up in long double: the brute-force truth.
long double upper_tail(int k, int n, long double p) {
  long double sum = 0.0L;
  for (int j = k; j <= n; ++j) {
    sum += std::exp(std::lgamma(static_cast<long double>(n) + 1.0L) - std::lgamma(static_cast<long double>(j) + 1.0L) -
                    std::lgamma(static_cast<long double>(n - j) + 1.0L) + static_cast<long double>(j) * std::log(p) +
                    static_cast<long double>(n - j) * std::log1p(-p));
  }
  return sum;
}

}  // namespace

TEST_CASE("log_beta agrees with the C library and with exact values") {
  for (double a = 0.01; a < 2e6; a *= 1.37)
    for (const double b : {0.5, 3.0, 1234.0}) {
      const double first = std::lgamma(a), second = std::lgamma(b), both = std::lgamma(a + b);
      const double size = std::max({10.0, std::abs(first), std::abs(second), std::abs(both)});
      CHECK(std::abs(fl::statistics::log_beta(a, b) - (first + second - both)) <= 8e-15 * size);
    }
  CHECK(std::abs(fl::statistics::log_beta(0.5, 0.5) - std::log(std::numbers::pi)) < 1e-14);
  CHECK(std::abs(fl::statistics::log_beta(11.0, 1.0) + std::log(11.0)) < 1e-13);
  CHECK(std::isnan(fl::statistics::log_beta(0.0, 1.0)));
  CHECK(std::isnan(fl::statistics::log_beta(1.0, -1.5)));
}

TEST_CASE("beta_cdf agrees with binomial sums and closed forms") {
  for (const int n : {1, 2, 7, 50, 333, 2000}) {
    for (const double p : {1e-4, 0.02, 0.3, 0.5, 0.77, 0.999}) {
      for (int k = 1; k <= n; k += std::max(1, n / 13)) {
        const auto truth = static_cast<double>(upper_tail(k, n, p));
        if (truth < 1e-290) continue;
        INFO("n " << n << " k " << k << " p " << p);
        CHECK(std::abs(fl::statistics::beta_cdf(k, n - k + 1.0, p) - truth) <= 1e-11 * truth + 1e-15);
      }
    }
  }
  // I_x(1/2, 1/2) = 2/pi asin(sqrt x)
  for (const double x : {1e-9, 0.02, 0.4, 0.9})
    CHECK(relative_error(fl::statistics::beta_cdf(0.5, 0.5, x), 2.0 / std::numbers::pi * std::asin(std::sqrt(x))) <
          1e-13);
  // I_x(a, b) = 1 - I_{1-x}(b, a), also where both parameters are large
  CHECK(std::abs(fl::statistics::beta_cdf(4e5, 6e5, 0.4003) + fl::statistics::beta_cdf(6e5, 4e5, 1.0 - 0.4003) - 1.0) <
        1e-9);
  CHECK(fl::statistics::beta_cdf(2, 3, 0.0) == 0.0);
  CHECK(fl::statistics::beta_cdf(2, 3, 1.0) == 1.0);
  CHECK(std::isnan(fl::statistics::beta_cdf(0, 3, 0.5)));
  CHECK(std::isnan(fl::statistics::beta_cdf(2, 3, std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("beta_quantile inverts") {
  for (const double a : {0.5, 1.0, 3.0, 40.0, 9000.0}) {
    for (const double b : {0.5, 1.0, 7.0, 500.0, 20000.0}) {
      for (const double p : {1e-12, 0.0005, 0.025, 0.5, 0.975, 0.9999}) {
        const double x = fl::statistics::beta_quantile(a, b, p);
        INFO("a " << a << " b " << b << " p " << p << " x " << x);
        // Where the answer is next to 1 its last bit moves p by more than the tolerance.
        const double slack =
            1e-15 * std::exp((a - 1.0) * std::log(x) + (b - 1.0) * std::log1p(-x) - fl::statistics::log_beta(a, b));
        CHECK(std::abs(fl::statistics::beta_cdf(a, b, x) - p) <= 1e-10 * p + slack);
      }
    }
  }
  CHECK(fl::statistics::beta_quantile(2, 3, 0.0) == 0.0);
  CHECK(fl::statistics::beta_quantile(2, 3, 1.0) == 1.0);
}

TEST_CASE("normal quantile and distribution function are inverse to each other in both tails") {
  for (double p = 1e-300; p < 0.5; p *= 3.1) {
    CHECK(relative_error(fl::statistics::normal_cdf(fl::statistics::normal_quantile(p)), p) < 1e-11);
    if (p > 1e-15)
      CHECK(fl::statistics::normal_quantile(1.0 - p) ==
            Approx(-fl::statistics::normal_quantile(1.0 - (1.0 - p))).epsilon(1e-12));
  }
  CHECK(fl::statistics::normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-13));
  CHECK(fl::statistics::normal_quantile(0.95) == Approx(1.644853626951473).epsilon(1e-13));
  CHECK(fl::statistics::normal_quantile(0.5) == 0.0);
  CHECK(fl::statistics::normal_quantile(0.0) == -std::numeric_limits<double>::infinity());
  CHECK(fl::statistics::normal_quantile(1.0) == std::numeric_limits<double>::infinity());
  CHECK(std::isnan(fl::statistics::normal_quantile(-0.1)));
  CHECK(fl::statistics::normal_upper_tail(8.0) == Approx(6.220960574271785e-16).epsilon(1e-12));
}

TEST_CASE("the tail of the chi-squared distribution agrees with its closed forms") {
  for (const double x : {0.1, 1.0, 3.84, 20.0, 80.0}) {
    CHECK(fl::statistics::chi_squared_upper_tail(2.0, x) == Approx(std::exp(-0.5 * x)).epsilon(1e-12));
    CHECK(fl::statistics::chi_squared_upper_tail(4.0, x) ==
          Approx(std::exp(-0.5 * x) * (1.0 + 0.5 * x)).epsilon(1e-12));
    CHECK(fl::statistics::chi_squared_upper_tail(1.0, x) ==
          Approx(2.0 * fl::statistics::normal_upper_tail(std::sqrt(x))).epsilon(1e-10));
  }
  CHECK(fl::statistics::chi_squared_upper_tail(3.0, 0.0) == 1.0);
  CHECK(fl::statistics::chi_squared_upper_tail(3.0, -1.0) == 1.0);
  CHECK(std::isnan(fl::statistics::chi_squared_upper_tail(0.0, 1.0)));
}
