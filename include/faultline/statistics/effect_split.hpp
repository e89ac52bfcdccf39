// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is an effect the same in every group, or does it belong to some? Splits the effects of independent groups into a
// common and a specific part, as meta-analysis does with studies.

#include <faultline/statistics/interval.hpp>

#include <cstdint>
#include <optional>
#include <span>

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
[[nodiscard]] EffectSplit split_effects(std::span<const GroupEffect> groups, const EffectSplitOptions& options = {});

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/effect_split_impl.hpp>
#endif
