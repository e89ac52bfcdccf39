// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/property_distances.hpp.

#include <faultline/analysis/distance/property_distances.hpp>

#include <faultline/analysis/distance/threshold.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<PropertyDistance> measure_property_distances(const FindingContext& context,
                                                                          std::span<const Direction> properties) {
  std::vector<Finding> along;  // without carriers, whose distances would cost as much again
  for (const Direction& property : properties) {
    for (int side = 0; side < 2; ++side) {
      along.emplace_back().direction = property;
      along.back().condition.properties = {property.name};  // measured at the flip
    }
    Direction& less = along.back().direction;
    for (auto* values : {&less.whitened, &less.w})
      for (double& value : *values) value = -value;
  }
  measure_thresholds(context, along, ThresholdScope::flip_only);
  std::vector<PropertyDistance> distances;
  for (std::size_t k = 0; k < along.size(); ++k)
    distances.push_back(
        {along[k].direction.name, k % 2 == 0 ? 1 : -1, std::move(along[k].threshold.flip),
         along[k].threshold.at_flip.empty() ? std::nullopt : std::optional(along[k].threshold.at_flip.front()),
         along[k].validity});
  return distances;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
