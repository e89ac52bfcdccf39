// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A smooth curve through one standard normal score: the shape that a property's effect on the failure rate may take
// (method.md: Conditions).

#include <faultline/core/matrix.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Columns of `natural_spline`.
inline constexpr std::int64_t spline_columns = 4;

/// Values of the basis at one score.
using SplineRow = std::array<double, static_cast<std::size_t>(spline_columns)>;

/// Basis of the natural cubic splines without constant, knots at the .05, .275, .5, .725 and .95 quantiles of the
/// standard normal.
///
/// Linear beyond the outer knots, so that a few extreme samples do not bend it. The four functions are orthogonal with
/// mean 0 and variance 1 under the standard normal; the first is the score itself, the third is odd as well, the second
/// and the fourth are even.
/// **Formula**: Hastie, Tibshirani and Friedman 2009, section 5.2.1, made orthonormal by Gram and Schmidt.
[[nodiscard]] SplineRow natural_spline(double score) noexcept;

/// The basis at many scores: `[N]` -> `[N, 4]`. **Throws** `invalid_argument` for a score that is not finite.
[[nodiscard]] Matrix<double> natural_spline_columns(std::span<const double> scores);

/// Derivative of the basis functions at one score.
[[nodiscard]] SplineRow natural_spline_slope(double score) noexcept;

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/natural_spline_impl.hpp>
#endif
