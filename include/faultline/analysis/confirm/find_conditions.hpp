// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From two splits of samples to conditions that hold: sought on the one, frozen, tested on the other (method sections
// 5.1 and 5.2). No generator is needed.

#include <faultline/analysis/confirm/confirm_conditions.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How conditions are sought and tested.
struct ConditionOptions {
  double alpha = 0.05;         ///< family-wise error of confirmed conditions
  double least_share = 0.005;  ///< share of the null deviance from which a condition is reported
  /// ... and of what all conditions explain together, from which it is more than a minor one
  double least_part = 0.025;
  SelectionOptions selection = {};
  std::int64_t permutations = 9'999;
  std::int64_t half_samples = 20;  ///< for stability; 0 leaves it out
};

/// A frozen condition and what became of it.
struct TestedCondition {
  Condition condition;
  ConditionTest test;
  double stability = 0.0;  ///< share of the half-samples of the discovery split in which it is chosen again
  bool confirmed = false;
  bool minor =
      false;  ///< confirmed, but explains less than `least_part` of what all explain: it is not tried as a cause
};

/// Two conditions that are more (or less) together than each by itself, and what became of that.
struct TestedInteraction {
  Interaction interaction;  ///< positions are those in `TestedConditions::conditions`
  ConditionTest test;
  bool confirmed = false;
};

/// Everything that was frozen, in the order in which it was found.
struct TestedConditions {
  std::vector<TestedCondition> conditions;
  std::vector<TestedInteraction> interactions;
  statistics::DevianceGain together;  ///< what all frozen terms explain on the confirmation split
  std::int64_t candidates = 0;        ///< terms that were compared at the first step
};

/// Seeks conditions on one split and tests them on the other.
///
/// **Shapes**: both samples with the same properties and the reading vectors that they were made with; `admitted`
/// `[P]`, 0 for a property that is no candidate; empty: all are.
/// **Error rate**: if failures depend on nothing but the class, any condition is confirmed with probability at most
/// alpha. **Randomness**: (seed, streams permutations and 7). **Throws** what its steps throw.
/// Example: `TestedConditions found = find_conditions(discovery, confirmation, reading_vectors, {}, seed);`
[[nodiscard]] TestedConditions find_conditions(const ConditionSample& discovery, const ConditionSample& confirmation,
                                               const ReadingVectors& reading_vectors,
                                               std::span<const std::uint8_t> admitted, std::int64_t seed,
                                               const ConditionOptions& options = {});

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/find_conditions_impl.hpp>
#endif
