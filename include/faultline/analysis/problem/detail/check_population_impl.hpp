// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/check_population.hpp.

#include <faultline/analysis/problem/check_population.hpp>

#include <faultline/error.hpp>

#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE void check_population(const Problem& problem, const Population& split, const char* name) {
  const auto n = split.index.size();
  if (n == 0) throw Error(ErrorCode::empty_input, "analyze", std::string("the ") + name + " split has no samples");
  if (split.label.size() != n || split.failed.size() != n || (!split.valid.empty() && split.valid.size() != n) ||
      split.w.rows() != split.size() || split.w.cols() != problem.style_matrix.cols() ||
      split.properties.cols() != static_cast<std::int64_t>(problem.property_names.size()) ||
      (split.properties.rows() != split.size() && split.properties.cols() > 0)) {
    throw Error(ErrorCode::shape_mismatch, "analyze",
                std::string("the arrays of the ") + name + " split do not fit together or not the style matrix");
  }
  for (const auto* marks : {&problem.property_candidates, &problem.property_specific})
    if (!marks->empty() && marks->size() != problem.property_names.size())
      throw Error(ErrorCode::shape_mismatch, "analyze",
                  "property_candidates and property_specific must be empty or have one entry per property");
  if (!problem.property_units.empty() && problem.property_units.size() != problem.property_names.size())
    throw Error(ErrorCode::shape_mismatch, "analyze", "property_units must be empty or have one entry per property");
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
