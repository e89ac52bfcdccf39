// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How far well-classified images lie from failure along every measured property (method.md: Distances to failure).

#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/report.hpp>

#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Distances along every property, towards more and towards less, cause or not: what a classifier withstands is worth
/// knowing where it does not break, and is how classifiers compare.
[[nodiscard]] std::vector<PropertyDistance> measure_property_distances(const FindingContext& context,
                                                                       std::span<const Direction> properties);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/property_distances_impl.hpp>
#endif
