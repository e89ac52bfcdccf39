// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/check_options.hpp.

#include <faultline/analysis/problem/check_options.hpp>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE void check_options(const MethodOptions& options) {
  constexpr const char* where = "MethodOptions";
  core::require_between(where, "alpha", options.alpha, 0.0, 1.0);
  // With fewer, no p-value can reach .05
  core::require_in(where, "permutations", options.permutations, 19, limits::permutations);
  core::require_in(where, "half_samples", options.half_samples, 0, limits::directions);
  core::require_in(where, "intervention_latents", options.intervention_latents, 0, limits::latents);
  core::require_in(where, "intervention_images", options.intervention_images, 0, limits::samples);
  core::require_in(where, "fraction_latents", options.fraction_latents, 0, limits::latents);
  core::require_in(where, "placebo_directions", options.placebo_directions, 0, limits::directions);
  core::require_in(where, "threshold_latents", options.threshold_latents, 1, limits::latents);
  core::require_in(where, "least_effective_failures", options.least_effective_failures, 2.0,
                   static_cast<double>(limits::samples));
  core::require_in(where, "batch_size", options.batch_size, 1, limits::batch);
  core::require_in(where, "gradient_samples", options.gradient_samples, 0, limits::samples);
  core::require_in(where, "probability_tolerance", options.probability_tolerance, 0.0, 0.1);
  core::require_in(where, "budget.seconds", options.budget.seconds, 0.0, limits::seconds);
  core::require_in(where, "budget.images", options.budget.images, 0, limits::samples);
}

FAULTLINE_INLINE void refuse_budget(const char* where, const MethodOptions& options) {
  if (options.budget.is_limited())
    throw Error(ErrorCode::invalid_argument, where, "it has no budget; leave method.budget empty");
}

FAULTLINE_INLINE void check_samples(const char* where, std::int64_t samples) {
  if (samples == 0) throw Error(ErrorCode::empty_input, where, "expected at least one sample per split, got 0");
  core::require_in(where, "samples", samples, 1, limits::samples);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
