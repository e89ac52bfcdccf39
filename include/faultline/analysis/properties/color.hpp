// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Measures of an image's colour, for images of three channels (red, green, blue).

#include <faultline/core/image.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Sums of colour below this mean per pixel are divided by it in place of their own: in an image that is all but black,
/// or all but grey, single pixels decide nothing.
inline constexpr double least_color = 0.02;

/// How colourful an image is for its brightness, 0 (grey, or black) to 1 (pure colours).
///
/// **Shapes**: `image` `[3, H, W]` in [0, 1], clamped, NaN as 0; 0 for an image of other than three channels.
/// **Formula**: HSV's saturation, each pixel weighted by its value: Σ (max − min) / Σ max, with the largest and the
/// smallest of a pixel's three channels; Σ max counts as at least .02 per pixel. The ratio of sums rather than the mean
/// of ratios, which dark pixels would decide. A change of brightness by a factor leaves it alone; where values are
/// clamped at 1 colours are lost, and it falls.
/// **Cost**: about 3 µs for 32x32.
/// Example: `saturation(images.image(0), images.shape())`
[[nodiscard]] double saturation(std::span<const float> image, const ImageShape& shape);

/// How many different hues an image has: 0 when all its colours are of one hue, or when it is grey; 1 when they cancel
/// out, as equal amounts of a colour and its complement do.
///
/// **Shapes**: as `saturation`.
/// **Formula**: circular variance of hue weighted by chroma (Mardia and Jupp, Directional Statistics, 2000):
/// 1 − |Σ v| / Σ |v|, where v = (r − (g + b) / 2, √3 (g − b) / 2) points to a pixel's hue and is as long as its chroma;
/// Σ |v| counts as at least .02 per pixel. Grey pixels have no hue and weigh nothing, noise that is the same in all
/// channels changes nothing but by clamping.
/// **Cost**: about 3 µs for 32x32.
/// Example: `hue_spread(images.image(0), images.shape())`
[[nodiscard]] double hue_spread(std::span<const float> image, const ImageShape& shape);

/// How far the mean colour is from grey, 0 to 1 for a pure colour all over.
///
/// **Shapes**: as `saturation`.
/// **Formula**: √(((r − g)² + (g − b)² + (b − r)²) / 2) of the mean red, green and blue, in the values as they are
/// (for sRGB pictures gamma-encoded): √(3/2) times the Euclidean distance from the grey axis, which is the length of
/// the mean of v of `hue_spread`.
/// **Cost**: about 3 µs for 32x32.
/// Example: `color_cast(images.image(0), images.shape())`
[[nodiscard]] double color_cast(std::span<const float> image, const ImageShape& shape);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/properties/detail/color_impl.hpp>
#endif
