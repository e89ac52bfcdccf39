// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The smallest cause that a run would have reported (method.md: Lists and verdicts).

#include <faultline/analysis/confirm/condition_effects.hpp>
#include <faultline/analysis/confirm/find_conditions.hpp>
#include <faultline/analysis/report.hpp>

#include <cstdint>
#include <optional>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What a forecast of power starts from.
struct PowerSetting {
  std::int64_t discovery = 0;     ///< valid samples
  std::int64_t confirmation = 0;  ///< valid samples
  double rate = 0.0;              ///< of failures among them
  std::int64_t candidates = 1;    ///< terms that are compared at the first step
};

/// The smallest condition that selection, confirmation and intervention together would have let through with
/// probability `power`: one property that w reads, acting along one side in all classes alike.
///
/// **Formula**: P(failure) = logistic(a + β z) with z standard normal and a such that the mean is the rate. Selection:
/// a score statistic with four degrees of freedom, non-central by N times the deviance that the condition explains per
/// sample, beyond the level that candidates share. Confirmation: its one-sided test at α with a shape estimated from
/// the discovery split, and a share of deviance above `least_share`. Intervention: e from −1 to 1 between z − 2 and z +
/// 2 must exceed `min_effect` within the latents there are (`forecast_samples`). β by bisection; empty where not even β
/// = 20 is enough. Simulated in the tests.
/// **Throws** `invalid_argument` for counts below 1 or a power outside (0, 1).
[[nodiscard]] std::optional<DetectableEffect> smallest_detectable(const PowerSetting& setting,
                                                                  const ConditionOptions& conditions,
                                                                  const EffectOptions& effects, double power = 0.8);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/detectable_impl.hpp>
#endif
