// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/rank/class_split.hpp.

#include <faultline/analysis/rank/class_split.hpp>

#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/analysis/rank/style_moments.hpp>
#include <faultline/statistics/effect_split.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE ClassSplit split_by_class(std::span<const double> values, std::span<const std::int64_t> labels,
                                           std::span<const std::uint8_t> failed, const statistics::Strata& strata,
                                           std::int64_t seed) {
  statistics::require_outcomes("split_by_class", static_cast<std::int64_t>(values.size()), labels, failed);
  for (const std::int64_t label : labels) statistics::require_label("split_by_class", label, strata.classes());
  const std::vector<std::int64_t> group = statistics::outcome_groups(labels, failed, strata);
  Matrix<double> column(static_cast<std::int64_t>(values.size()), 1);
  std::ranges::copy(values, column.values().begin());
  const statistics::GroupMeans means = statistics::group_means("split_by_class", column, group, 2 * strata.classes());
  const Matrix<double> squares = statistics::within_squares(column, group, means);

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

FAULTLINE_INLINE void split_channels(const Problem& problem, std::vector<RankedChannel>& table) {
  const Population& population = problem.confirmation;
  const statistics::Strata strata = statistics::count_outcomes(population.label, population.failed, problem.classes);
  const auto sigma = style_moments(problem, population, strata).sigma_within;
  std::vector<std::int64_t> channels;
  for (const RankedChannel& row : table) channels.push_back(row.channel.flat);
  std::size_t next = 0;
  visit_channels(problem, population, channels, [&](std::int64_t channel, std::span<const double> values) {
    RankedChannel& row = table[next++];
    const double unit = sigma[static_cast<std::size_t>(channel)];
    if (!(unit > 0.0)) return;
    std::vector<double> scaled(values.begin(), values.end());
    for (double& value : scaled) value /= unit;
    row.class_split = split_by_class(scaled, population.label, population.failed, strata, problem.seed);
  });
}

FAULTLINE_INLINE std::vector<ClassRanking> rank_per_class(const Problem& problem, const Population& population,
                                                          std::int64_t rows) {
  const statistics::Strata strata = statistics::count_outcomes(population.label, population.failed, problem.classes);
  const auto sigma = style_moments(problem, population, strata).sigma_within;
  const std::vector<std::int64_t> group = statistics::outcome_groups(population.label, population.failed, strata);
  const statistics::GroupMeans means =
      statistics::group_means("rank_per_class", population.w, group, 2 * strata.classes());
  Matrix<double> difference(problem.classes, population.w.cols());
  for (std::int64_t c = 0; c < problem.classes; ++c)
    core::as_vector(difference.row_span(c)) = core::as_vector(means.mean.row_span(statistics::outcome_group(c, true))) -
                                              core::as_vector(means.mean.row_span(statistics::outcome_group(c, false)));
  const Matrix<double> scores =
      statistics::detail::product_transposed(difference, problem.style_matrix);  // [classes, D]
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
