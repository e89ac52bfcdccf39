// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Rankings of single style channels (method section 5): the paper's, and ones that compare within classes. Descriptions
// only; claims are made by `confirm`.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/rank/detail/distribution_distance.hpp>
#include <faultline/analysis/rank/style_moments.hpp>
#include <faultline/statistics/rank.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How a style channel is scored; s_k is the channel's style, MIS and WELL the failures and the successes.
enum class ChannelScore {
  /// within-class mean difference of MIS and WELL over the pooled within-class deviation (the default)
  NormalizedDifference,
  NormalizedDifferencePooled,  ///< the paper's: all classes together, over the deviation of all samples
  Gradient,                    ///< the paper's second: − mean ∂p(y)/∂s_k times the deviation of all samples
  StyleSpaceTheta,             ///< mean difference over the deviation of MIS (Wu et al. 2021, section 4)
  RankAuc,                     ///< within-class area under the ROC curve
  /// within-class largest distance of the distribution functions: sees two-sided failure, has no sign
  KolmogorovSmirnov,
  Wasserstein,  ///< within-class transport distance over the within-class deviation: likewise
};

/// Samples of the discovery half that the gradient is averaged over in reports: a mean needs no more, and a gradient
/// costs three times an image.
inline constexpr std::int64_t gradient_samples = 1'024;

/// Calls visit(k, values) with s_k of every sample for each wanted channel; 64 channels are formed at a time, never
/// `[N, D]`.
template <class Visit>
void visit_channels(const Problem& problem, const Population& population, std::span<const std::int64_t> channels,
                    Visit visit) {
  constexpr std::size_t block = 64;
  const Matrix<double> w = population.w.cast<double>();
  for (std::size_t first = 0; first < channels.size(); first += block) {
    const std::size_t size = std::min(block, channels.size() - first);
    Matrix<double> a(static_cast<std::int64_t>(size), problem.style_matrix.cols());
    for (std::size_t k = 0; k < size; ++k)
      a.row(static_cast<Eigen::Index>(k)) = problem.style_matrix.row(channels[first + k]);
    Matrix<double> s = a * w.transpose();
    for (std::size_t k = 0; k < size; ++k) {
      const std::int64_t channel = channels[first + k];
      const auto values = s.row_span(static_cast<std::int64_t>(k));
      for (double& value : values) value += problem.style_bias[static_cast<std::size_t>(channel)];
      visit(channel, std::span<const double>(values));
    }
  }
}

[[nodiscard]] inline double ratio(double numerator, double denominator) noexcept {
  return denominator > 0.0 ? numerator / denominator : 0.0;
}

/// − mean ∂p(y)/∂s_k over the first `count` samples, times σ_k; empty without a gradient.
[[nodiscard]] inline std::vector<double> gradient_scores(const Problem& problem, const Population& population,
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

/// Rows of a table for these channels, in their order; signs are those of `by`, gradients 0 where there are none.
[[nodiscard]] inline std::vector<RankedChannel> ranked_rows(
    const Problem& problem, const Population& population, const statistics::Strata& strata, const StyleMoments& moments,
    std::span<const std::int64_t> channels, std::span<const double> by, std::span<const double> gradient) {
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

/// Scores every style channel of a population.
///
/// **Returns** `[D]`: positive where a larger style goes with failure (AUC: above ½; the two distances have no sign). A
/// constant channel scores 0 (AUC ½).
/// **Formula**: see `ChannelScore`. Differences and deviations follow from the moments of w through s = A w + b; AUC
/// and distances form 64 channels at a time.
/// **Throws** `invalid_argument` for `Gradient` when generator or classifier has none; `label_out_of_range`.
/// **Cost**: D d² multiplications for moments, D N (d + log N) for AUC and distances; `Gradient` pulls back one
/// gradient per sample. No N x D storage.
/// Example: `auto top = top_channels(channel_scores(problem, problem.discovery, ChannelScore::RankAuc),
/// ChannelScore::RankAuc, 10);`
[[nodiscard]] inline std::vector<double> channel_scores(const Problem& problem, const Population& population,
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

/// Flat indices of the `count` most influential channels, strongest first; equal ones in flat order.
[[nodiscard]] inline std::vector<std::int64_t> top_channels(std::span<const double> scores, ChannelScore score,
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

/// The paper's table: channels by pooled normalised difference, with their other scores beside it.
///
/// **Error rate**: none is controlled; a pooled ranking partly ranks classes instead of causes.
/// **Cost**: moments, one AUC per row, and `gradients` pulled-back gradients where there are any (0: none).
[[nodiscard]] inline std::vector<RankedChannel> paper_table(const Problem& problem, const Population& population,
                                                            std::int64_t rows = 10,
                                                            std::int64_t gradients = gradient_samples) {
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
