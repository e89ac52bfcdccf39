// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Whether the conditions of the discovery split hold on the confirmation split, and how much of the failures each
// explains (method.md: Conditions).

#include <faultline/analysis/conditions/condition.hpp>
#include <faultline/statistics/deviance_gain.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What held-out samples say about one frozen condition.
struct ConditionTest {
  double p = 1.0;                           ///< one-sided, given the conditions before it
  double p_adjusted = 1.0;                  ///< Holm over all conditions that were frozen
  statistics::DevianceGain gain;            ///< share of the null deviance beyond the conditions before it
  std::vector<double> class_gains;          ///< `[classes]` the gain taken apart, in units of deviance
  std::optional<std::int64_t> class_label;  ///< the class that has at least .8 of the gain
};

/// The frozen conditions on held-out samples.
struct ConditionTests {
  std::vector<ConditionTest> conditions;    ///< in the order of the conditions
  std::vector<ConditionTest> interactions;  ///< in the order of the interactions, given all conditions
  statistics::DevianceGain together;        ///< of all conditions and interactions
};

/// The shape that each condition had on the discovery split.
struct FrozenShapes {
  std::vector<std::vector<double>> coefficients;  ///< of the columns of each condition, then of each interaction
  std::vector<double> intercepts = {};            ///< of the classes
};

/// Fits all conditions together on the samples of their selection and keeps the shapes.
[[nodiscard]] FrozenShapes freeze_shapes(const ConditionSample& discovery, const Conditions& found);

/// Tests frozen conditions in their order on held-out samples.
///
/// **Formula**: the value of a condition is the sum of its columns with their frozen coefficients. The first is
/// compared with outcomes permuted within classes (exact: if failures depend on the class alone, any condition is
/// confirmed with probability at most α). A later one is the one-sided efficient score Σ h̃_i (f_i − p̂_i), h̃ the value
/// made orthogonal to class intercepts and the columns of earlier conditions, which are refitted here (frozen, the test
/// would be liberal), with a saddlepoint p-value. Holm over all. Gains are those of values entered one after the other,
/// each with an amplitude of its own.
/// **Throws** what `fit_logistic` does. **Randomness**: (seed, Stream::permutations). **Cost**: `permutations` sums
/// over failures, and one fit per condition.
[[nodiscard]] ConditionTests confirm_conditions(const ConditionSample& confirmation, const Conditions& found,
                                                const FrozenShapes& shapes, std::int64_t seed,
                                                std::int64_t permutations = 9'999);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/confirm_conditions_impl.hpp>
#endif
