// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/effect_split.hpp.

#include <faultline/statistics/effect_split.hpp>

#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/pooled_effect.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

struct SplitMoments {
  double mean = 0.0;
  double common_square = 0.0;
  double specific_square = 0.0;
  double spread = 0.0;  ///< weighted variance of the effects as measured

  [[nodiscard]] std::optional<double> share() const noexcept {
    const double common = std::max(0.0, common_square), specific = std::max(0.0, specific_square);
    return common + specific > 0.0 ? std::optional(common / (common + specific)) : std::nullopt;
  }
};

/// E(mean²) = δ̄² + Σ π² v and E(spread) = Σ π (δ − δ̄)² + Σ π (1 − π) v, with π the weights scaled to sum 1: both are
/// unbiased once the noise v is taken off.
[[nodiscard]] inline SplitMoments split_moments(std::span<const double> effects, std::span<const GroupEffect> groups,
                                                double total_weight) {
  SplitMoments m;
  double mean_noise = 0.0, spread_noise = 0.0;
  std::vector<double> shares;
  for (const GroupEffect& group : groups) {
    const double share = shares.emplace_back(group.weight / total_weight);
    mean_noise += share * share * group.variance;
    spread_noise += share * (1.0 - share) * group.variance;
  }
  const PooledEffect pooled = pool_effects(effects, shares);
  m.mean = pooled.mean;
  m.spread = pooled.scatter;
  m.common_square = m.mean * m.mean - mean_noise;
  m.specific_square = m.spread - spread_noise;
  return m;
}

/// Cochran's Q with weights 1 / variance, and its p-value by Welch's approximate F, which allows for the variances
/// being estimates. Groups without variance are left out.
inline void test_equal_effects(std::span<const GroupEffect> groups, EffectSplit& split) {
  std::vector<double> effects, precisions;
  for (const GroupEffect& g : groups) {
    if (!(g.variance > 0.0)) continue;
    effects.push_back(g.effect);
    precisions.push_back(1.0 / g.variance);
  }
  const auto count = static_cast<double>(effects.size());
  if (count < 2.0) return;
  const PooledEffect pooled = pool_effects(effects, precisions);
  split.q = pooled.scatter;
  double lambda = 0.0;
  for (const GroupEffect& g : groups) {
    if (!(g.variance > 0.0)) continue;
    const double rest = 1.0 - 1.0 / (g.variance * pooled.weight);
    lambda += rest * rest / g.freedom;
  }
  const double squares = count * count - 1.0;
  const double f = split.q / (count - 1.0) / (1.0 + 2.0 * (count - 2.0) / squares * lambda);
  const double upper = std::min(squares / (3.0 * lambda), 1e6);  // by then F is χ² to six digits
  split.p = beta_cdf(0.5 * upper, 0.5 * (count - 1.0), upper / (upper + (count - 1.0) * f));
}

}  // namespace detail

FAULTLINE_INLINE EffectSplit split_effects(std::span<const GroupEffect> groups, const EffectSplitOptions& options) {
  constexpr const char* where = "split_effects";
  if (groups.empty()) throw Error(ErrorCode::empty_input, where, "expected at least one group");
  core::require_in(where, "replicates", options.replicates, 1, limits::permutations);
  core::require_between(where, "confidence", options.confidence, 0.0, 1.0);
  std::vector<double> effects;
  double total = 0.0;
  for (const GroupEffect& g : groups) {
    if (!std::isfinite(g.effect) || !(g.variance >= 0.0 && std::isfinite(g.variance)) ||
        !(g.weight > 0.0 && std::isfinite(g.weight)) || !(g.freedom > 0.0))
      throw Error(
          ErrorCode::invalid_argument, where,
          "expected finite effects, variances that are not negative, and positive weights and degrees of freedom");
    effects.push_back(g.effect);
    total += g.weight;
  }
  const detail::SplitMoments m = detail::split_moments(effects, groups, total);
  EffectSplit split{m.mean, m.common_square, m.specific_square, groups.size() > 1 ? m.share() : std::nullopt, {}, 0.0,
                    1.0};
  detail::test_equal_effects(groups, split);

  const double common = std::copysign(std::sqrt(std::max(0.0, m.common_square)), m.mean);
  const double scale = m.spread > 0.0 ? std::sqrt(std::max(0.0, m.specific_square) / m.spread) : 0.0;
  std::vector<double> shares;
  std::vector<double> drawn(groups.size());
  for (std::int64_t b = 0; b < options.replicates; ++b) {
    core::CounterRandom random(options.seed, core::Stream::permutations, options.first + b);
    for (std::size_t c = 0; c < groups.size(); ++c)
      drawn[c] = common + scale * (effects[c] - m.mean) + std::sqrt(groups[c].variance) * random.normal();
    if (const auto share = detail::split_moments(drawn, groups, total).share()) shares.push_back(*share);
  }
  const double tail = 0.5 * (1.0 - options.confidence);
  if (split.share && !shares.empty())
    split.interval = {std::min(*split.share, quantile(shares, tail)),
                      std::max(*split.share, quantile(shares, 1.0 - tail))};
  return split;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
