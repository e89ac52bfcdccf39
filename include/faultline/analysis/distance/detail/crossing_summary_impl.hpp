// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/crossing_summary.hpp.

#include <faultline/analysis/distance/crossing_summary.hpp>
#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::optional<Crossing> summarise_crossings(std::span<const DistanceSearch> searches, bool flip,
                                                             const CoordinateRange& range) {
  constexpr double never = std::numeric_limits<double>::infinity();
  Crossing crossing;
  std::vector<double> distances, coordinates, percentiles, rms, ssim;
  double monotone = 0.0, outside = 0.0;
  for (const DistanceSearch& one : searches) {
    if (flip ? one.failed0 : !one.starts_above_even_odds()) {
      ++crossing.left_out;
      continue;
    }
    ++crossing.latents;
    monotone += (flip ? one.flip_comes_back() : one.even_odds_comes_back()) ? 0.0 : 1.0;
    const CrossingSearch& search = flip ? one.flip() : one.even_odds();
    distances.push_back(search.crossed() ? search.far_end() : never);
    coordinates.push_back(search.crossed() ? one.coordinate0 + search.far_end() : never);
    if (!search.crossed()) continue;
    percentiles.push_back(range.percentile(coordinates.back()));
    outside += range.outside(coordinates.back()) ? 1.0 : 0.0;
    const FailingImage& image = flip ? one.flip_image : one.even_odds_image;
    rms.push_back(image.rms);
    ssim.push_back(image.ssim);
  }
  if (percentiles.empty()) return std::nullopt;
  const auto latents = static_cast<double>(crossing.latents);
  const auto crossed = static_cast<double>(percentiles.size());
  const statistics::Interval interval = statistics::median_interval(distances);
  crossing.sigmas = statistics::median(distances);
  crossing.lower = std::max(0.0, interval.lower);
  crossing.upper = interval.upper;
  crossing.quartile_low = statistics::quantile(distances, 0.25);
  crossing.quartile_high = statistics::quantile(distances, 0.75);
  crossing.crossed_share = crossed / latents;
  crossing.percentile = statistics::median(percentiles);
  crossing.monotone_share = monotone / latents;
  crossing.monotone = crossing.monotone_share >= least_monotone_share;
  crossing.off_manifold = range.outside(statistics::median(coordinates));
  crossing.off_manifold_share = outside / crossed;
  crossing.image_rms = statistics::median(rms);
  crossing.image_ssim = statistics::median(ssim);
  return crossing;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
