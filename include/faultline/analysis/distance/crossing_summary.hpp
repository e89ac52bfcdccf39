// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From the crossings of single start latents to the one distance that is reported.

#include <faultline/analysis/distance/distance_search.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cstddef>
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
inline constexpr double monotone_bar = 0.95;

/// One crossing (p = .5, or the flip) over the start latents of one direction; empty when none of them crosses.
[[nodiscard]] inline std::optional<Crossing> summarise_crossings(std::span<const DistanceSearch> searches, bool flip,
                                                                 const CoordinateRange& range) {
  constexpr double never = std::numeric_limits<double>::infinity();
  Crossing crossing;
  std::vector<double> distances, coordinates, percentiles, rms, ssim;
  double monotone = 0.0, outside = 0.0;
  for (const DistanceSearch& one : searches) {
    if (flip ? one.failed0 : !one.starts_above_half()) {
      ++crossing.left_out;
      continue;
    }
    ++crossing.codes;
    monotone += (flip ? one.flip_comes_back() : one.half_comes_back()) ? 0.0 : 1.0;
    const CrossingSearch& search = flip ? one.flip() : one.half();
    distances.push_back(search.crossed() ? search.far_end() : never);
    coordinates.push_back(search.crossed() ? one.coordinate0 + search.far_end() : never);
    if (!search.crossed()) continue;
    percentiles.push_back(range.percentile(coordinates.back()));
    outside += range.outside(coordinates.back()) ? 1.0 : 0.0;
    const FailingImage& image = flip ? one.flip_image : one.half_image;
    rms.push_back(image.rms);
    ssim.push_back(image.ssim);
  }
  if (percentiles.empty()) return std::nullopt;
  const auto codes = static_cast<double>(crossing.codes);
  const auto crossed = static_cast<double>(percentiles.size());
  const statistics::Interval interval = statistics::median_interval(distances);
  crossing.sigmas = statistics::median(distances);
  crossing.lower = std::max(0.0, interval.lower);
  crossing.upper = interval.upper;
  crossing.quartile_low = statistics::quantile(distances, 0.25);
  crossing.quartile_high = statistics::quantile(distances, 0.75);
  crossing.crossed_share = crossed / codes;
  crossing.percentile = statistics::median(percentiles);
  crossing.monotone_share = monotone / codes;
  crossing.monotone = crossing.monotone_share >= monotone_bar;
  crossing.off_manifold = range.outside(statistics::median(coordinates));
  crossing.off_manifold_share = outside / crossed;
  crossing.image_rms = statistics::median(rms);
  crossing.image_ssim = statistics::median(ssim);
  return crossing;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
