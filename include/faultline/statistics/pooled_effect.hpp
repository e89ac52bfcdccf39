// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Effects of independent groups taken together: their weighted mean, and how far they lie apart beyond sampling noise.

#include <faultline/config.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Weighted mean of effects, and their weighted scatter around it.
struct PooledEffect {
  double weight = 0.0;   ///< Σ ω
  double mean = 0.0;     ///< Σ ω d / Σ ω; 0 without weight
  double scatter = 0.0;  ///< Σ ω (d − mean)²: Cochran's Q where ω is 1 / variance
};

/// **Shapes**: effects and weights `[groups]`; **throws** `shape_mismatch` when they differ in length.
[[nodiscard]] PooledEffect pool_effects(std::span<const double> effects, std::span<const double> weights);

/// Mean and standard deviation of the true effects of groups that are themselves a sample.
struct RandomEffects {
  double mean = 0.0;
  double error = 0.0;      ///< standard error of the mean
  double deviation = 0.0;  ///< τ, of the true effects around it
};

/// Random-effects model, moment estimate: τ² = max(0, Q − (k − 1)) / (Σ ω − Σ ω² / Σ ω) with ω = 1 / variance, then the
/// mean with weights 1 / (variance + τ²) (DerSimonian and Laird 1986).
///
/// **Shapes**: effects `[k]`, variances `[k]` of their sampling noise, positive. **Throws** `shape_mismatch`. No
/// groups give zeros.
[[nodiscard]] RandomEffects random_effects(std::span<const double> effects, std::span<const double> variances);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/pooled_effect_impl.hpp>
#endif
