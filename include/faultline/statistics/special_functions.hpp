// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The four special functions the statistics need. Boost.Math has them too, but costs every test file more than two
// seconds to compile; these cost nothing.

#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>

namespace faultline {
inline namespace v1 {

/// log Γ(x) for x > 0, to about 1e-15 relative; thread-safe, unlike std::lgamma, which writes a global sign.
///
/// Formula: Stirling's series after raising x above 16 by Γ(x+1) = xΓ(x) (NIST DLMF 5.11.1 and 5.5.1).
[[nodiscard]] inline double log_gamma(double x) noexcept {
  if (!(x > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  double product = 1.0;
  while (x < 16.0) product *= x++;
  const double r = 1.0 / (x * x);
  const double series =
      (1.0 / 12.0 -
       r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r * (1.0 / 1188.0 - r * 691.0 / 360360.0))))) /
      x;
  return (x - 0.5) * std::log(x) - x + 0.5 * std::log(2.0 * std::numbers::pi) + series - std::log(product);
}

/// log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b), for a, b > 0.
[[nodiscard]] inline double log_beta(double a, double b) noexcept {
  return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

namespace detail {

/// The continued fraction of I_x(a, b), by the modified Lentz algorithm (NIST DLMF 8.17.22, 3.10(iii)); converges fast
/// for x below the mean.
[[nodiscard]] inline double incomplete_beta_fraction(double a, double b, double x) noexcept {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double c = 1.0;
  double value = d;
  for (int m = 1; m < 100000; ++m) {
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / away_from_zero(1.0 + even * d);
    c = away_from_zero(1.0 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / away_from_zero(1.0 + odd * d);
    c = away_from_zero(1.0 + odd / c);
    value *= d * c;
    if (std::abs(d * c - 1.0) < 1e-15) break;
  }
  return value;
}

}  // namespace detail

/// Regularised incomplete beta function I_x(a, b): the distribution function of Beta(a, b) at x.
///
/// Relative error below 1e-12 for a + b up to 1e4, below 1e-9 up to 1e6 (tested). Returns NaN unless a, b > 0.
/// **Cost**: O(√(a + b)) multiplications.
[[nodiscard]] inline double incomplete_beta(double a, double b, double x) noexcept {
  if (!(a > 0.0) || !(b > 0.0) || std::isnan(x)) return std::numeric_limits<double>::quiet_NaN();
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  const double front = std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta(a, b));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * detail::incomplete_beta_fraction(a, b, x) / a;
  return 1.0 - front * detail::incomplete_beta_fraction(b, a, 1.0 - x) / b;
}

/// The x with I_x(a, b) = p, by Newton steps kept inside a shrinking bracket.
///
/// Returns 0 for p ≤ 0 and 1 for p ≥ 1. **Cost**: about ten evaluations of `incomplete_beta`.
[[nodiscard]] inline double incomplete_beta_inverse(double a, double b, double p) noexcept {
  if (p <= 0.0) return 0.0;
  if (p >= 1.0) return 1.0;
  const double scale = log_beta(a, b);
  double low = 0.0;
  double high = 1.0;
  double x = a / (a + b);
  for (int i = 0; i < 200; ++i) {
    const double error = incomplete_beta(a, b, x) - p;
    (error < 0.0 ? low : high) = x;
    if (high - low <= 1e-15 * high) break;
    const double density = std::exp((a - 1.0) * std::log(x) + (b - 1.0) * std::log1p(-x) - scale);
    double next = x - error / density;
    // Far from the root Newton overshoots; the geometric mean halves the exponent where the root may be tiny.
    if (!(next > low && next < high)) next = low > 0.0 ? 0.5 * (low + high) : 0.1 * high;
    if (std::abs(next - x) <= 1e-15 * x) return next;
    x = next;
  }
  return x;
}

/// Distribution function of the standard normal, accurate in both tails.
[[nodiscard]] inline double normal_cdf(double x) noexcept { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// Upper tail 1 − Φ(x) of the standard normal without cancellation.
[[nodiscard]] inline double normal_upper_tail(double x) noexcept { return 0.5 * std::erfc(x / std::numbers::sqrt2); }

/// The x with Φ(x) = p: −∞ at 0, +∞ at 1, NaN outside; relative error below 1e-13 (tested from 1e-300 to 1 − 1e-15).
///
/// Formula: √(2 log 1/q) as a start, then Newton's method on log Φ, which is concave, so that it converges from there
/// for every tail probability q.
[[nodiscard]] inline double normal_quantile(double p) noexcept {
  if (!(p >= 0.0 && p <= 1.0)) return std::numeric_limits<double>::quiet_NaN();
  if (p == 0.0) return -std::numeric_limits<double>::infinity();
  if (p == 1.0) return std::numeric_limits<double>::infinity();
  if (p == 0.5) return 0.0;
  const double tail = std::min(p, 1.0 - p);
  const double target = std::log(tail);
  double x = -std::sqrt(-2.0 * target);
  for (int i = 0; i < 60; ++i) {
    const double mass = normal_cdf(x);
    const double density = std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
    const double step = (std::log(mass) - target) * mass / density;
    x -= step;
    if (std::abs(step) <= 1e-15 * (1.0 + std::abs(x))) break;
  }
  return p < 0.5 ? x : -x;
}

}  // namespace v1
}  // namespace faultline
