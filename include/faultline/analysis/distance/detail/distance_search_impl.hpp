// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/distance_search.hpp.

#include <faultline/analysis/distance/distance_search.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE SearchRules distance_rules() {
  return {.grid = even_grid(grid_step, grid_points), .tolerance = crossing_tolerance};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
