// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/scan/scan.hpp.

#include <faultline/analysis/scan/scan.hpp>
#include <algorithm>
#include <cmath>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double logistic(double x) noexcept { return 1.0 / (1.0 + std::exp(-x)); }

FAULTLINE_INLINE double extrapolated_effect(double log_odds, double slope, double shift) noexcept {
  const double spread = logistic(log_odds) * logistic(-log_odds);
  if (spread < 1e-5) return std::clamp(-2.0 * shift * slope, -1.0, 1.0);
  const double step = shift * slope / spread;
  return logistic(log_odds - step) - logistic(log_odds + step);
}

FAULTLINE_INLINE void check_scan_options(const ScanOptions& options) {
  constexpr const char* where = "ScanOptions";
  core::require_in(where, "keep", options.keep, 1, limits::latents);
  if (options.candidates != 0)
    core::require_in(where, "candidates, when not 0,", options.candidates, options.keep, limits::latents);
  core::require_in(where, "control", options.control, 0, limits::latents);
  core::require_in(where, "batch_size", options.batch_size, 2, limits::batch);
  core::require_between(where, "alpha", options.alpha, 0.0, 1.0);
}

}  // namespace analysis

}  // namespace v1
}  // namespace faultline
