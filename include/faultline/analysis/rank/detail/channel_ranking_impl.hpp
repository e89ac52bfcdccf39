// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/rank/channel_ranking.hpp.

#include <faultline/analysis/rank/channel_ranking.hpp>

#include <faultline/analysis/rank/detail/distribution_distance.hpp>
#include <faultline/statistics/rank.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double ratio(double numerator, double denominator) noexcept {
  return denominator > 0.0 ? numerator / denominator : 0.0;
}

FAULTLINE_INLINE std::vector<double> gradient_scores(const Problem& problem, const Population& population,
                                                     std::span<const double> sigma_total, std::int64_t count) {
  if (!problem.gradient_sum || population.size() == 0) return {};
  count = std::min(count, population.size());
  Matrix<float> w(count, population.w.cols());
  std::copy_n(population.w.values().begin(), w.values().size(), w.values().begin());
  std::vector<double> scores =
      problem.gradient_sum(w, std::span(population.label).first(static_cast<std::size_t>(count)));
  for (std::size_t k = 0; k < scores.size(); ++k) scores[k] *= -sigma_total[k] / static_cast<double>(count);
  return scores;
}

FAULTLINE_INLINE std::vector<RankedChannel> ranked_rows(const Problem& problem, const Population& population,
                                                        const statistics::Strata& strata, const StyleMoments& moments,
                                                        std::span<const std::int64_t> channels,
                                                        std::span<const double> by, std::span<const double> gradient) {
  std::vector<RankedChannel> table;
  visit_channels(problem, population, channels, [&](std::int64_t channel, std::span<const double> values) {
    const auto k = static_cast<std::size_t>(channel);
    RankedChannel row;
    row.channel = problem.layout.locate(channel);
    row.layer_name = problem.layout.layers()[static_cast<std::size_t>(row.channel.layer)].name;
    row.sign = by[k] < 0.0 ? -1 : 1;
    row.normalized_difference = ratio(moments.pooled_difference[k], moments.sigma_total[k]);
    row.stratified = ratio(moments.stratified_difference[k], moments.sigma_within[k]);
    row.auc = statistics::stratified_auc(values, population.label, population.failed, strata).auc;
    row.gradient = gradient.empty() ? 0.0 : gradient[k];
    row.sigma_total = moments.sigma_total[k];
    row.sigma_within = moments.sigma_within[k];
    table.push_back(std::move(row));
  });
  return table;
}

FAULTLINE_INLINE std::vector<double> channel_scores(const Problem& problem, const Population& population,
                                                    ChannelScore score) {
  const statistics::Strata strata = statistics::count_outcomes(population.label, population.failed, problem.classes);
  const auto dimension = static_cast<std::size_t>(problem.style_matrix.rows());
  std::vector<double> scores(dimension, score == ChannelScore::RankAuc ? 0.5 : 0.0);
  const auto quotients = [&](const std::vector<double>& numerator, const std::vector<double>& denominator) {
    for (std::size_t k = 0; k < dimension; ++k) scores[k] = ratio(numerator[k], denominator[k]);
  };
  if (score == ChannelScore::RankAuc || score == ChannelScore::KolmogorovSmirnov ||
      score == ChannelScore::Wasserstein) {
    const auto sigma = style_moments(problem, population, strata).sigma_within;
    std::vector<std::int64_t> all(dimension);
    std::iota(all.begin(), all.end(), std::int64_t{0});
    visit_channels(problem, population, all, [&](std::int64_t channel, std::span<const double> values) {
      const auto k = static_cast<std::size_t>(channel);
      if (!(sigma[k] > 0.0)) return;
      if (score == ChannelScore::RankAuc)
        scores[k] = statistics::stratified_auc(values, population.label, population.failed, strata).auc;
      else {
        const auto distances = detail::stratified_distances(values, population.label, population.failed, strata);
        scores[k] =
            score == ChannelScore::KolmogorovSmirnov ? distances.kolmogorov_smirnov : distances.wasserstein / sigma[k];
      }
    });
    return scores;
  }
  const StyleMoments moments = style_moments(problem, population, strata);
  switch (score) {
    case ChannelScore::NormalizedDifferencePooled: quotients(moments.pooled_difference, moments.sigma_total); break;
    case ChannelScore::StyleSpaceTheta: quotients(moments.pooled_difference, moments.sigma_failures); break;
    case ChannelScore::Gradient: {
      scores = gradient_scores(problem, population, moments.sigma_total, population.size());
      if (scores.empty())
        throw Error(ErrorCode::invalid_argument, "channel_scores",
                    "Gradient needs a generator with pullback and a classifier with probability_gradient");
      break;
    }
    default: quotients(moments.stratified_difference, moments.sigma_within); break;
  }
  return scores;
}

FAULTLINE_INLINE std::vector<std::int64_t> top_channels(std::span<const double> scores, ChannelScore score,
                                                        std::int64_t count) {
  const double neutral = score == ChannelScore::RankAuc ? 0.5 : 0.0;
  std::vector<std::int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto strength = [&](std::int64_t k) { return std::abs(scores[static_cast<std::size_t>(k)] - neutral); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return strength(a) > strength(b); });
  order.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, static_cast<std::int64_t>(order.size()))));
  return order;
}

FAULTLINE_INLINE std::vector<RankedChannel> paper_table(const Problem& problem, const Population& population,
                                                        std::int64_t rows, std::int64_t gradients) {
  const statistics::Strata strata = statistics::count_outcomes(population.label, population.failed, problem.classes);
  const StyleMoments moments = style_moments(problem, population, strata);
  const auto dimension = static_cast<std::size_t>(problem.style_matrix.rows());
  std::vector<double> pooled(dimension);
  for (std::size_t k = 0; k < dimension; ++k) pooled[k] = ratio(moments.pooled_difference[k], moments.sigma_total[k]);
  const auto gradient =
      gradients > 0 ? gradient_scores(problem, population, moments.sigma_total, gradients) : std::vector<double>{};

  const auto top = top_channels(pooled, ChannelScore::NormalizedDifferencePooled, rows);
  return ranked_rows(problem, population, strata, moments, top, pooled, gradient);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
