// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A confirmed direction in the form of the report, and the order in which findings are told.

#include <faultline/analysis/conditions/candidates.hpp>
#include <faultline/analysis/report.hpp>

#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Moves the measured parts of a candidate into the form of the report.
[[nodiscard]] Finding make_finding(const FrozenCandidate& candidate, const ConfirmationEffect& confirmation,
                                   double explained, const InterventionEffect& intervention);

void sort_by_strength(std::vector<Finding>& findings);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/make_finding_impl.hpp>
#endif
