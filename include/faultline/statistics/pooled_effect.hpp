// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Effects of independent groups taken together: their weighted mean, and how far they lie apart beyond sampling noise.

#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

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
[[nodiscard]] inline PooledEffect pool_effects(std::span<const double> effects, std::span<const double> weights) {
  if (effects.size() != weights.size())
    throw Error(ErrorCode::shape_mismatch, "pool_effects", "expected one weight per effect");
  PooledEffect pooled;
  for (std::size_t c = 0; c < effects.size(); ++c) {
    pooled.weight += weights[c];
    pooled.mean += weights[c] * effects[c];
  }
  if (!(pooled.weight > 0.0)) return {};
  pooled.mean /= pooled.weight;
  for (std::size_t c = 0; c < effects.size(); ++c)
    pooled.scatter += weights[c] * (effects[c] - pooled.mean) * (effects[c] - pooled.mean);
  return pooled;
}

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
[[nodiscard]] inline RandomEffects random_effects(std::span<const double> effects, std::span<const double> variances) {
  if (effects.size() != variances.size())
    throw Error(ErrorCode::shape_mismatch, "random_effects", "expected one variance per effect");
  const auto weights_beside = [&](double between) {
    std::vector<double> weights;
    for (const double variance : variances) weights.push_back(1.0 / (variance + between));
    return weights;
  };
  const std::vector<double> weights = weights_beside(0.0);
  const PooledEffect fixed = pool_effects(effects, weights);
  double squared = 0.0;
  for (const double weight : weights) squared += weight * weight;
  if (effects.empty()) return {};
  const double rest = fixed.weight - squared / fixed.weight;
  const double between =
      rest > 0.0 ? std::max(0.0, (fixed.scatter - (static_cast<double>(effects.size()) - 1.0)) / rest) : 0.0;
  const PooledEffect pooled = pool_effects(effects, weights_beside(between));
  return {pooled.mean, 1.0 / std::sqrt(pooled.weight), std::sqrt(between)};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
