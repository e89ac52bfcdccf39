// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How much of the deviance a term explains beyond the terms before it, on held-out samples (method.md: Conditions).

#include <faultline/statistics/interval.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// A share of the null deviance with what is known of it.
struct DevianceGain {
  double share = 0.0;  ///< negative where the larger model does worse
  double error = 0.0;  ///< standard error of the share
  Interval interval;
};

/// Gain of a larger model over a smaller one, as a share D² of the null deviance: Σ (d_small − d_large) / Σ d_null.
///
/// **Shapes**: deviances of the same N samples, `[N]` each: of the smaller, the larger and the null model, none of them
/// fitted to these samples. **Formula**: with r_i = d_small,i − d_large,i − D² d_null,i, error² = N / (N − 1) Σ r_i² /
/// (Σ d_null)²: delta method for a ratio of two means (Cochran 1977, section 6.4), classes ignored; interval D² ± z
/// error. **Error rate**: coverage of the 95 % interval tends to .95; see the tests for 200 samples.
/// **Throws** `shape_mismatch` when the lengths differ, `empty_input` for fewer than two samples, `invalid_argument`
/// for a deviance that is not finite or a confidence outside (0, 1), `degenerate_statistics` unless Σ d_null > 0.
/// Example: `DevianceGain blur = deviance_gain(without, with, intercepts);` is .62 (.60 to .64)
[[nodiscard]] DevianceGain deviance_gain(std::span<const double> small, std::span<const double> large,
                                         std::span<const double> null, double confidence = 0.95);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/deviance_gain_impl.hpp>
#endif
