// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/noise_level.hpp.

#include <faultline/analysis/properties/noise_level.hpp>

#include <faultline/analysis/properties/detail/plane.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<std::uint8_t> background5(const detail::Plane& plane, float level) {
  const std::int64_t height = plane.height;
  const std::int64_t width = plane.width;
  std::vector<std::uint8_t> dark(static_cast<std::size_t>(height * width)), across(dark.size()),
      background(dark.size());
  for (std::size_t i = 0; i < dark.size(); ++i) dark[i] = plane.values[i] < level ? 1 : 0;
  std::vector<std::uint8_t> padded(static_cast<std::size_t>(width + 4));
  for (std::int64_t y = 0; y < height; ++y) {
    const std::uint8_t* line = dark.data() + y * width;
    for (std::int64_t x = -2; x < width + 2; ++x)
      padded[static_cast<std::size_t>(x + 2)] = line[std::clamp<std::int64_t>(x, 0, width - 1)];
    for (std::size_t x = 0; x < static_cast<std::size_t>(width); ++x)
      across[static_cast<std::size_t>(y * width) + x] =
          static_cast<std::uint8_t>(padded[x] + padded[x + 1] + padded[x + 2] + padded[x + 3] + padded[x + 4]);
  }
  for (std::int64_t y = 0; y < height; ++y) {
    const auto line = [&](std::int64_t offset) {
      return across.data() + std::clamp<std::int64_t>(y + offset, 0, height - 1) * width;
    };
    const std::uint8_t *a = line(-2), *b = line(-1), *c = line(0), *d = line(1), *e = line(2);
    std::uint8_t* target = background.data() + y * width;
    for (std::int64_t x = 0; x < width; ++x) target[x] = a[x] + b[x] + c[x] + d[x] + e[x] > 12 ? 1 : 0;
  }
  return background;
}

namespace detail {

/// Brightness of the background: the quarter of the pixels that is darkest after a 3x3 median ends there. Strokes are
/// fewer than three quarters, and bright; on black it is 0, with noise as well.
[[nodiscard]] inline float ground_level(const Plane& plane) {
  std::vector<float> values = median3(plane).values;
  const auto quarter = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 4);
  std::nth_element(values.begin(), quarter, values.end());
  return *quarter;
}

}  // namespace detail

FAULTLINE_INLINE double noise_level(std::span<const float> image, const ImageShape& shape) {
  if (shape.height < 3 || shape.width < 3) return 0.0;
  const detail::Plane plane = detail::brightness(image, shape);
  const float ground = detail::ground_level(plane);
  std::vector<std::uint8_t> background = background5(plane, ground + 0.1f);
  if (ground > 0.1f) {  // else nothing is that much darker
    const std::vector<std::uint8_t> darker = background5(plane, ground - 0.1f);
    for (std::size_t i = 0; i < background.size(); ++i) background[i] &= static_cast<std::uint8_t>(1 - darker[i]);
  }
  const std::int64_t width = plane.width;
  double inside = 0.0;
  double everywhere = 0.0;
  std::int64_t count = 0;
  for (std::int64_t y = 1; y + 1 < plane.height; ++y) {
    const float *a = plane.row(y - 1), *b = plane.row(y), *c = plane.row(y + 1);
    const std::uint8_t* here = background.data() + y * width;
    for (std::int64_t x = 1; x + 1 < width; ++x) {
      const float residual = std::abs(4.0f * b[x] - 2.0f * (b[x - 1] + b[x + 1] + a[x] + c[x]) + a[x - 1] + a[x + 1] +
                                      c[x - 1] + c[x + 1]);
      const int dark = here[x - width - 1] + here[x - width] + here[x - width + 1] + here[x - 1] + here[x] +
                       here[x + 1] + here[x + width - 1] + here[x + width] + here[x + width + 1];
      everywhere += static_cast<double>(residual);
      if (dark == 9) {
        inside += static_cast<double>(residual);
        ++count;
      }
    }
  }
  const std::int64_t all = (plane.height - 2) * (width - 2);
  const double mean = 16 * count >= all ? inside / static_cast<double>(count) : everywhere / static_cast<double>(all);
  return std::sqrt(std::numbers::pi / 2.0) / 6.0 * mean;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
