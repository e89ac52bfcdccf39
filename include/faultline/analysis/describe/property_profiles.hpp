// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a direction looks like: confidence and image properties along it, and the name that follows from them (method
// section 9).

#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/problem/held_out_latents.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/sampling/population.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Edits, in standard deviations, at which a profile is measured.
inline constexpr std::array<double, 9> profile_sigmas = {-4, -3, -2, -1, 0, 1, 2, 3, 4};
/// The edits that side effects need.
inline constexpr std::array<double, 3> side_effect_sigmas = {-2, 0, 2};
/// Latents over which a profile is averaged when interventions may use so many images: one for 200, from 32 to 128.
[[nodiscard]] constexpr std::int64_t profile_latents(std::int64_t intervention_images) {
  return std::clamp<std::int64_t>(intervention_images / 200, 32, 128);
}

/// Draws held-out latents until there are `latents` of them and, for every finding of a class, as many of that class
/// (looking at 4 · classes · `latents` at most): what `measure_profiles` averages over.
void draw_profile_latents(const Problem& problem, HeldOutLatents& held_out,
                          std::span<std::vector<Finding>* const> lists, std::int64_t latents);

/// Standard deviation of every property within classes, pooled; 0 where there is no variation to speak of.
[[nodiscard]] std::vector<double> property_deviations(const Population& population, std::int64_t classes);

/// Sums over latents of everything a profile shows, at one edit.
struct ProfilePoint {
  double probability = 0.0;
  double failed = 0.0;
  double agreed = 0.0;
  std::vector<double> properties;
  std::map<std::int64_t, double> wrong_answers;    ///< on valid images that fail
  std::map<std::int64_t, double> failed_in_class;  ///< on valid images
};

/// Fills `profile`, `side_effects`, `answers` and the classes of the intervention of every finding that has a
/// direction.
///
/// Means over the first held-out latents, as many as `profile_latents` says (of its class, for a class's condition),
/// **not selected by outcome**, at the edits `sigmas` (−4 .. 4 standard deviations), which must hold −2, 0 and 2.
/// **Formula**: strength of a side effect = [m(+2) − m(−2)] / within-class standard deviation of m on the confirmation
/// split; a property without variation has strength 0. Answers gain between the failing end (both ends, where both
/// fail) and the other (the middle). A finding without a held-out latent of its class keeps an empty profile.
/// **Cost**: one image per finding, latent and edit other than 0, and one more per latent.
/// Example: `measure_profiles(context, report.findings); report.findings[0].side_effects`
void measure_profiles(const FindingContext& context, std::span<Finding> findings,
                      std::span<const double> sigmas = profile_sigmas);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/property_profiles_impl.hpp>
#endif
