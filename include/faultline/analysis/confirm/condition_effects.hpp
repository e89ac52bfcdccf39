// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What moving a condition does to failures on valid images (method.md: Causes).

#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/analysis/problem/held_out_latents.hpp>
#include <faultline/statistics/attributable_fraction.hpp>
#include <faultline/statistics/betting_bounds.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How far interventions go.
struct EffectOptions {
  double alpha = 0.05;                ///< family-wise over all conditions
  std::int64_t first_analysis = 128;  ///< latents before the first interim analysis
  std::int64_t analysis_every = 64;
  std::int64_t latents = 4'096;           ///< from which on the samples drawn to find further ones count as images
  std::int64_t images = 30'000;           ///< of all conditions together; nothing is begun beyond
  std::int64_t fraction_latents = 2'048;  ///< on which attributable fractions are measured
  std::int64_t batch_size = 64;
  /// What counts as an effect: this share of the failure rate, within these bounds
  double relative_effect = 0.5;
  double smallest_effect = 0.005;
  double largest_effect = 0.025;
};

/// What moving one condition did.
struct ConditionEffect {
  statistics::EffectDecision decision = statistics::EffectDecision::undecided;
  double effect = 0.0;  ///< mean of e_i: the change of the failure rate on valid images
  double lower = -1.0;  ///< simultaneous bounds that hold at any time
  double upper = 1.0;
  double min_effect = 0.0;  ///< what counts as an effect, from the failure rate of the populations
  std::int64_t latents = 0;
  std::optional<std::int64_t> needed = std::nullopt;  ///< forecast of the latents that would decide
  double invalid_high = 0.0;  ///< share of images that the judge no longer reads at +2 (of all ends where both fail)
  double invalid_low = 0.0;   ///< at −2
};

/// Moves every condition that can be moved on latents that nobody selected, until a bound decides.
///
/// A failure counts where the image is valid: the judge, if there is one, still sees the class. One-sided conditions
/// are compared between +2 and −2, two-sided ones between both ends and where they are, bands between the worst and the
/// best level, pairs at ±1.4 by their product, subspaces along each of their vectors (the one that decides first).
/// What counts as an effect is half the rate of failures on valid images among all samples of both splits, in the class
/// of the condition if it has one; at least .005 and at most .025 (`EffectOptions`).
/// **Error rate**: any bound is wrong at any time with probability at most alpha, for all conditions together.
/// **Cost**: two to four images per latent and condition, 128 latents at least; conditions take turns until all are
/// decided or `images` are made, so that one near its least effect has what the others leave.
[[nodiscard]] std::vector<ConditionEffect> measure_effects(const Problem& problem,
                                                           const statistics::Whitening& whitening,
                                                           HeldOutLatents& held_out, const Conditions& found,
                                                           std::span<const ConditionEdit> planned,
                                                           const EffectOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/condition_effects_impl.hpp>
#endif
