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
  reached.reserve(open.size());
  const auto flood = [&](std::int64_t start) {
    reached.assign(1, start);
    open[static_cast<std::size_t>(start)] = 0;
    for (std::size_t next = 0; next < reached.size(); ++next) {
      const std::int64_t at = reached[next], x = at % width;
      const auto visit = [&](bool inside, std::int64_t neighbour) {
        if (!inside || open[static_cast<std::size_t>(neighbour)] == 0) return;
        open[static_cast<std::size_t>(neighbour)] = 0;
        reached.push_back(neighbour);
      };
      visit(x > 0, at - 1);
      visit(x + 1 < width, at + 1);
      visit(at >= width, at - width);
      visit(at + width < width * height, at + width);
    }
    return static_cast<std::int64_t>(reached.size());
  };
  (void)flood(0);
  std::int64_t count = 0;
  for (std::int64_t at = 0; at < width * height; ++at)
    if (open[static_cast<std::size_t>(at)] != 0 && flood(at) >= smallest_loop) ++count;
  return static_cast<double>(count);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
