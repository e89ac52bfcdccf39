// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How many loops a drawing has: background that ink encloses.

#include <faultline/analysis/properties/detail/plane.hpp>

#include <cstdint>
#include <span>
#include <vector>

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
[[nodiscard]] inline double loops(std::span<const float> image, const ImageShape& shape) {
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
