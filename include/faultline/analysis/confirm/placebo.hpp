// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What edits along random directions do, as context for interventions (method.md: Causes); it decides nothing.

#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/whitening.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Latents that are moved along each random direction when interventions may use so many images: one for 400, from 16
/// to 64.
[[nodiscard]] constexpr std::int64_t placebo_latents(std::int64_t intervention_images) {
  return std::clamp<std::int64_t>(intervention_images / 400, 16, 64);
}

/// 95th percentile, over random directions, of the change of the failure rate on valid images between −2 and +2
/// standard deviations along them.
///
/// Moved are the first `count` latents. The directions are uniform off the span of the reading vectors of all
/// conditions; empty where nothing is left, without latents or with no directions asked for.
/// **Randomness**: (seed, stream 5, 2^41 + 2^40 + direction). **Cost**: 2 · `count` images a direction.
[[nodiscard]] std::optional<double> placebo_effect(const Problem& problem, const statistics::Whitening& whitening,
                                                   const Population& latents, std::span<const ConditionEdit> planned,
                                                   std::int64_t directions,
                                                   std::int64_t count = placebo_latents(30'000));

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/placebo_impl.hpp>
#endif
