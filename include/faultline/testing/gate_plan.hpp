// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How many samples a gate is going to need, and what its budget can decide: asked before anything is drawn.

#include <faultline/testing/baseline.hpp>
#include <faultline/testing/gate_policies.hpp>
#include <faultline/testing/moved_gates.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace testing {

/// What becomes of a gate if the truth is as supposed. Of a gate with several statements, of the supposed one, which is
/// to be the one that decides last. A gate that shares its error rate (`gates` above 1) passes as soon, and takes
/// longer to fail than it says here.
struct GatePlan {
  std::int64_t median = 0;     ///< samples after which half of all runs have decided; 0 if fewer do within the budget
  std::int64_t ninetieth = 0;  ///< the same of nine in ten
  double pass = 0.0;           ///< probability of passing within the budget
  double fail = 0.0;
  double undecided = 1.0;
  std::int64_t budget = 0;  ///< samples of the run in the policy's mode

  /// Whether more than half of all runs end with the budget.
  [[nodiscard]] bool usually_undecided() const noexcept { return undecided > 0.5; }
};

/// Plans a gate on a rate for a supposed true failure rate; with `where`, of samples of which the share `in_region`
/// lies there.
///
/// **Throws** invalid_argument for a bound, rate, share or budget out of range. **Cost**: milliseconds, see
/// `statistics::plan_rate_test`.
/// Example: `if (plan_gate(policy, 0.015).usually_undecided()) { /* raise max_samples */ }`
[[nodiscard]] GatePlan plan_gate(const FailureRateBelow& policy, double supposed_rate, double in_region = 1.0);

/// Of the class that decides last, whose samples are one in `classes`.
[[nodiscard]] GatePlan plan_gate(const FailureRateBelowPerClass& policy, double supposed_rate, std::int64_t classes);

/// `supposed_share`: of the samples that fail nearer than the policy's distance.
[[nodiscard]] GatePlan plan_gate(const DistanceAtLeast& policy, double supposed_share);

/// `supposed_rate`: the highest on the way.
[[nodiscard]] GatePlan plan_gate(const FailureRateAlongBelow& policy, double supposed_rate);

/// Plans the overall comparison for supposed shares of the samples on which the new release alone fails, and the old
/// one alone.
///
/// **Formula**: what happens in `runs` simulated comparisons. **Randomness**: Stream::simulation of the seed 0, the
/// same every time. **Cost**: `runs` times the budget, a second for 400 runs of 10 000 samples.
[[nodiscard]] GatePlan plan_gate(const NotWorseThanBaseline& policy, double only_new_fails, double only_old_fails,
                                 std::int64_t runs = 400);

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/gate_plan_impl.hpp>
#endif
