// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How many samples a gate on a rate will need, and how often it errs: exact, by following the distribution of the
// failure count from analysis to analysis.

#include <faultline/statistics/rate_boundary.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// What to expect of a `RateMonitor` when the true rate is known.
struct RatePlan {
  /// Samples after which half of all runs have decided; 0 if fewer do within the budget
  std::int64_t median = 0;
  std::int64_t ninetieth = 0;  ///< samples after which nine in ten have; 0 if fewer do within the budget
  double expected = 0.0;       ///< mean number of samples, runs that reach the budget counted with it
  double below = 0.0;          ///< probability of `below` within the budget
  double above = 0.0;          ///< probability of `above` within the budget
  double undecided = 1.0;      ///< the rest

  /// Whether more than half of all runs end with the budget.
  [[nodiscard]] bool usually_undecided() const noexcept { return undecided > 0.5; }
};

/// Plans a test of "rate below `bound`" for a supposed true rate and a budget of samples, which is the time there is
/// times the samples per second.
///
/// For a bound of .02 the median is 256 samples when nothing ever fails, 320 at a rate of .005 and 1 344 at .01; with
/// .05 per side 192, 320 and 960.
/// **Throws** `invalid_argument` for a bound, rate, budget or options out of range.
/// **Cost**: that of a `RateBoundary`, which plans of one bound can share, and as much again; a tenth of a second for a
/// budget of 100 000 at a bound of .5.
/// Example: `auto plan = plan_rate_test(0.02, 0.015, 3 * 400); if (plan.usually_undecided()) { /* say that three
/// seconds will not do */ }`
[[nodiscard]] RatePlan plan_rate_test(double bound, double true_rate, std::int64_t budget,
                                      const RateSequenceOptions& options = {});

/// The same with a boundary that is there.
[[nodiscard]] RatePlan plan_rate_test(const RateBoundary& boundary, double true_rate, std::int64_t budget);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/rate_plan_impl.hpp>
#endif
