// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/coordinate_histogram.hpp.

#include <faultline/analysis/describe/coordinate_histogram.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE CoordinateHistogram coordinate_histogram(std::span<const double> values, const Population& population,
                                                          std::optional<std::int64_t> label) {
  constexpr std::int64_t bins = 40;
  CoordinateHistogram histogram;
  histogram.lower = -4.0;
  histogram.upper = 4.0;
  histogram.failed.assign(bins, 0);
  histogram.passed.assign(bins, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (label && population.label[i] != *label) continue;
    const double position =
        std::floor((values[i] - histogram.lower) / (histogram.upper - histogram.lower) * static_cast<double>(bins));
    const auto bin = static_cast<std::size_t>(std::clamp(position, 0.0, static_cast<double>(bins - 1)));
    ++(population.failed[i] != 0 ? histogram.failed : histogram.passed)[bin];
  }
  return histogram;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
