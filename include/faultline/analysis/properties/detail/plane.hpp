// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The brightness plane that image properties are measured on, and the few filters they share.

#include <faultline/core/image.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// One image as brightness: `[height, width]`, row-major.
struct Plane {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<float> values;

  [[nodiscard]] const float* row(std::int64_t y) const noexcept { return values.data() + y * width; }
  [[nodiscard]] float* row(std::int64_t y) noexcept { return values.data() + y * width; }
};

/// Mean over the channels, each value first clamped to [0, 1] (NaN counts as 0): whatever the pixels are, the measures
/// stay finite.
[[nodiscard]] inline Plane brightness(std::span<const float> image, const ImageShape& shape) {
  Plane plane{shape.height, shape.width,
              std::vector<float>(static_cast<std::size_t>(shape.height * shape.width), 0.0f)};
  const std::size_t pixels = plane.values.size();
  const float weight = 1.0f / static_cast<float>(shape.channels);
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    const float* source = image.data() + static_cast<std::size_t>(c) * pixels;
    for (std::size_t i = 0; i < pixels; ++i)
      plane.values[i] += weight * (source[i] > 0.0f ? std::min(source[i], 1.0f) : 0.0f);
  }
  return plane;
}

/// Median of each pixel's 3x3 neighbourhood, edge pixels repeated. Columns are sorted first, so each pixel needs only
/// the largest of the three minima, the median of the three medians and the smallest of the three maxima; the median of
/// those is the median of all nine (Smith, 1996).
[[nodiscard]] inline Plane median3(const Plane& in) {
  Plane out{in.height, in.width, std::vector<float>(in.values.size())};
  const auto width = static_cast<std::size_t>(in.width);
  std::vector<float> low(width + 2), mid(width + 2), high(width + 2);
  const auto median = [](float a, float b, float c) { return std::max(std::min(a, b), std::min(std::max(a, b), c)); };
  for (std::int64_t y = 0; y < in.height; ++y) {
    const float* above = in.row(std::max<std::int64_t>(y - 1, 0));
    const float* here = in.row(y);
    const float* below = in.row(std::min(y + 1, in.height - 1));
    for (std::size_t x = 0; x < width; ++x) {
      low[x + 1] = std::min(std::min(above[x], here[x]), below[x]);
      mid[x + 1] = median(above[x], here[x], below[x]);
      high[x + 1] = std::max(std::max(above[x], here[x]), below[x]);
    }
    for (std::vector<float>* line : {&low, &mid, &high}) {
      line->front() = (*line)[1];
      line->back() = (*line)[width];
    }
    float* target = out.row(y);
    for (std::size_t x = 0; x < width; ++x)
      target[x] = median(std::max(std::max(low[x], low[x + 1]), low[x + 2]), median(mid[x], mid[x + 1], mid[x + 2]),
                         std::min(std::min(high[x], high[x + 1]), high[x + 2]));
  }
  return out;
}

/// The values below which 2 % and 98 % of the pixels lie: the darkest and brightest level, without the outliers that
/// single pixels are.
[[nodiscard]] inline std::pair<float, float> dark_and_bright(const Plane& plane) {
  if (plane.values.empty()) return {0.0f, 0.0f};
  const auto last = static_cast<std::int64_t>(plane.values.size()) - 1;
  const auto at = [&](double share) { return std::lround(share * static_cast<double>(last)); };
  // both are near an end: few values are kept in order, which costs less than parting all of them
  const auto outermost = [&](std::int64_t count, const auto& before) {
    float extreme = plane.values.front();
    for (const float value : plane.values) extreme = before(value, extreme) ? value : extreme;
    if (std::count(plane.values.begin(), plane.values.end(), extreme) >= count) return extreme;  // a black ground
    std::vector<float> kept(static_cast<std::size_t>(count));
    std::partial_sort_copy(plane.values.begin(), plane.values.end(), kept.begin(), kept.end(), before);
    return kept.back();
  };
  return {outermost(at(0.02) + 1, std::less<>()), outermost(last - at(0.98) + 1, std::greater<>())};
}

/// Regions of pixels that are joined side by side, as the runs of their rows.
struct Regions {
  struct Run {
    std::int64_t begin = 0;  // positions of pixels
    std::int64_t end = 0;
    std::size_t region = 0;
  };
  std::vector<Run> runs;           // from the first pixel to the last
  std::vector<std::int64_t> area;  // pixels of each region, in the order of their first ones
};

/// The regions of pixels that are `wanted` in `of` `[h * width]`: runs of neighbouring rows that share a column are
/// joined (Rosenfeld and Pfaltz 1966, on runs).
[[nodiscard]] inline Regions regions_of(const std::vector<std::uint8_t>& of, std::int64_t width, std::uint8_t wanted) {
  Regions result;
  std::vector<Regions::Run>& runs = result.runs;
  std::vector<std::size_t> parent;  // of a run; the root of a region is its first run
  const auto root = [&](std::size_t run) {
    while (parent[run] != run) run = parent[run] = parent[parent[run]];
    return run;
  };
  std::size_t above = 0, above_end = 0;
  const auto size = static_cast<std::int64_t>(of.size());
  for (std::int64_t row = 0; row < size; row += width) {
    const std::size_t first = runs.size();
    for (std::int64_t x = row; x < row + width;) {
      if (of[static_cast<std::size_t>(x)] != wanted) {
        ++x;
        continue;
      }
      const std::int64_t begin = x;
      while (x < row + width && of[static_cast<std::size_t>(x)] == wanted) ++x;
      const std::size_t own = runs.size();
      runs.push_back({begin, x});
      parent.push_back(own);
      while (above < above_end && runs[above].end + width <= begin) ++above;
      for (std::size_t k = above; k < above_end && runs[k].begin + width < x; ++k) {
        const std::size_t a = root(k), b = root(own);
        parent[std::max(a, b)] = std::min(a, b);
      }
    }
    above = first;
    above_end = runs.size();
  }
  for (std::size_t run = 0; run < runs.size(); ++run) {
    const std::size_t first = root(run);
    if (first == run) {
      runs[run].region = result.area.size();
      result.area.push_back(0);
    } else {
      runs[run].region = runs[first].region;
    }
    result.area[runs[run].region] += runs[run].end - runs[run].begin;
  }
  return result;
}

/// Pixels above a level, and the length in pixels of the contour around them.
struct Region {
  double area = 0.0;
  /// Crossings between horizontal and vertical neighbours times pi / 4: unbiased for a contour without preferred
  /// orientation (Cauchy-Crofton)
  double contour = 0.0;
};

[[nodiscard]] inline Region region_above(const Plane& plane, float level) {
  std::int64_t area = 0;
  std::int64_t crossings = 0;
  for (std::int64_t y = 0; y < plane.height; ++y) {
    const float* here = plane.row(y);
    const float* below = plane.row(std::min(y + 1, plane.height - 1));
    for (std::int64_t x = 0; x < plane.width; ++x) {
      area += here[x] > level;
      crossings += (here[x] > level) != (below[x] > level);
    }
    for (std::int64_t x = 0; x + 1 < plane.width; ++x) crossings += (here[x] > level) != (here[x + 1] > level);
  }
  return {static_cast<double>(area), static_cast<double>(crossings) * std::numbers::pi / 4.0};
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
