// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/quantiles.hpp.

#include <faultline/statistics/quantiles.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

inline void require_values(const char* where, std::span<const double> values) {
  if (values.empty()) throw Error(ErrorCode::empty_input, where, "expected at least one value");
  for (const double value : values) {
    if (std::isnan(value))
      throw Error(ErrorCode::invalid_argument, where, "expected values that can be ordered, got NaN");
  }
}

}  // namespace detail

FAULTLINE_INLINE double quantile(std::span<const double> values, double level) {
  detail::require_values("quantile", values);
  if (!(level >= 0.0 && level <= 1.0))
    throw Error(ErrorCode::invalid_argument, "quantile", "expected a level in [0, 1], got " + std::to_string(level));
  std::vector<double> sorted(values.begin(), values.end());
  const double position = std::ceil(level * static_cast<double>(sorted.size()) - 1e-9);
  const auto k = static_cast<std::size_t>(std::clamp(position - 1.0, 0.0, static_cast<double>(sorted.size() - 1)));
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(k), sorted.end());
  return sorted[k];
}

FAULTLINE_INLINE double median(std::span<const double> values) {
  detail::require_values("median", values);
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double low = sorted[(sorted.size() - 1) / 2];
  const double high = sorted[sorted.size() / 2];
  return low == high ? low : low + (high - low) / 2.0;
}

FAULTLINE_INLINE double weighted_quantile(std::span<const double> values, std::span<const double> weights,
                                          double level) {
  constexpr const char* where = "weighted_quantile";
  detail::require_values(where, values);
  if (values.size() != weights.size()) throw Error(ErrorCode::shape_mismatch, where, "expected one weight per value");
  if (!(level >= 0.0 && level <= 1.0))
    throw Error(ErrorCode::invalid_argument, where, "expected a level in [0, 1], got " + std::to_string(level));
  double total = 0.0;
  for (const double weight : weights) {
    if (!(weight >= 0.0) || std::isinf(weight))
      throw Error(ErrorCode::invalid_argument, where, "expected finite weights that are not negative");
    total += weight;
  }
  if (!(total > 0.0)) throw Error(ErrorCode::invalid_argument, where, "expected weights with a positive sum");
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  double reached = 0.0;
  double last = values[order.front()];
  for (const std::size_t i : order) {
    if (weights[i] == 0.0) continue;
    reached += weights[i];
    last = values[i];
    if (reached >= level * total * (1.0 - 1e-12)) break;
  }
  return last;
}

FAULTLINE_INLINE double percentile_of(double value, std::span<const double> values) {
  detail::require_values("percentile_of", values);
  if (std::isnan(value))
    throw Error(ErrorCode::invalid_argument, "percentile_of", "expected a value that can be ordered, got NaN");
  double below = 0.0;
  for (const double other : values) below += other < value ? 1.0 : other == value ? 0.5 : 0.0;
  return below / static_cast<double>(values.size());
}

FAULTLINE_INLINE Interval median_interval(std::span<const double> values, double confidence) {
  detail::require_values("median_interval", values);
  detail::require_confidence("median_interval", confidence);
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<std::int64_t>(sorted.size());
  std::int64_t l = 0;
  while (2 * (l + 1) <= n + 1 && 2.0 * binomial_lower_tail(l, n, 0.5) <= 1.0 - confidence) ++l;
  if (l == 0) return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  return {sorted[static_cast<std::size_t>(l - 1)], sorted[static_cast<std::size_t>(n - l)]};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
