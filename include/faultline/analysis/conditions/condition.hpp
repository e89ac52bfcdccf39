// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Conditions: what failures go with, each made of all the terms that say something about it (method.md: Conditions).

#include <faultline/analysis/conditions/select_terms.hpp>
#include <faultline/analysis/finding.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// One condition of a selection.
struct Condition {
  ConditionKind kind = ConditionKind::property;
  std::vector<std::int64_t> properties;  ///< one; two of a pair; several that matter by one sum; none of a direction
  std::optional<std::int64_t> class_label = std::nullopt;  ///< when the terms are all of one class
  std::vector<Term> terms;
  double gain = 0.0;  ///< of its terms when they were accepted, in units of deviance

  friend bool operator==(const Condition&, const Condition&) = default;
};

/// Two conditions that are more (or less) together than each by itself: a pair term whose members are conditions.
struct Interaction {
  std::int64_t first = 0;   ///< position of the condition of the first property
  std::int64_t second = 0;  ///< of the second
  Term term;
  double gain = 0.0;
};

/// Conditions in the order in which they were found.
struct Conditions {
  std::vector<Condition> conditions;
  std::vector<Interaction> interactions;
};

/// Gathers the terms of a selection into conditions.
///
/// One property, one pair, one subspace: one condition. A property that was accepted after a pair that it is in belongs
/// to the pair; a pair of two properties that are conditions already is an interaction. Conditions whose projections
/// act by one sum are merged: where a spline along a single direction in the span of their reading vectors fits as well
/// as a spline of each (Akaike's criterion, refitted), they are one condition over several properties.
[[nodiscard]] Conditions gather_conditions(const ConditionSample& sample, const ReadingVectors& reading_vectors,
                                           const SelectedTerms& selection);

/// Name of a condition: "blur", "blur and noise level, when both", "slant + width together", "unnamed direction 1".
[[nodiscard]] std::string condition_name(const Condition& condition, std::span<const std::string> property_names,
                                         std::int64_t unnamed = 1);

/// Share of `runs` random half-samples of the discovery split in which each condition is chosen again: a condition over
/// the same properties, or a direction of which half lies in the span of the other.
///
/// **Randomness**: half-sample b from (seed, stream 7, 1 + b). **Cost**: `runs` selections, without cross-validation.
[[nodiscard]] std::vector<double> stability(const ConditionSample& sample, const ReadingVectors& reading_vectors,
                                            std::span<const std::uint8_t> admitted, const Conditions& found,
                                            const SelectionOptions& options, std::int64_t runs = 20);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/conditions/detail/condition_impl.hpp>
#endif
