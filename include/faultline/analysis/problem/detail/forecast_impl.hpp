// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/forecast.hpp.

#include <faultline/analysis/problem/forecast.hpp>

#include <algorithm>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE Forecast forecast_images(const MethodOptions& method, std::int64_t samples, double images_per_second) {
  Forecast forecast{.images_per_second = images_per_second, .samples = samples};
  double room = static_cast<double>(samples);  // of a split
  if (method.budget.images > 0)
    room = std::min(room, budget_share::discovery * static_cast<double>(method.budget.images));
  if (method.budget.seconds > 0.0)
    room = std::min(room, budget_share::discovery * method.budget.seconds * images_per_second);
  forecast.samples = std::clamp(static_cast<std::int64_t>(room), std::min(samples, method.batch_size), samples);
  // one point of a distance: the grid and its refinements, of which most latents need a part
  constexpr std::int64_t images_per_distance = 13;
  const auto properties = static_cast<std::int64_t>(method.properties.size());
  const std::int64_t distance = images_per_distance * method.threshold_latents;
  forecast.least_images = 2 * forecast.samples;
  // beside interventions and distances along properties the proof of three causes: their fractions, by themselves,
  // together and in pairs; distances of the direction and of its first channel, profiles
  constexpr std::int64_t causes = 3;
  forecast.most_images = forecast.least_images + method.gradient_samples +
                         (method.property_distances ? 2 * properties * distance : 0) + method.intervention_images +
                         (2 + causes + causes / 2) * method.fraction_latents + 3 * causes * distance;
  return forecast;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
