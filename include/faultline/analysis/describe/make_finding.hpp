// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A confirmed direction in the form of the report, and the order in which findings are told.

#include <faultline/analysis/conditions/candidates.hpp>
#include <faultline/analysis/report.hpp>

#include <algorithm>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Moves the measured parts of a candidate into the form of the report.
[[nodiscard]] inline Finding make_finding(const FrozenCandidate& candidate, const ConfirmationEffect& confirmation,
                                          double explained, const InterventionEffect& intervention) {
  Finding finding;
  finding.direction = candidate.direction;
  finding.direction.explained = explained;
  finding.discovery = {candidate.discovery_effect, candidate.discovery_auc};
  finding.confirmation = confirmation;
  finding.intervention = intervention;
  return finding;
}

inline void sort_by_strength(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.intervention.lower > b.intervention.lower; });
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
