// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/rate_plan.hpp.

#include <faultline/statistics/rate_plan.hpp>

#include <faultline/core/ranges.hpp>
#include <faultline/statistics/detail/count_forecast.hpp>

#include <algorithm>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE RatePlan plan_rate_test(const RateBoundary& boundary, double true_rate, std::int64_t budget) {
  constexpr const char* where = "plan_rate_test";
  core::require_in(where, "true_rate", true_rate, 0.0, 1.0);
  core::require_in(where, "budget", budget, 1, limits::samples);
  RatePlan plan;
  detail::CountForecast undecided(true_rate, 1e-18);  // far below the digits that anybody reads
  double alive = 1.0;
  std::int64_t done = 0;
  const auto analyze_at = [&](std::int64_t n, const auto& decide) {
    plan.expected += alive * static_cast<double>(n - done);
    undecided.advance_to(n);
    done = n;
    // Deciding counts lie at both ends.
    while (!undecided.empty() && decide(undecided.lowest(), n) == RateDecision::below)
      plan.below += undecided.leave_up_to(undecided.lowest());
    while (!undecided.empty() && decide(undecided.highest(), n) == RateDecision::above)
      plan.above += undecided.leave_from(undecided.highest());
    alive = undecided.remaining();
    if (plan.median == 0 && alive <= 0.5) plan.median = n;
    if (plan.ninetieth == 0 && alive <= 0.1) plan.ninetieth = n;
  };
  for (std::int64_t n = boundary.next_analysis(0); n <= budget && alive > 1e-12; n = boundary.next_analysis(n))
    analyze_at(n, [&](std::int64_t k, std::int64_t at) { return boundary.decide(k, at); });
  if (done < budget && alive > 1e-12)
    analyze_at(budget, [&](std::int64_t k, std::int64_t at) { return boundary.decide_at_end(k, at); });
  plan.undecided = std::clamp(1.0 - plan.below - plan.above, 0.0, 1.0);
  return plan;
}

FAULTLINE_INLINE RatePlan plan_rate_test(double bound, double true_rate, std::int64_t budget,
                                         const RateSequenceOptions& options) {
  return plan_rate_test(RateBoundary(bound, options), true_rate, budget);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
