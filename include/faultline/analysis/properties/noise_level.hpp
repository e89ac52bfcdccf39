// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How noisy an image is (Immerkaer: Fast noise variance estimation, Computer Vision and Image Understanding 64, 1996),
// blind to strokes.

#include <faultline/analysis/properties/detail/plane.hpp>
#include <faultline/core/image.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// 1 where more than half of the 5x5 neighbourhood (edge pixels repeated) is darker than `level`, which is where its
/// median is.
[[nodiscard]] std::vector<std::uint8_t> background5(const detail::Plane& plane, float level);

/// Standard deviation of pixel noise, estimated on the background: about .6 of the added noise where it is black and
/// clipping at 0 removes half of it.
///
/// **Shapes**: `image` `[C, H, W]` in [0, 1], averaged over C. Result ≥ 0; 0 below 3x3 pixels.
/// **Formula**: √(π/2) / 6 times the mean of |1 -2 1; -2 4 -2; 1 -2 1| (a filter that smooth brightness does not pass)
/// over the pixels whose whole 3x3 neighbourhood is background: strokes have edges, which that filter would take for
/// noise. Background has a 5x5 median that differs by less than .1 from the lower quartile of the image's 3x3 medians,
/// which is 0 on black. An image with less than 1/16 background is measured everywhere.
/// **Cost**: about 20 µs for 32x32.
/// Example: `noise_level(images.image(0), images.shape())`
[[nodiscard]] double noise_level(std::span<const float> image, const ImageShape& shape);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/properties/detail/noise_level_impl.hpp>
#endif
