// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Measures of how bright an image is and how its brightness is spread.

#include <faultline/analysis/properties/detail/plane.hpp>

#include <cstdint>
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
[[nodiscard]] inline double contrast(std::span<const float> image, const ImageShape& shape) {
  const auto [dark, bright] = detail::dark_and_bright(detail::brightness(image, shape));
  const double sum = static_cast<double>(bright) + static_cast<double>(dark);
  return sum > 0.0 ? (static_cast<double>(bright) - static_cast<double>(dark)) / sum : 0.0;
}

/// Mean brightness, 0 to 1. `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] inline double mean_intensity(std::span<const float> image, const ImageShape& shape) {
  const detail::Plane plane = detail::brightness(image, shape);
  if (plane.values.empty()) return 0.0;
  double sum = 0.0;
  for (const float v : plane.values) sum += static_cast<double>(v);
  return sum / static_cast<double>(plane.values.size());
}

/// Share of the pixels brighter than .5. `image` is `[C, H, W]` in [0, 1], averaged over C.
[[nodiscard]] inline double ink_area(std::span<const float> image, const ImageShape& shape) {
  const detail::Plane plane = detail::brightness(image, shape);
  if (plane.values.empty()) return 0.0;
  std::int64_t count = 0;
  for (const float v : plane.values) count += v > 0.5f;
  return static_cast<double>(count) / static_cast<double>(plane.values.size());
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
