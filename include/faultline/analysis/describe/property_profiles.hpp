// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a direction looks like: confidence and image properties along it, and the name that follows from them (method
// section 9).

#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/sampling/population.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Moves, in standard deviations, at which a profile is measured.
inline constexpr std::array<double, 9> profile_sigmas = {-4, -3, -2, -1, 0, 1, 2, 3, 4};
/// The moves that a name needs.
inline constexpr std::array<double, 3> naming_sigmas = {-2, 0, 2};
/// A property moves when its strength reaches this.
inline constexpr double naming_strength = 0.5;
/// ... and names the direction alone when it is this many times as strong as the next.
inline constexpr double naming_lead = 1.25;

/// The property a direction is named by, from all properties, strongest first.
///
/// The strongest one when |strength| ≥ .5 and ≥ 1.25 times the runner-up; "mixed: a + b" (with the strength of a) when
/// the runner-up is closer; no name when none reaches .5.
[[nodiscard]] PropertyEffect name_direction(std::span<const PropertyEffect> strongest_first);

/// Standard deviation of every property within classes, pooled; 0 where there is no variation to speak of.
[[nodiscard]] std::vector<double> property_deviations(const Population& population, std::int64_t classes);

/// Sums over codes of everything a profile shows, at one move.
struct ProfilePoint {
  double probability = 0.0;
  double failed = 0.0;
  double agreed = 0.0;
  std::vector<double> properties;
};

/// Fills `profile`, `property` and `side_effects` of every finding.
///
/// Means over the first `options.threshold_codes` fresh codes (of its class, for a class-specific direction), **not
/// selected by outcome**, at the moves `sigmas` (−4 .. 4 standard deviations), which must hold −2, 0 and 2.
/// **Formula**: strength = [m(+2) − m(−2)] / within-class standard deviation of m on the confirmation half; names by
/// `name_direction`. A property without variation has strength 0. A finding without a fresh code of its class keeps an
/// empty profile and no name.
/// **Cost**: one image per finding, code and move other than 0, and one more per code.
/// Example: `measure_profiles(context, report.findings); report.findings[0].property.name`
void measure_profiles(const FindingContext& context, std::span<Finding> findings,
                      std::span<const double> sigmas = profile_sigmas);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/property_profiles_impl.hpp>
#endif
