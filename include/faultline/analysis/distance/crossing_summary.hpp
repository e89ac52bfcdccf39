// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From the crossings of single start latents to the one distance that is reported.

#include <faultline/analysis/distance/distance_search.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Coordinates of a population along a direction, each off its class mean, in order.
class CoordinateRange {
 public:
  CoordinateRange() = default;
  explicit CoordinateRange(std::vector<double> values) : sorted_(std::move(values)) {
    std::sort(sorted_.begin(), sorted_.end());
    if (sorted_.empty()) return;
    low_ = statistics::quantile(sorted_, 0.001);
    high_ = statistics::quantile(sorted_, 0.999);
  }

  /// Share of the population below a coordinate, equal ones counted half, in percent.
  [[nodiscard]] double percentile(double value) const {
    if (sorted_.empty()) return 0.0;
    const auto [first, last] = std::equal_range(sorted_.begin(), sorted_.end(), value);
    const double below = static_cast<double>(first - sorted_.begin()) + 0.5 * static_cast<double>(last - first);
    return 100.0 * below / static_cast<double>(sorted_.size());
  }
  /// Outside the .1 to 99.9 % quantiles.
  [[nodiscard]] bool outside(double value) const noexcept { return value < low_ || value > high_; }

 private:
  std::vector<double> sorted_;
  double low_ = -std::numeric_limits<double>::infinity();
  double high_ = std::numeric_limits<double>::infinity();
};

/// Share of monotone profiles from which a crossing counts as monotone.
inline constexpr double least_monotone_share = 0.95;

/// One crossing (p = .5, or the flip) over the start latents of one direction; empty when none of them crosses.
[[nodiscard]] std::optional<Crossing> summarise_crossings(std::span<const DistanceSearch> searches, bool flip,
                                                          const CoordinateRange& range);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/crossing_summary_impl.hpp>
#endif
