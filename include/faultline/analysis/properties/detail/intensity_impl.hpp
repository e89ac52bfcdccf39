// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/intensity.hpp.

#include <faultline/analysis/properties/intensity.hpp>

#include <faultline/analysis/properties/detail/plane.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double contrast(std::span<const float> image, const ImageShape& shape) {
  const auto [dark, bright] = detail::dark_and_bright(detail::brightness(image, shape));
  const double sum = static_cast<double>(bright) + static_cast<double>(dark);
  return sum > 0.0 ? (static_cast<double>(bright) - static_cast<double>(dark)) / sum : 0.0;
}

FAULTLINE_INLINE double mean_intensity(std::span<const float> image, const ImageShape& shape) {
  const detail::Plane plane = detail::brightness(image, shape);
  if (plane.values.empty()) return 0.0;
  double sum = 0.0;
  for (const float v : plane.values) sum += static_cast<double>(v);
  return sum / static_cast<double>(plane.values.size());
}

FAULTLINE_INLINE double ink_area(std::span<const float> image, const ImageShape& shape) {
  const detail::Plane plane = detail::brightness(image, shape);
  if (plane.values.empty()) return 0.0;
  std::int64_t count = 0;
  for (const float v : plane.values) count += v > 0.5f;
  return static_cast<double>(count) / static_cast<double>(plane.values.size());
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
