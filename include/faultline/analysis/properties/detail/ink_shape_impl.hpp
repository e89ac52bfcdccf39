// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/ink_shape.hpp.

#include <faultline/analysis/properties/ink_shape.hpp>

#include <faultline/analysis/properties/detail/plane.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE InkMoments ink_moments(std::span<const float> image, const ImageShape& shape) {
  const detail::Plane plane = detail::median3(detail::brightness(image, shape));
  const auto [dark, bright] = detail::dark_and_bright(plane);
  const float range = bright - dark;
  if (!(range >= 0.02f)) return {};
  const float foot = dark + 0.35f * range;
  const float slope = 1.0f / (0.3f * range);
  double sum = 0.0, x_sum = 0.0, y_sum = 0.0, xx = 0.0, xy = 0.0, yy = 0.0;
  const double x_middle = 0.5 * static_cast<double>(plane.width - 1);
  const double y_middle = 0.5 * static_cast<double>(plane.height - 1);
  for (std::int64_t j = 0; j < plane.height; ++j) {
    const float* line = plane.row(j);
    const double y = y_middle - static_cast<double>(j);
    double weight = 0.0, first = 0.0;
    for (std::int64_t i = 0; i < plane.width; ++i) {
      if (!(line[i] > foot)) continue;
      const auto ink = static_cast<double>(std::min(1.0f, (line[i] - foot) * slope));
      const double x = static_cast<double>(i) - x_middle;
      weight += ink;
      first += ink * x;
      xx += ink * x * x;
    }
    sum += weight;
    x_sum += first;
    y_sum += weight * y;
    xy += first * y;
    yy += weight * y * y;
  }
  if (!(sum > 0.0)) return {};
  const double x = x_sum / sum, y = y_sum / sum;
  return {x, y, std::max(0.0, xx / sum - x * x), xy / sum - x * y, std::max(0.0, yy / sum - y * y)};
}

FAULTLINE_INLINE double bar_of_variance(double variance) noexcept { return std::sqrt(12.0 * variance + 1.0); }

FAULTLINE_INLINE double slant(std::span<const float> image, const ImageShape& shape) {
  const InkMoments ink = ink_moments(image, shape);
  return ink.mu11 / std::max(ink.mu02, 1.0);
}

FAULTLINE_INLINE double ink_width(std::span<const float> image, const ImageShape& shape) {
  const InkMoments ink = ink_moments(image, shape);
  if (ink.mu20 + ink.mu02 == 0.0) return 0.0;
  return bar_of_variance(std::max(0.0, ink.mu20 - ink.mu11 * ink.mu11 / std::max(ink.mu02, 1.0)));
}

FAULTLINE_INLINE double ink_height(std::span<const float> image, const ImageShape& shape) {
  const InkMoments ink = ink_moments(image, shape);
  return ink.mu20 + ink.mu02 == 0.0 ? 0.0 : bar_of_variance(ink.mu02);
}

FAULTLINE_INLINE double horizontal_position(std::span<const float> image, const ImageShape& shape) {
  return ink_moments(image, shape).x;
}

FAULTLINE_INLINE double vertical_position(std::span<const float> image, const ImageShape& shape) {
  return ink_moments(image, shape).y;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
