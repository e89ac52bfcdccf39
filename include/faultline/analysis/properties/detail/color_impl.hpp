// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/color.hpp.

#include <faultline/analysis/properties/color.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// What the measures of colour are made of: means over the pixels.
struct MeanColor {
  double value = 0.0;   ///< of the largest channel
  double range = 0.0;   ///< of the largest channel less the smallest
  double chroma = 0.0;  ///< of the length of v
  double along = 0.0;   ///< first component of the mean of v, towards red
  double across = 0.0;  ///< second component
};

/// All zero for an image without pixels or of other than three channels.
[[nodiscard]] inline MeanColor mean_color(std::span<const float> image, const ImageShape& shape) {
  const auto pixels = static_cast<std::size_t>(shape.height * shape.width);
  if (shape.channels != 3 || pixels == 0) return {};
  const auto at = [&](std::size_t channel, std::size_t i) {
    const float v = image[channel * pixels + i];
    return v > 0.0f ? static_cast<double>(std::min(v, 1.0f)) : 0.0;
  };
  const double half_root_3 = 0.5 * std::sqrt(3.0);
  MeanColor sum;
  for (std::size_t i = 0; i < pixels; ++i) {
    const double r = at(0, i), g = at(1, i), b = at(2, i);
    const double largest = std::max({r, g, b});
    // differences of channels first, so that grey is exactly without colour
    const double along = 0.5 * ((r - g) + (r - b)), across = half_root_3 * (g - b);
    sum.value += largest;
    sum.range += largest - std::min({r, g, b});
    sum.chroma += std::sqrt(along * along + across * across);
    sum.along += along;
    sum.across += across;
  }
  const auto n = static_cast<double>(pixels);
  return {sum.value / n, sum.range / n, sum.chroma / n, sum.along / n, sum.across / n};
}

}  // namespace detail

FAULTLINE_INLINE double saturation(std::span<const float> image, const ImageShape& shape) {
  const detail::MeanColor mean = detail::mean_color(image, shape);
  return mean.range / std::max(mean.value, least_color);
}

FAULTLINE_INLINE double hue_spread(std::span<const float> image, const ImageShape& shape) {
  const detail::MeanColor mean = detail::mean_color(image, shape);
  return std::max(0.0, mean.chroma - std::hypot(mean.along, mean.across)) / std::max(mean.chroma, least_color);
}

FAULTLINE_INLINE double color_cast(std::span<const float> image, const ImageShape& shape) {
  const detail::MeanColor mean = detail::mean_color(image, shape);
  return std::hypot(mean.along, mean.across);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
