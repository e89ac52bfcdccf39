// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/make_finding.hpp.

#include <faultline/analysis/describe/make_finding.hpp>
#include <algorithm>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE Finding make_finding(const FrozenCandidate& candidate, const ConfirmationEffect& confirmation,
                                      double explained, const InterventionEffect& intervention) {
  Finding finding;
  finding.direction = candidate.direction;
  finding.direction.explained = explained;
  finding.discovery = {candidate.discovery_effect, candidate.discovery_auc};
  finding.confirmation = confirmation;
  finding.intervention = intervention;
  return finding;
}

FAULTLINE_INLINE void sort_by_strength(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.intervention.lower > b.intervention.lower; });
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
