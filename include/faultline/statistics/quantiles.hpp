// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Quantiles of samples whose values may be infinite: distances to failure, where a latent that never fails counts as
// +∞.

#include <faultline/statistics/interval.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// The smallest value that at least a share `level` of the sample does not exceed (no interpolation, so it is a value
/// of the sample).
///
/// **Throws** `empty_input`; `invalid_argument` for NaN or a level outside [0, 1]. Infinite values are allowed.
[[nodiscard]] double quantile(std::span<const double> values, double level);

/// The middle value, or the mean of the two middle values: +∞ as soon as half of an even-sized sample is.
///
/// **Throws** `empty_input`; `invalid_argument` for NaN.
[[nodiscard]] double median(std::span<const double> values);

/// The smallest value such that the weights up to and including it reach a share `level` of all weights.
///
/// **Throws** `shape_mismatch`, `empty_input`; `invalid_argument` for NaN, a negative or infinite weight, or weights
/// that sum to zero.
[[nodiscard]] double weighted_quantile(std::span<const double> values, std::span<const double> weights, double level);

/// Share of the sample below `value`, equal values counted half: 0 .. 1.
///
/// **Throws** `empty_input`; `invalid_argument` for NaN.
[[nodiscard]] double percentile_of(double value, std::span<const double> values);

/// Interval for the population median from order statistics: covers it with at least `confidence` whatever the
/// distribution.
///
/// **Formula**: the l-th smallest and l-th largest value, l the largest with 2 P(X < l) ≤ 1 − confidence for X ~
/// Binomial(n, ½) (Thompson 1936); (−∞, ∞) when n is too small.
/// **Throws** `empty_input`; `invalid_argument` for NaN or a bad confidence.
[[nodiscard]] Interval median_interval(std::span<const double> values, double confidence = 0.95);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/quantiles_impl.hpp>
#endif
