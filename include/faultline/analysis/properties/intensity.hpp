// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Measures of how bright an image is and how its brightness is spread.

#include <faultline/core/image.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Michelson contrast (bright − dark) / (bright + dark), 0 to 1, with the 98th and the 2nd percentile of brightness.
/// `image` is `[C, H, W]` in [0, 1], averaged over C.
///
/// A ratio rather than a difference: blur lowers the peak of a thin stroke, and a difference would report that as loss
/// of contrast; on a black background the ratio stays 1, and a veil lowers it. Percentiles rather than the standard
/// deviation, which on sparse strokes measures how much ink there is. A black image has contrast 0.
[[nodiscard]] double contrast(std::span<const float> image, const ImageShape& shape);

/// Mean brightness, 0 to 1. `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] double mean_intensity(std::span<const float> image, const ImageShape& shape);

/// Share of the pixels brighter than .5. `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] double ink_area(std::span<const float> image, const ImageShape& shape);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/properties/detail/intensity_impl.hpp>
#endif
