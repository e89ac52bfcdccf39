// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From two classified populations to conditions, and from conditions to causes: the steps of sections 5.1 to 5.5 of the
// method in their order.

#include <faultline/analysis/conditions/condition.hpp>
#include <faultline/analysis/confirm/cause_fractions.hpp>
#include <faultline/analysis/confirm/condition_effects.hpp>
#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/analysis/confirm/find_conditions.hpp>
#include <faultline/analysis/problem/options.hpp>
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
  ConditionOptions conditions = {};  ///< its alpha is also the family-wise error of effects
  EffectOptions effects = {};
  bool interventions = true;
  ProgressCallback progress = nullptr;
};

/// As the options of an analysis say.
[[nodiscard]] ChainOptions chain_options(const MethodOptions& options);

/// What conditions are sought in: the valid samples of both splits in whitened coordinates.
struct ConditionGround {
  statistics::Whitening whitening;                           ///< of both splits together: no outcome enters
  Matrix<double> discovery_whitened, confirmation_whitened;  ///< `[N, r]` of all samples, valid or not
  ReadingVectors reading_vectors;
  ConditionSample discovery, confirmation;  ///< of the valid samples
};

/// Prepares the ground: whitening, reading vectors, samples in ranks.
///
/// Everything that reaches the styles above rounding is kept by the whitening.
/// **Throws** `shape_mismatch`, `label_out_of_range`, `invalid_argument` for a property that is not finite.
/// **Cost**: N r (r + P).
[[nodiscard]] ConditionGround prepare_ground(const Problem& problem);

/// Puts other outcomes on prepared ground: those of a problem with the same samples, of which other ones may be valid.
/// Whitening and reading vectors, which see no outcome, stay.
void set_outcomes(ConditionGround& ground, const Problem& problem);

/// A tested condition and what moving it did.
struct ChainedCondition : TestedCondition {
  ConditionEdit edit = {};      ///< of confirmed conditions
  ConditionEffect effect = {};  ///< of those that can be moved
  bool cause = false;           ///< whether moving it changes the failure rate
  std::optional<statistics::AttributableFraction> fraction = std::nullopt;  ///< of causes
};

/// Everything that the steps gave.
struct ConditionChain {
  std::vector<ChainedCondition> conditions;  ///< in the order in which they were found
  std::vector<TestedInteraction> interactions;
  statistics::DevianceGain together;  ///< what all frozen terms explain on the confirmation split
  std::int64_t candidates = 0;        ///< terms that were compared
  CauseFractions fractions = {};      ///< in the order of the causes among `conditions`
  std::int64_t samples[2] = {0, 0};   ///< valid samples of discovery and confirmation
  std::int64_t failures[2] = {0, 0};  ///< among them
};

/// Runs the chain on the valid samples of a problem.
///
/// **Throws** what its steps throw. **Error rate**: if failures depend on nothing but the class, any condition is
/// confirmed with probability at most alpha. **Randomness**: (problem.seed, streams permutations and 7).
/// Example: `ConditionChain chain = find_causes(problem);`
[[nodiscard]] ConditionChain find_causes(const Problem& problem, const ChainOptions& options = {});

/// The same on prepared ground, with interventions on latents that are drawn from `held_out`.
[[nodiscard]] ConditionChain find_causes(const Problem& problem, const ConditionGround& ground,
                                         HeldOutLatents& held_out, const ChainOptions& options);

/// The steps after the test, 5.3 to 5.5: what moving the conditions does that `tested` calls confirmed. For callers who
/// test several problems together; `ground` holds the outcomes that were tested.
[[nodiscard]] ConditionChain prove_causes(const Problem& problem, const ConditionGround& ground,
                                          HeldOutLatents& held_out, TestedConditions tested,
                                          const ChainOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/condition_chain_impl.hpp>
#endif
