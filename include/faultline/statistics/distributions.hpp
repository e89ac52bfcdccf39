// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The normal, the beta and the χ² distribution, from Boost.Math; a value out of range gives NaN or infinity.

#include <faultline/config.hpp>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Distribution function of Beta(a, b) at x, the regularised incomplete beta function I_x(a, b); 0 below 0, 1 above 1.
///
/// Relative error below 1e-12 for a + b up to 1e4, below 1e-9 up to 1e6 (tested). NaN unless a, b > 0.
[[nodiscard]] double beta_cdf(double a, double b, double x) noexcept;

/// The x with I_x(a, b) = p; 0 for p ≤ 0 and 1 for p ≥ 1.
[[nodiscard]] double beta_quantile(double a, double b, double p) noexcept;

/// Distribution function of the standard normal, accurate in both tails.
[[nodiscard]] double normal_cdf(double x) noexcept;

/// Upper tail 1 − Φ(x) of the standard normal without cancellation.
[[nodiscard]] double normal_upper_tail(double x) noexcept;

/// The x with Φ(x) = p: −∞ at 0, +∞ at 1, NaN outside; relative error below 1e-13 (tested from 1e-300 to 1 − 1e-15).
[[nodiscard]] double normal_quantile(double p) noexcept;

/// P(X > x) for X ~ χ² with `freedom` degrees of freedom, Q(freedom / 2, x / 2) (NIST DLMF 8.2.4); 1 for x ≤ 0.
[[nodiscard]] double chi_squared_upper_tail(double freedom, double x) noexcept;

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/distributions_impl.hpp>
#endif
