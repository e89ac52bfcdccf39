// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Where failures and successes lie along a direction: the counts behind figure 4.

#include <faultline/analysis/report.hpp>
#include <faultline/sampling/population.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Counts of a coordinate in 40 bins over −4 .. 4 standard deviations; values beyond either end are in the last bin on
/// that side.
[[nodiscard]] CoordinateHistogram coordinate_histogram(std::span<const double> values, const Population& population,
                                                       std::optional<std::int64_t> label);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/coordinate_histogram_impl.hpp>
#endif
