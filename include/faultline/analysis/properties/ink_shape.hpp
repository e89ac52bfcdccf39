// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Where the ink of a drawing lies and how it is spread: position, width, height and slant, from moments of the ink
// alone.

#include <faultline/core/image.hpp>

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
[[nodiscard]] InkMoments ink_moments(std::span<const float> image, const ImageShape& shape);

/// Side of a solid bar of pixels with this variance: a bar of n pixels has variance (n^2 - 1) / 12.
[[nodiscard]] double bar_of_variance(double variance) noexcept;

/// How far the ink leans, in pixels to the right per pixel upwards: **positive leans to the right** like an italic
/// letter, negative to the left, 0 stands upright or is empty.
///
/// **Shapes**: `image` `[C, H, W]` in [0, 1], averaged over C. The tangent of the angle to the vertical; a shear of k
/// adds k.
/// **Formula**: μ11 / μ02 of the ink (see `detail::ink_moments`) with y upwards; μ02 counts as at least 1, below which
/// a flat line has no slant to speak of.
/// **Cost**: about 15 µs for 32x32, as for width, height and position.
/// Example: `slant(images.image(0), images.shape())`
[[nodiscard]] double slant(std::span<const float> image, const ImageShape& shape);

/// Width in pixels of the ink across its slant: leaning makes a letter no wider. A solid bar of n pixels has width n;
/// an image without ink has width 0.
///
/// **Formula**: √(12 (μ20 − μ11² / μ02) + 1): the spread of x that is left when its regression on y is taken off.
/// `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] double ink_width(std::span<const float> image, const ImageShape& shape);

/// Height in pixels of the ink: √(12 μ02 + 1), so that a solid bar of n pixels has height n; an image without ink has
/// height 0. `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] double ink_height(std::span<const float> image, const ImageShape& shape);

/// Offset of the centre of the ink from the middle of the image, in pixels, **positive to the right**; 0 without ink.
/// `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] double horizontal_position(std::span<const float> image, const ImageShape& shape);

/// The same, **positive upwards**.
[[nodiscard]] double vertical_position(std::span<const float> image, const ImageShape& shape);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/properties/detail/ink_shape_impl.hpp>
#endif
