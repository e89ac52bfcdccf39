// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Where the ink of a drawing lies and how it is spread: position, width, height and slant, from moments of the ink
// alone.

#include <faultline/analysis/properties/detail/plane.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Centre and central second moments of the ink, in pixels; x to the right, y upwards, both from the middle of the
/// image.
struct InkMoments {
  double x = 0.0;
  double y = 0.0;
  double mu20 = 0.0;  ///< mean of (x - centre)^2
  double mu11 = 0.0;
  double mu02 = 0.0;
};

/// Moments of what is bright after a 3x3 median: a pixel weighs 0 below 35 % of the range of brightness, 1 above 65 %,
/// and in between in proportion, so that noise on the background weighs nothing, and neither veil nor fading nor a
/// wider edge moves the contour. The median takes up to a pixel off the ends of thin strokes. All zero for an image
/// whose range is below .02.
[[nodiscard]] inline InkMoments ink_moments(std::span<const float> image, const ImageShape& shape) {
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

/// Side of a solid bar of pixels with this variance: a bar of n pixels has variance (n^2 - 1) / 12.
[[nodiscard]] inline double bar_of_variance(double variance) noexcept { return std::sqrt(12.0 * variance + 1.0); }

/// How far the ink leans, in pixels to the right per pixel upwards: **positive leans to the right** like an italic
/// letter, negative to the left, 0 stands upright or is empty.
///
/// **Shapes**: `image` `[C, H, W]` in [0, 1], averaged over C. The tangent of the angle to the vertical; a shear of k
/// adds k.
/// **Formula**: μ11 / μ02 of the ink (see `detail::ink_moments`) with y upwards; μ02 counts as at least 1, below which
/// a flat line has no slant to speak of.
/// **Cost**: about 15 µs for 32x32, as for width, height and position.
/// Example: `slant(images.image(0), images.shape())`
[[nodiscard]] inline double slant(std::span<const float> image, const ImageShape& shape) {
  const InkMoments ink = ink_moments(image, shape);
  return ink.mu11 / std::max(ink.mu02, 1.0);
}

/// Width in pixels of the ink across its slant: leaning makes a letter no wider. A solid bar of n pixels has width n;
/// an image without ink has width 0.
///
/// **Formula**: √(12 (μ20 − μ11² / μ02) + 1): the spread of x that is left when its regression on y is taken off.
/// `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] inline double ink_width(std::span<const float> image, const ImageShape& shape) {
  const InkMoments ink = ink_moments(image, shape);
  if (ink.mu20 + ink.mu02 == 0.0) return 0.0;
  return bar_of_variance(std::max(0.0, ink.mu20 - ink.mu11 * ink.mu11 / std::max(ink.mu02, 1.0)));
}

/// Height in pixels of the ink: √(12 μ02 + 1), so that a solid bar of n pixels has height n; an image without ink has
/// height 0. `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] inline double ink_height(std::span<const float> image, const ImageShape& shape) {
  const InkMoments ink = ink_moments(image, shape);
  return ink.mu20 + ink.mu02 == 0.0 ? 0.0 : bar_of_variance(ink.mu02);
}

/// Offset of the centre of the ink from the middle of the image, in pixels, **positive to the right**; 0 without ink.
/// `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] inline double horizontal_position(std::span<const float> image, const ImageShape& shape) {
  return ink_moments(image, shape).x;
}

/// The same, **positive upwards**.
[[nodiscard]] inline double vertical_position(std::span<const float> image, const ImageShape& shape) {
  return ink_moments(image, shape).y;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
