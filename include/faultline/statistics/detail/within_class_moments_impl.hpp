// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/within_class_moments.hpp.

#include <faultline/statistics/within_class_moments.hpp>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE std::vector<std::int64_t> outcome_groups(std::span<const std::int64_t> labels,
                                                          std::span<const std::uint8_t> failed, const Strata& strata) {
  std::vector<std::int64_t> group(labels.size(), -1);
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (strata.uses(labels[i])) group[i] = outcome_group(labels[i], failed[i] != 0);
  return group;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
