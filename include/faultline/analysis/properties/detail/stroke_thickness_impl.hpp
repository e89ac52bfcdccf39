// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/stroke_thickness.hpp.

#include <faultline/analysis/properties/stroke_thickness.hpp>

#include <faultline/analysis/properties/detail/plane.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double stroke_thickness(std::span<const float> image, const ImageShape& shape) {
  const detail::Region ink = detail::region_above(detail::median3(detail::brightness(image, shape)), 0.5f);
  return ink.contour > 0.0 ? 2.0 * ink.area / ink.contour : 0.0;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
