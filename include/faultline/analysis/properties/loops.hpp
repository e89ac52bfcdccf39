// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How many loops a drawing has: background that ink encloses.

#include <faultline/core/image.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A hole of fewer pixels than this is noise: with it, noise changes the count of fewer digits than after a 3x3 median,
/// which also closes real loops.
inline constexpr std::int64_t smallest_loop = 2;

/// Number of background regions that ink encloses: 0 for "1", 1 for "0", 2 for "8".
///
/// **Shapes**: `image` `[C, H, W]` in [0, 1], averaged over C.
/// **Formula**: background is what lies below the middle of the range of brightness (2nd to 98th percentile); counted
/// are its 4-connected regions of at least two pixels that do not touch the border (ink is then 8-connected: a stroke
/// that only touches itself across a corner closes a loop). An image whose range is below .02 has none. Strong blur
/// closes small loops.
/// **Cost**: about 10 µs for 32x32.
/// Example: `loops(images.image(0), images.shape())`
[[nodiscard]] double loops(std::span<const float> image, const ImageShape& shape);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/properties/detail/loops_impl.hpp>
#endif
