// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From an analysis to what the figures of figures.hpp are drawn from.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/render/figures.hpp>
#include <faultline/sampling/population.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// Styles s = A w + b of latents, `[N, D]`.
///
/// **Throws** `shape_mismatch`. **Cost**: N D d multiplications, N D doubles while it works.
[[nodiscard]] Matrix<float> styles_of(const Problem& problem, const Matrix<float>& w);

/// `count` different channels at random, none of them among `without`; fewer when there are no more. **Randomness**:
/// the problem's seed, stream 5.
[[nodiscard]] std::vector<std::int64_t> random_channels(const Problem& problem,
                                                        std::span<const analysis::RankedChannel> without,
                                                        std::int64_t count);

/// Figure 4: the values of channels in a population, with d and AUC measured there, all classes together.
///
/// **Throws** `invalid_argument` for a channel that does not exist. **Cost**: N d multiplications and a sort per
/// channel.
/// Example: `channel_histograms(problem, problem.confirmation, random_channels(problem, report.paper_top, 3))`
[[nodiscard]] std::vector<ChannelHistogram> channel_histograms(const Problem& problem, const Population& population,
                                                               std::span<const std::int64_t> channels);

/// Which image figure 5 moves and how it is drawn.
struct DegradationOptions {
  std::int64_t class_label = 0;
  std::vector<double> shares = {0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5};  ///< rows
  std::int64_t image_pixels = 96;
};

/// Figure 5: the WELL centre of a class (mean w of its successes in the discovery split) moved along each of the
/// channels alone, in their direction of failure.
///
/// The reference shift is the paper's distance to failure, in standard deviations of all samples, see
/// `CentreDistance::paper`; where p(y) never falls to .5 it is the largest step of that search, 100.
/// **Throws** `label_out_of_range` for a class without successes; `degenerate_statistics` when p(y) is .5 or less at
/// its centre already. **Cost**: about 25 + shares images per channel.
/// Example: `degradation_figure("the WELL centre of class 3", options.shares, degradation_columns(problem,
/// report.paper_top, options))`
[[nodiscard]] std::vector<DegradationColumn> degradation_columns(const Problem& problem,
                                                                 std::span<const analysis::RankedChannel> channels,
                                                                 const DegradationOptions& options,
                                                                 std::span<const std::string> class_names = {});

/// The class whose failure rate is highest among those whose WELL centre has p(y) above .5: where a degradation grid
/// has most to show. Empty when there is none.
///
/// **Cost**: one image per class.
[[nodiscard]] std::optional<std::int64_t> degradation_class(const Problem& problem);

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/figure_data_impl.hpp>
#endif
