// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Rankings of single style channels (paper.md): the paper's, and ones that compare within classes. Descriptions
// only; claims are made by `confirm`.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/rank/style_moments.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
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

/// Samples of the discovery split that the gradient is averaged over in reports: a mean needs no more, and a gradient
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
      std::ranges::copy(problem.style_matrix.row_span(channels[first + k]),
                        a.row_span(static_cast<std::int64_t>(k)).begin());
    Matrix<double> s = statistics::detail::product_transposed(a, w);
    for (std::size_t k = 0; k < size; ++k) {
      const std::int64_t channel = channels[first + k];
      const auto values = s.row_span(static_cast<std::int64_t>(k));
      for (double& value : values) value += problem.style_bias[static_cast<std::size_t>(channel)];
      visit(channel, std::span<const double>(values));
    }
  }
}

[[nodiscard]] double ratio(double numerator, double denominator) noexcept;

/// − mean ∂p(y)/∂s_k over the first `count` samples, times σ_k; empty without a gradient.
[[nodiscard]] std::vector<double> gradient_scores(const Problem& problem, const Population& population,
                                                  std::span<const double> sigma_total, std::int64_t count);

/// Rows of a table for these channels, in their order; signs are those of `by`, gradients 0 where there are none.
[[nodiscard]] std::vector<RankedChannel> ranked_rows(const Problem& problem, const Population& population,
                                                     const statistics::Strata& strata, const StyleMoments& moments,
                                                     std::span<const std::int64_t> channels, std::span<const double> by,
                                                     std::span<const double> gradient);

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
[[nodiscard]] std::vector<double> channel_scores(const Problem& problem, const Population& population,
                                                 ChannelScore score);

/// Flat indices of the `count` most influential channels, strongest first; equal ones in flat order.
[[nodiscard]] std::vector<std::int64_t> top_channels(std::span<const double> scores, ChannelScore score,
                                                     std::int64_t count);

/// The paper's table: channels by pooled normalised difference, with their other scores beside it.
///
/// **Error rate**: none is controlled; a pooled ranking partly ranks classes instead of causes.
/// **Cost**: moments, one AUC per row, and `gradients` pulled-back gradients where there are any (0: none).
[[nodiscard]] std::vector<RankedChannel> paper_table(const Problem& problem, const Population& population,
                                                     std::int64_t rows = 10, std::int64_t gradients = gradient_samples);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/rank/detail/channel_ranking_impl.hpp>
#endif
