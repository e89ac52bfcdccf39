// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/loops.hpp.

#include <faultline/analysis/properties/loops.hpp>

#include <faultline/analysis/properties/detail/plane.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double loops(std::span<const float> image, const ImageShape& shape) {
  const detail::Plane plane = detail::brightness(image, shape);
  const auto [dark, bright] = detail::dark_and_bright(plane);
  if (!(bright - dark >= 0.02f)) return 0.0;
  const float level = dark + 0.5f * (bright - dark);
  // A frame of background around the image joins everything that touches the border.
  const std::int64_t width = plane.width + 2;
  const std::int64_t height = plane.height + 2;
  std::vector<std::uint8_t> open(static_cast<std::size_t>(width * height), 1);
  for (std::int64_t y = 0; y < plane.height; ++y)
    for (std::int64_t x = 0; x < plane.width; ++x)
      open[static_cast<std::size_t>((y + 1) * width + x + 1)] = plane.row(y)[x] > level ? 0 : 1;
  std::vector<std::int64_t> reached;
  detail::take_region(open, width, 0, reached);
  std::int64_t count = 0;
  for (std::int64_t at = 0; at < width * height; ++at) {
    if (open[static_cast<std::size_t>(at)] == 0) continue;
    detail::take_region(open, width, at, reached);
    if (static_cast<std::int64_t>(reached.size()) >= smallest_loop) ++count;
  }
  return static_cast<double>(count);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
