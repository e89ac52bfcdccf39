// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/difference.hpp.

#include <faultline/statistics/difference.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

/// Score statistic of a mean of values −1, 0, 1 against `mean`, with the sum given apart from the counts; infinite
/// where the hypothesis leaves no variance.
[[nodiscard]] inline double effect_score(double up, double down, double n, double sum, double mean) noexcept {
  // The likelihood under P(1) − P(−1) = mean is largest at this P(−1): the positive root of 2 n q² + ((2n − up + down)
  // mean − up − down) q − down · mean (1 − mean).
  const double linear = (2.0 * n - up + down) * mean - up - down;
  const double root = std::sqrt(std::max(0.0, linear * linear + 8.0 * n * down * mean * (1.0 - mean)));
  const double q = std::max({0.0, -mean, (root - linear) / (4.0 * n)});
  return studentise(sum - n * mean, n * (2.0 * q + mean * (1.0 - mean)));
}

}  // namespace detail

FAULTLINE_INLINE double effect_lower_bound(std::int64_t up, std::int64_t down, std::int64_t n, double confidence) {
  constexpr const char* where = "effect_lower_bound";
  detail::require_confidence(where, confidence);
  if (up < 0 || down < 0 || up + down > n) {
    throw Error(ErrorCode::invalid_argument, where,
                "expected counts of at least 0 that sum to at most " + std::to_string(n) + ", got " +
                    std::to_string(up) + " and " + std::to_string(down));
  }
  if (n == 0) return -1.0;
  const double critical_value = normal_quantile(confidence);
  const auto a = static_cast<double>(up);
  const auto b = static_cast<double>(down);
  const auto count = static_cast<double>(n);
  const double sum = a - b - 1.0;
  double low = -1.0;  // excluded by the score, or the end of the range
  double high = sum / count;
  for (int i = 0; i < 60 && high > low; ++i) {
    const double middle = 0.5 * (low + high);
    (detail::effect_score(a, b, count, sum, middle) > critical_value ? low : high) = middle;
  }
  return low < -0.5 ? -1.0 : low;
}

FAULTLINE_INLINE Interval effect_interval(std::int64_t up, std::int64_t down, std::int64_t n, double confidence) {
  detail::require_confidence("effect_interval", confidence);
  const double side = 0.5 * (1.0 + confidence);
  return {effect_lower_bound(up, down, n, side), -effect_lower_bound(down, up, n, side)};
}

FAULTLINE_INLINE Interval wilson(std::int64_t k, std::int64_t n, double confidence) {
  detail::require_counts("wilson", k, n);
  detail::require_confidence("wilson", confidence);
  if (n == 0) return {};
  const double z = normal_quantile(0.5 * (1.0 + confidence));
  const auto count = static_cast<double>(n);
  const double p = static_cast<double>(k) / count;
  const double centre = p + z * z / (2.0 * count);
  const double spread = z * std::sqrt(p * (1.0 - p) / count + z * z / (4.0 * count * count));
  const double scale = 1.0 + z * z / count;
  return {k == 0 ? 0.0 : std::max(0.0, (centre - spread) / scale),
          k == n ? 1.0 : std::min(1.0, (centre + spread) / scale)};
}

FAULTLINE_INLINE Interval newcombe_difference(std::int64_t k1, std::int64_t n1, std::int64_t k2, std::int64_t n2,
                                              double confidence) {
  const Interval first = wilson(k1, n1, confidence);
  const Interval second = wilson(k2, n2, confidence);
  if (n1 == 0 || n2 == 0) return {-1.0, 1.0};
  const double p1 = static_cast<double>(k1) / static_cast<double>(n1);
  const double p2 = static_cast<double>(k2) / static_cast<double>(n2);
  return {p1 - p2 - std::hypot(p1 - first.lower, second.upper - p2),
          p1 - p2 + std::hypot(first.upper - p1, p2 - second.lower)};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
