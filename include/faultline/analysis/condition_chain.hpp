// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From two classified populations to conditions, and from conditions to causes: the steps of sections 5.1 to 5.5 of the
// method in their order.

#include <faultline/analysis/conditions/condition.hpp>
#include <faultline/analysis/confirm/condition_effects.hpp>
#include <faultline/analysis/confirm/condition_moves.hpp>
#include <faultline/analysis/confirm/confirm_conditions.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/progress.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How the chain is carried out.
struct ChainOptions {
  double alpha = 0.05;         ///< family-wise error of confirmed conditions, and again of effects
  double least_share = 0.005;  ///< share of the null deviance from which a condition is reported
  SelectionOptions selection = {};
  EffectOptions effects = {};
  std::int64_t permutations = 9'999;
  std::int64_t half_samples = 20;  ///< for stability; 0 leaves it out
  bool interventions = true;
  ProgressCallback progress = nullptr;
};

/// What became of one frozen condition.
struct ChainedCondition {
  Condition condition;
  ConditionTest test;
  double stability = 0.0;
  bool confirmed = false;
  ConditionMove move = {};  ///< of confirmed conditions
  MoveEffect effect = {};   ///< of those that can be moved
  bool cause = false;       ///< whether moving it changes the failure rate
  std::optional<statistics::AttributableFraction> fraction = std::nullopt;  ///< of causes
};

/// Everything that the steps gave.
struct ConditionChain {
  std::vector<ChainedCondition> conditions;  ///< in the order in which they were found
  std::vector<Interaction> interactions;
  std::vector<ConditionTest> interaction_tests;
  statistics::DevianceGain together;  ///< what all frozen terms explain on the confirmation split
  std::optional<statistics::AttributableFraction> fraction = std::nullopt;  ///< of all causes together
  std::int64_t samples[2] = {0, 0};   ///< valid samples of discovery and confirmation
  std::int64_t failures[2] = {0, 0};  ///< among them
};

/// Runs the chain.
///
/// **Shapes**: `valid` holds 1 for every sample of the discovery and of the confirmation split that takes part; empty
/// spans: all do. **Throws** what its steps throw. **Error rate**: if failures depend on nothing but the class, any
/// condition is confirmed with probability at most alpha. **Randomness**: (problem.seed, streams permutations and 7).
[[nodiscard]] ConditionChain find_causes(const Problem& problem, std::span<const std::uint8_t> valid_discovery,
                                         std::span<const std::uint8_t> valid_confirmation,
                                         const ChainOptions& options = {});

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/detail/condition_chain_impl.hpp>
#endif
