// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is an effect the same in every group, or does it belong to some? Splits the effects of independent groups into a
// common and a specific part, as meta-analysis does with studies.

#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/interval.hpp>
#include <faultline/statistics/pooled_effect.hpp>
#include <faultline/statistics/quantiles.hpp>
#include <faultline/statistics/distributions.hpp>

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

/// The effect measured in one group.
struct GroupEffect {
  double effect = 0.0;
  double variance = 0.0;  ///< of the measured effect: its squared standard error, unbiased
  /// Degrees of freedom of that variance (Welch and Satterthwaite for a difference of two means)
  double freedom = 1e6;
  double weight = 1.0;  ///< precision as far as it is known without looking at the values
};

/// How much of the effects is common to all groups.
struct EffectSplit {
  double common = 0.0;  ///< weighted mean of the effects
  /// Its square, sampling noise removed; negative when it is below what noise alone gives
  double common_square = 0.0;
  /// Weighted variance of the effects around it, sampling noise removed; likewise
  double specific_square = 0.0;
  /// Common / (common + specific), of the squares, negative ones counted as 0; empty when both are 0, and for a single
  /// group
  std::optional<double> share = std::nullopt;
  Interval interval;  ///< of the share
  double q = 0.0;     ///< Cochran's Q
  double p = 1.0;     ///< of equal effects in all groups
};

struct EffectSplitOptions {
  std::int64_t replicates = 999;
  double confidence = 0.95;
  std::int64_t seed = 0;
  std::int64_t first = std::int64_t{1} << 52;  ///< address of the first replicate among the permutation draws
};

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

/// Splits the effects of independent groups into a part common to all and a part specific to some.
///
/// **Formula**: with weights π_c that sum to 1, Σ π δ_c² = δ̄² + Σ π (δ_c − δ̄)²: what is common and what is specific,
/// squared. Both are estimated by moments, measured value minus expected sampling noise (the general method of moments
/// for any fixed weights, DerSimonian and Kacker 2007, here for the groups at hand and not for a population that they
/// were drawn from). share = common / (common + specific): 1 when all groups have the same effect, π_c when group c
/// alone has one, 0 when effects cancel. Q = Σ (d_c − d̄)² / v_c (Cochran 1954), its p-value from Welch's F (1951),
/// which tends to χ² with groups − 1 degrees of freedom as the variances become exact. The interval is a parametric
/// bootstrap: effects scaled so that they have the estimated moments, plus normal noise of the measured variances,
/// percentiles of the share.
/// **Error rate**: p ≤ .05 occurs in 4 to 6 % of null runs when every group has ten values a side, in at most 10 % with
/// only two; a 95 % interval covers in at least 92 % (simulated in the tests).
/// **Throws** `empty_input` without groups; `invalid_argument` for a weight or degree of freedom that is not positive,
/// a negative variance, anything not finite, or options out of range.
/// **Randomness**: (seed, Stream::permutations, first + b). **Cost**: replicates x groups normal draws.
/// Example: `EffectSplit split = split_effects(groups, {.seed = 7}); if (split.share && split.interval.lower > 0.5)
/// ...`
[[nodiscard]] inline EffectSplit split_effects(std::span<const GroupEffect> groups,
                                               const EffectSplitOptions& options = {}) {
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
