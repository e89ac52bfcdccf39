// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/gate_plan.hpp.

#include <faultline/testing/gate_plan.hpp>

#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing/detail/mode_of.hpp>
#include <faultline/testing/detail/watched_difference.hpp>
#include <faultline/testing/detail/watched_rate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// A rate of which only the share `counted` of the samples says something.
inline GatePlan plan_rate(double bound, double supposed_rate, double confidence, std::int64_t budget, double counted) {
  const auto samples = static_cast<std::int64_t>(std::floor(static_cast<double>(budget) * counted));
  GatePlan plan{.budget = budget};
  if (samples < 1) return plan;
  const statistics::RatePlan rate = statistics::plan_rate_test(*boundary_of(bound, confidence), supposed_rate, samples);
  const auto drawn = [&](std::int64_t n) {
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(n) / counted));
  };
  plan.median = drawn(rate.median);
  plan.ninetieth = drawn(rate.ninetieth);
  plan.pass = rate.below;
  plan.fail = rate.above;
  plan.undecided = rate.undecided;
  return plan;
}

}  // namespace detail

FAULTLINE_INLINE GatePlan plan_gate(const FailureRateBelow& policy, double supposed_rate, double in_region) {
  core::require_in("plan_gate", "in_region", in_region, 1e-9, 1.0);
  return detail::plan_rate(policy.bound, supposed_rate, policy.confidence, detail::budget_of(policy), in_region);
}

FAULTLINE_INLINE GatePlan plan_gate(const FailureRateBelowPerClass& policy, double supposed_rate,
                                    std::int64_t classes) {
  core::require_in("plan_gate", "classes", classes, 1, limits::classes);
  return detail::plan_rate(policy.bound, supposed_rate, policy.confidence, detail::budget_of(policy),
                           1.0 / static_cast<double>(classes));
}

FAULTLINE_INLINE GatePlan plan_gate(const DistanceAtLeast& policy, double supposed_share) {
  return detail::plan_rate(1.0 - policy.share, supposed_share, policy.confidence, detail::budget_of(policy), 1.0);
}

FAULTLINE_INLINE GatePlan plan_gate(const FailureRateAlongBelow& policy, double supposed_rate) {
  return detail::plan_rate(policy.bound, supposed_rate, policy.confidence, detail::budget_of(policy), 1.0);
}

FAULTLINE_INLINE GatePlan plan_gate(const NotWorseThanBaseline& policy, double only_new_fails, double only_old_fails,
                                    std::int64_t runs) {
  core::require_in("plan_gate", "only_new_fails", only_new_fails, 0.0, 1.0);
  core::require_in("plan_gate", "only_old_fails", only_old_fails, 0.0, 1.0 - only_new_fails);
  core::require_in("plan_gate", "runs", runs, 1, limits::permutations);
  core::require_between("plan_gate", "margin", policy.margin, 0.0, 1.0);
  core::require_between("plan_gate", "confidence", policy.confidence, 0.0, 1.0);
  core::require_in("plan_gate", "max_samples", policy.max_samples, 0, policy.baseline.samples);
  const std::int64_t full = policy.max_samples == 0 ? policy.baseline.samples : policy.max_samples;
  GatePlan plan{.budget = detail::mode_of(policy) == GateMode::smoke ? std::min(policy.smoke_samples, full) : full};
  std::vector<std::int64_t> decided;
  std::int64_t passed = 0;
  for (std::int64_t run = 0; run < runs; ++run) {
    core::CounterRandom random(0, core::Stream::splits, run);
    detail::WatchedDifference watched(policy.margin, policy.confidence, 2.0 / (1.0 - policy.confidence));
    for (std::int64_t i = 1; i <= plan.budget && !watched.known(); ++i) {
      const double u = random.uniform();
      watched.add(u < only_new_fails, u >= only_new_fails && u < only_new_fails + only_old_fails);
      if (watched.known()) decided.push_back(i);
    }
    passed += watched.passed() ? 1 : 0;
  }
  std::ranges::sort(decided);
  const auto after = [&](double share) {
    const auto position = static_cast<std::size_t>(std::ceil(share * static_cast<double>(runs)));
    return position <= decided.size() ? decided[position - 1] : std::int64_t{0};
  };
  const auto share = [&](std::int64_t count) { return static_cast<double>(count) / static_cast<double>(runs); };
  const auto known = static_cast<std::int64_t>(decided.size());
  plan.median = after(0.5);
  plan.ninetieth = after(0.9);
  plan.pass = share(passed);
  plan.fail = share(known - passed);
  plan.undecided = share(runs - known);
  return plan;
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
