// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From a condition of the chain to an entry of the report.

#include <faultline/analysis/confirm/condition_chain.hpp>
#include <faultline/analysis/finding.hpp>
#include <faultline/analysis/problem/problem.hpp>

#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Entries of the report for the confirmed conditions of a chain.
struct SortedFindings {
  std::vector<Finding> causes;       ///< by the lower bound of the attributable fraction
  std::vector<Finding> associated;   ///< moving them does nothing
  std::vector<Finding> undecided;    ///< moved, without a decision
  std::vector<Finding> not_movable;  ///< not movable, or not by themselves

  /// All lists, in the order of the report.
  [[nodiscard]] std::vector<std::vector<Finding>*> lists() { return {&causes, &associated, &undecided, &not_movable}; }
};

/// What a condition is and what was measured of it so far; titles are made unique later.
[[nodiscard]] Finding make_finding(const Problem& problem, const statistics::Whitening& whitening,
                                   const ChainedCondition& condition, const CauseFractions& fractions);

/// Every confirmed condition on the one list that it belongs to (method.md: Lists and verdicts).
[[nodiscard]] SortedFindings sort_findings(const Problem& problem, const statistics::Whitening& whitening,
                                           const ConditionChain& chain);

/// Names the conditions of all lists: by their properties; a direction that no property explains after what its edit
/// changes most, by more than twice every other change ("slant, as w tells it"), else by its two largest changes
/// ("slant + width"), else "unnamed direction 1". Every title is unique; `direction.name` is the same.
/// Needs `side_effects`.
void name_findings(std::span<std::vector<Finding>* const> lists);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/make_finding_impl.hpp>
#endif
