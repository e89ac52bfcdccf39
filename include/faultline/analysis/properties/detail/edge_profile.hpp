// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Brightness as a function of the distance from the contour between dark and bright: what an edge looks like on average
// over all of an image's edges. Noise of single pixels averages out in it.

#include <faultline/analysis/properties/detail/plane.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Which pixels are bright; regions of fewer than `smallest` pixels, bright and then dark ones, join what is around
/// them.
struct BrightRegion {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> inside;

  [[nodiscard]] bool at(std::int64_t x, std::int64_t y) const {
    return inside[static_cast<std::size_t>(y * width + x)];
  }
};

inline void join_specks(BrightRegion& region, bool bright, std::int64_t smallest) {
  const std::uint8_t own = bright ? 1 : 0, other = bright ? 0 : 1;
  const Regions regions = regions_of(region.inside, region.width, own);
  for (const Regions::Run& run : regions.runs)
    if (regions.area[run.region] < smallest)
      std::fill(region.inside.begin() + run.begin, region.inside.begin() + run.end, other);
}

[[nodiscard]] inline BrightRegion bright_region(const Plane& plane, float level, std::int64_t smallest) {
  BrightRegion region{plane.height, plane.width, std::vector<std::uint8_t>(plane.values.size())};
  for (std::size_t i = 0; i < plane.values.size(); ++i) region.inside[i] = plane.values[i] > level ? 1 : 0;
  join_specks(region, true, smallest);
  join_specks(region, false, smallest);
  return region;
}

struct Point {
  float x = 0.0f;
  float y = 0.0f;
};

/// Where the line between a bright and a dark neighbour crosses the level, interpolated between their values; half way
/// where a speck was joined.
[[nodiscard]] inline std::vector<Point> contour_points(const Plane& plane, const BrightRegion& region, float level) {
  std::vector<Point> points;
  const auto crossing = [&](float from, float to) {
    const float at = (level - from) / (to - from);
    return at > 0.0f && at < 1.0f ? at : 0.5f;
  };
  for (std::int64_t y = 0; y < plane.height; ++y)
    for (std::int64_t x = 0; x < plane.width; ++x) {
      const float here = plane.row(y)[x];
      const auto fx = static_cast<float>(x), fy = static_cast<float>(y);
      if (x + 1 < plane.width && region.at(x, y) != region.at(x + 1, y))
        points.push_back({fx + crossing(here, plane.row(y)[x + 1]), fy});
      if (y + 1 < plane.height && region.at(x, y) != region.at(x, y + 1))
        points.push_back({fx, fy + crossing(here, plane.row(y + 1)[x])});
    }
  return points;
}

/// Distance of each pixel from the nearest point, `reach` where none is nearer: `[height, width]`.
[[nodiscard]] inline std::vector<float> distances_to(const std::vector<Point>& points, std::int64_t height,
                                                     std::int64_t width, std::int64_t reach) {
  // A margin all around holds every point's whole window: the inner loop has no ends to mind.
  const std::int64_t window = (2 * reach + 2 + 3) / 4 * 4, stride = width + window + 1;
  std::vector<float> squared(static_cast<std::size_t>((height + 2 * reach + 2) * stride),
                             static_cast<float>(reach * reach));
  std::vector<float> across(static_cast<std::size_t>(window));
  for (const Point& point : points) {
    const auto column = static_cast<std::int64_t>(point.x), row = static_cast<std::int64_t>(point.y);
    for (std::int64_t x = 0; x < window; ++x) {
      const float dx = static_cast<float>(column - reach + x) - point.x;
      across[static_cast<std::size_t>(x)] = dx * dx;
    }
    for (std::int64_t y = 0; y < 2 * reach + 2; ++y) {
      const float dy = static_cast<float>(row - reach + y) - point.y, down = dy * dy;
      float* line = squared.data() + (row + y) * stride + column;
      for (std::int64_t x = 0; x < window; ++x) {
        const float here = across[static_cast<std::size_t>(x)] + down;
        line[x] = here < line[x] ? here : line[x];
      }
    }
  }
  std::vector<float> distances(static_cast<std::size_t>(height * width));
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      distances[static_cast<std::size_t>(y * width + x)] =
          std::sqrt(squared[static_cast<std::size_t>((y + reach) * stride + x + reach)]);
  return distances;
}

/// Mean brightness at each whole distance from the contour: index `reach + d` for d from -reach (dark side; all that is
/// as far or farther) to reach.
struct EdgeProfile {
  std::vector<std::int64_t> count;
  std::vector<double> mean;
  double contour = 0.0;  ///< length in pixels: crossings times pi / 4 (Cauchy-Crofton)
};

/// `contour_of` says where the contour runs, `brightness` what is averaged. Without a contour `contour` is 0.
[[nodiscard]] inline EdgeProfile edge_profile(const Plane& contour_of, const Plane& brightness, std::int64_t reach,
                                              std::int64_t smallest) {
  const auto bins = static_cast<std::size_t>(2 * reach + 1);
  EdgeProfile profile{std::vector<std::int64_t>(bins, 0), std::vector<double>(bins, 0.0), 0.0};
  const auto [dark, bright] = dark_and_bright(contour_of);
  if (!(bright - dark >= 0.02f)) return profile;
  const float level = dark + 0.5f * (bright - dark);
  const BrightRegion region = bright_region(contour_of, level, smallest);
  const std::vector<Point> points = contour_points(contour_of, region, level);
  profile.contour = static_cast<double>(points.size()) * std::numbers::pi / 4.0;
  const std::vector<float> distances = distances_to(points, brightness.height, brightness.width, reach);
  for (std::size_t i = 0; i < distances.size(); ++i) {
    const auto distance = static_cast<std::int64_t>(distances[i] + 0.5f);
    const auto bin = static_cast<std::size_t>(region.inside[i] != 0 ? reach + distance : reach - distance);
    ++profile.count[bin];
    profile.mean[bin] += static_cast<double>(brightness.values[i]);
  }
  for (std::size_t k = 0; k < bins; ++k)
    if (profile.count[k] > 0) profile.mean[k] /= static_cast<double>(profile.count[k]);
  return profile;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
