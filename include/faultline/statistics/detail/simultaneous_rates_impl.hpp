// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/simultaneous_rates.hpp.

#include <faultline/statistics/simultaneous_rates.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE std::vector<Interval> simultaneous_rates(std::span<const std::int64_t> failures,
                                                          std::span<const std::int64_t> trials, double confidence) {
  constexpr const char* where = "simultaneous_rates";
  detail::require_confidence(where, confidence);
  if (failures.size() != trials.size()) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected as many trials as failures, got " + std::to_string(trials.size()) + " and " +
                    std::to_string(failures.size()));
  }
  const auto measured = std::count_if(trials.begin(), trials.end(), [](std::int64_t n) { return n != 0; });
  const double each = measured == 0 ? confidence : std::pow(confidence, 1.0 / static_cast<double>(measured));
  std::vector<Interval> intervals;
  for (std::size_t c = 0; c < trials.size(); ++c) {
    detail::require_counts(where, failures[c], trials[c]);
    intervals.push_back(clopper_pearson(failures[c], trials[c], each));
  }
  return intervals;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
