// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The method of Le Coz, Herbin and Adjed (2022) as a whole: rank single channels, shift class centres along them, look
// for corner cases. Beside it, what tells how far to trust it.

#include <faultline/analysis/paper/attfind.hpp>
#include <faultline/analysis/paper/corner_cases.hpp>
#include <faultline/analysis/paper/paper_report.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/rank/agreement.hpp>
#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/core/progress.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

/// Options of `paper_method`.
struct PaperOptions {
  std::int64_t top = 10;  ///< channels of the table, shifted alone and together
  /// Samples that the gradient ranking averages over; 0 leaves it out
  std::int64_t gradients = analysis::gradient_samples;
  CornerCaseOptions corner_cases = {};
  AttFindOptions attfind = {};
  /// Held-out latents on which channels are moved by ± 2 standard deviations; 0 leaves effects out
  std::int64_t effect_latents = 128;
  std::int64_t random_channels = 8;  ///< random channels moved on the same latents
};

/// Calls visit(name, member) for every number among the options, in their order.
template <class Visit>
void for_each_number(const PaperOptions& paper, const Visit& visit) {
  visit("top", paper.top);
  visit("gradients", paper.gradients);
  visit("corner_cases.cases", paper.corner_cases.cases);
  visit("corner_cases.pool", paper.corner_cases.pool);
  visit("corner_cases.channels", paper.corner_cases.channels);
  visit("corner_cases.step", paper.corner_cases.step);
  visit("corner_cases.reach", paper.corner_cases.reach);
  visit("attfind.images", paper.attfind.images);
  visit("attfind.ranked_channels", paper.attfind.ranked_channels);
  visit("attfind.spread_channels", paper.attfind.spread_channels);
  visit("attfind.most", paper.attfind.most);
  visit("effect_latents", paper.effect_latents);
  visit("random_channels", paper.random_channels);
}

void check_paper_options(const PaperOptions& options, std::int64_t batch_size);

/// The rankings that are compared, all of them over the discovery split; AttFind where it ran.
[[nodiscard]] std::vector<analysis::ChannelRanking> paper_rankings(const Problem& problem,
                                                                   std::span<const double> pooled,
                                                                   std::span<const double> theta,
                                                                   std::span<const double> gradient,
                                                                   const std::optional<AttFindResult>& attfind);

/// Effects of the top channels alone and together, and of random channels alone, on the same held-out latents.
void measure_paper_effects(const Problem& problem, std::span<const double> sigma, const PaperOptions& options,
                           std::int64_t batch_size, PaperReport& report);

/// Carries out the paper's method on a problem's discovery split.
///
/// The ranking (`ChannelScore::NormalizedDifferencePooled`) and its first ten channels; the gradient ranking; the
/// centre of each class's successes shifted along each of the ten, and along all of them together, by the paper's
/// search for p(y) = .5; corner cases. Units are the total unbiased standard deviations, as in the paper. Added for
/// judgement: effects of edits by ± 2 standard deviations on held-out latents (see `effects_along`),
/// AttFind, the agreement of all rankings, and how evenly properties go with failure over classes.
/// **Error rate**: none is controlled. **What cannot be had is recorded** (`note`, statuses): no failures or no
/// successes, as a whole or in a class; a p(y) that is never crossed.
/// **Throws** `empty_input`, `shape_mismatch`, `label_out_of_range` as `channel_scores`; `invalid_argument` for options
/// out of range; what the callbacks throw.
/// **Randomness**: (problem.seed, Stream::start_latents); the same problem and options give the same report.
/// **Cost**: per class and channel 2 to 40 images; corner cases, effects and AttFind as their options say (by default
/// about 4 900 for effects and 16 400 for AttFind).
/// Example: `PaperReport report = paper_method(analyzer.problem()); report.top[0].ranked.layer_name;`
[[nodiscard]] PaperReport paper_method(const Problem& problem, const PaperOptions& options = {},
                                       std::int64_t batch_size = 64, const ProgressCallback& progress = nullptr);

}  // namespace paper

using paper::PaperOptions;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/paper/detail/paper_method_impl.hpp>
#endif
