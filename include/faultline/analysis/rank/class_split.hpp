// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Global or class-specific (method section 10)? Rankings of style channels per class, and the split of an effect into
// what all classes share and what belongs to some.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/analysis/rank/style_moments.hpp>
#include <faultline/statistics/effect_split.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Splits the difference between failures and successes along one coordinate into a part common to all classes and a
/// class-specific one.
///
/// **Shapes**: values, labels, failed `[N]`. Classes with fewer than two failures or successes are left out; with fewer
/// than two classes left there is no share.
/// **Formula**: d_c = mean_MIS,c − mean_WELL,c with its Welch variance, weights ω_c of the strata, so that `common` is
/// the stratified difference; see `split_effects`.
/// **Error rate**: of `p` and of the interval as there; they describe, and are not corrected for the number of
/// directions.
/// **Throws** `shape_mismatch`, `label_out_of_range`; `invalid_argument` for values that are not finite.
/// **Randomness**: (seed, Stream::permutations, 2^52 + b), 999 replicates. **Cost**: N additions and 999 normal draws
/// per class.
/// Example: `ClassSplit split = split_by_class(coordinate(whitened, v), half.label, half.failed, strata, 7);
/// split.common_share`
[[nodiscard]] inline ClassSplit split_by_class(std::span<const double> values, std::span<const std::int64_t> labels,
                                               std::span<const std::uint8_t> failed, const statistics::Strata& strata,
                                               std::int64_t seed) {
  statistics::require_outcomes("split_by_class", static_cast<std::int64_t>(values.size()), labels, failed);
  for (const std::int64_t label : labels) statistics::require_label("split_by_class", label, strata.classes());
  const std::vector<std::int64_t> group = statistics::outcome_groups(labels, failed, strata);
  const statistics::GroupMeans means =
      statistics::group_means("split_by_class", core::as_vector(values), group, 2 * strata.classes());
  const Matrix<double> squares = statistics::within_squares(core::as_vector(values), group, means);

  ClassSplit split;
  std::vector<statistics::GroupEffect> effects;
  for (std::int64_t c = 0; c < strata.classes(); ++c) {
    if (!strata.uses(c)) continue;
    const auto at = static_cast<std::size_t>(c);
    // Variances of the means
    const std::int64_t failing = statistics::outcome_group(c, true), right = statistics::outcome_group(c, false);
    const auto m = static_cast<double>(strata.failures[at]), n = static_cast<double>(strata.successes[at]);
    const double a = squares(failing, 0) / (m * (m - 1.0)), b = squares(right, 0) / (n * (n - 1.0));
    const double difference = means.mean(failing, 0) - means.mean(right, 0);
    const double doubt = a * a / (m - 1.0) + b * b / (n - 1.0);
    effects.push_back({difference, a + b, doubt > 0.0 ? (a + b) * (a + b) / doubt : 1.0, strata.weights[at]});
    split.classes.push_back({c, strata.failures[at], strata.successes[at], difference, std::sqrt(a + b)});
  }
  if (effects.empty()) return split;
  const statistics::EffectSplit parts = statistics::split_effects(effects, {.seed = seed});
  split.common_share = parts.share;
  split.lower = parts.interval.lower;
  split.upper = parts.interval.upper;
  split.common = parts.common;
  split.specific = std::sqrt(std::max(0.0, parts.specific_square));
  split.q = parts.q;
  split.p = parts.p;
  return split;
}

/// Fills `class_split` of every row of the paper's table from the confirmation half, in units of the channel's
/// within-class deviation there. A channel that does not vary keeps an empty split.
///
/// **Cost**: moments of w, and the styles of the rows' channels alone.
inline void split_channels(const Problem& problem, std::vector<RankedChannel>& table) {
  const Population& half = problem.confirmation;
  const statistics::Strata strata = statistics::count_outcomes(half.label, half.failed, problem.classes);
  const auto sigma = style_moments(problem, half, strata).sigma_within;
  std::vector<std::int64_t> channels;
  for (const RankedChannel& row : table) channels.push_back(row.channel.flat);
  std::size_t next = 0;
  visit_channels(problem, half, channels, [&](std::int64_t channel, std::span<const double> values) {
    RankedChannel& row = table[next++];
    const double unit = sigma[static_cast<std::size_t>(channel)];
    if (!(unit > 0.0)) return;
    std::vector<double> scaled(values.begin(), values.end());
    for (double& value : scaled) value /= unit;
    row.class_split = split_by_class(scaled, half.label, half.failed, strata, problem.seed);
  });
}

/// The style channels that set failures of each class apart most.
///
/// **Returns** one ranking per class, ascending; a class with fewer than two failures or successes is listed as
/// skipped, with its counts.
/// **Formula**: d_k,c = a_k · (mean_MIS,c w − mean_WELL,c w) / σ_k, with σ_k pooled within all classes, so that classes
/// compare and the stratified score is the weighted mean of the d_k,c.
/// **Error rate**: none is controlled; the top of a class with few failures is mostly noise.
/// **Throws** `label_out_of_range`. **Cost**: moments of w and classes x D x d multiplications.
/// Example: `for (const ClassRanking& ranking : rank_per_class(problem, problem.discovery)) if (!ranking.skipped) ...`
[[nodiscard]] inline std::vector<ClassRanking> rank_per_class(const Problem& problem, const Population& population,
                                                              std::int64_t rows = 10) {
  const statistics::Strata strata = statistics::count_outcomes(population.label, population.failed, problem.classes);
  const auto sigma = style_moments(problem, population, strata).sigma_within;
  const std::vector<std::int64_t> group = statistics::outcome_groups(population.label, population.failed, strata);
  const statistics::GroupMeans means =
      statistics::group_means("rank_per_class", population.w, group, 2 * strata.classes());
  Matrix<double> difference(problem.classes, population.w.cols());
  for (std::int64_t c = 0; c < problem.classes; ++c)
    difference.row(c) =
        means.mean.row(statistics::outcome_group(c, true)) - means.mean.row(statistics::outcome_group(c, false));
  const Matrix<double> scores = difference * problem.style_matrix.transpose();  // [classes, D]
  std::vector<ClassRanking> rankings;
  for (std::int64_t c = 0; c < problem.classes; ++c) {
    const auto at = static_cast<std::size_t>(c);
    ClassRanking ranking{c, strata.failures[at], strata.successes[at], !strata.uses(c), {}};
    if (!ranking.skipped) {
      std::vector<double> effects(sigma.size());
      for (std::size_t k = 0; k < sigma.size(); ++k)
        effects[k] = ratio(scores(c, static_cast<std::int64_t>(k)), sigma[k]);
      for (const std::int64_t k : top_channels(effects, ChannelScore::NormalizedDifference, rows)) {
        const StyleChannel channel = problem.layout.locate(k);
        const double effect = effects[static_cast<std::size_t>(k)];
        ranking.top.push_back({channel, problem.layout.layers()[static_cast<std::size_t>(channel.layer)].name,
                               effect < 0.0 ? -1 : 1, effect});
      }
    }
    rankings.push_back(std::move(ranking));
  }
  return rankings;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
