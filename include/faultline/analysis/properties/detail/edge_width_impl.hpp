// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/edge_width.hpp.

#include <faultline/analysis/properties/edge_width.hpp>

#include <faultline/analysis/properties/detail/plane.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double edge_width(std::span<const float> image, const ImageShape& shape) {
  const detail::Plane plane = detail::median3(detail::median3(detail::brightness(image, shape)));
  const auto [dark, bright] = detail::dark_and_bright(plane);
  const float range = bright - dark;
  if (!(range >= 0.02f)) return 0.0;
  const float lower = dark + 0.25f * range;
  const float upper = dark + 0.75f * range;
  std::int64_t between = 0;
  for (const float v : plane.values) between += v > lower && v < upper;
  return 1.9 * static_cast<double>(between) / std::max(detail::region_above(plane, dark + 0.5f * range).contour, 1.0);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
