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
  core::require_in(where, "min_effect", options.min_effect, 0.0, 0.999);
  // With fewer, no effect can pass its 95 % point
  core::require_in(where, "permutations_discovery", options.permutations_discovery, 19, limits::permutations);
  // With fewer, no p-value can reach .05
  core::require_in(where, "permutations_confirmation", options.permutations_confirmation, 19, limits::permutations);
  core::require_in(where, "common_candidates", options.common_candidates, 0, limits::directions);
  core::require_in(where, "class_candidates", options.class_candidates, 0, limits::directions);
  core::require_in(where, "intervention_codes", options.intervention_codes, 2, limits::latents);
  core::require_in(where, "placebo_directions", options.placebo_directions, 1, limits::directions);
  core::require_in(where, "threshold_codes", options.threshold_codes, 1, limits::latents);
  core::require_in(where, "minimum_effective_failures", options.minimum_effective_failures, 2.0,
                   static_cast<double>(limits::samples));
  core::require_in(where, "batch_size", options.batch_size, 1, limits::batch);
  core::require_in(where, "gradient_samples", options.gradient_samples, 0, limits::samples);
  core::require_in(where, "probability_tolerance", options.probability_tolerance, 0.0, 0.1);
}

FAULTLINE_INLINE void check_samples(const char* where, std::int64_t samples) {
  if (samples == 0) throw Error(ErrorCode::empty_input, where, "expected at least one sample per half, got 0");
  core::require_in(where, "samples", samples, 1, limits::samples);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
