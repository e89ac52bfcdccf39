// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/edge_width.hpp.

#include <faultline/analysis/properties/edge_width.hpp>

#include <faultline/analysis/properties/detail/edge_profile.hpp>
#include <faultline/analysis/properties/detail/plane.hpp>
#include <faultline/data/corruptions.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// From 10 to 90 % of a Gaussian's distribution function, in standard deviations.
inline constexpr double width_per_sigma = 2.5631031310892007;

/// What the profile tends to on either side: of the side with more pixels the value farthest away, of the other, which
/// may be a thin stroke, the most extreme. Distances of few pixels do not count. Equal without such distances.
[[nodiscard]] inline std::pair<double, double> plateaus(const EdgeProfile& profile) {
  const std::size_t reach = profile.count.size() / 2;
  const auto side = [&](bool bright, std::int64_t& pixels) {  // from the farthest distance to the nearest
    std::vector<double> means;
    pixels = 0;
    for (std::size_t d = 1; d <= reach; ++d) pixels += profile.count[bright ? reach + d : reach - d];
    for (std::size_t d = reach; d >= 1; --d) {
      const std::size_t bin = bright ? reach + d : reach - d;
      const std::int64_t count = profile.count[bin];
      if (count >= 4 && 20 * count >= pixels) means.push_back(profile.mean[bin]);
    }
    return means;
  };
  std::int64_t dark_pixels = 0, bright_pixels = 0;
  const std::vector<double> dark = side(false, dark_pixels), bright = side(true, bright_pixels);
  if (dark.empty() || bright.empty()) return {0.0, 0.0};
  if (dark_pixels >= bright_pixels) return {dark.front(), *std::max_element(bright.begin(), bright.end())};
  return {*std::min_element(dark.begin(), dark.end()), bright.front()};
}

[[nodiscard]] inline double width_of(const EdgeProfile& profile) {
  if (!(profile.contour > 0.0)) return 0.0;
  const auto [dark, bright] = plateaus(profile);
  if (!(bright - dark >= 0.02)) return 0.0;
  double sum = 0.0;
  for (std::size_t k = 0; k < profile.count.size(); ++k) {
    const double rise = std::clamp((profile.mean[k] - dark) / (bright - dark), 0.0, 1.0);
    sum += static_cast<double>(profile.count[k]) * rise * (1.0 - rise);
  }
  return width_per_sigma * std::sqrt(std::numbers::pi) * sum / profile.contour;
}

}  // namespace detail

FAULTLINE_INLINE double edge_width(std::span<const float> image, const ImageShape& shape) {
  constexpr std::int64_t smallest_region = 8;
  const detail::Plane plane = detail::brightness(image, shape);
  const std::int64_t reach = std::max<std::int64_t>(6, std::min(plane.height, plane.width) / 5);
  double width = detail::width_of(detail::edge_profile(detail::median3(plane), plane, reach, smallest_region));
  for (int round = 0; round < 2 && width > 0.0; ++round) {
    detail::Plane smooth = plane;
    data::gaussian_blur(smooth.values, smooth.height, smooth.width,
                        std::max(0.4, 1.4 * width / detail::width_per_sigma));
    const double found = detail::width_of(detail::edge_profile(smooth, plane, reach, smallest_region));
    if (!(found > 0.0)) break;
    width = found;
  }
  return width;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
