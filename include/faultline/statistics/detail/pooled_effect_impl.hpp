// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/pooled_effect.hpp.

#include <faultline/statistics/pooled_effect.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE PooledEffect pool_effects(std::span<const double> effects, std::span<const double> weights) {
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

FAULTLINE_INLINE RandomEffects random_effects(std::span<const double> effects, std::span<const double> variances) {
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
