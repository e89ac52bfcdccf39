// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/loops.hpp.

#include <faultline/analysis/properties/loops.hpp>

#include <faultline/analysis/properties/detail/plane.hpp>

#include <algorithm>
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
  const std::vector<std::int64_t> area = detail::regions_of(open, width, 1).area;  // the first is around everything
  return static_cast<double>(
      std::count_if(area.begin() + 1, area.end(), [](std::int64_t pixels) { return pixels >= smallest_loop; }));
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
