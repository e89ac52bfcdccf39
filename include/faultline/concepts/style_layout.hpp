// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which layer and channel each flat StyleSpace coordinate belongs to (Wu et al. 2021, the order of their layer
// indices).

#include <faultline/core/describe.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// One coordinate of StyleSpace: channel `channel` of layer `layer`, at position `flat` of the style vector.
struct StyleChannel {
  std::int64_t layer = 0;
  std::int64_t channel = 0;
  std::int64_t flat = 0;
};
FAULTLINE_MEMBERS(StyleChannel, layer, channel, flat)

/// One layer of StyleSpace: its name ("b8.conv0"), the flat index of its first channel and its number of channels.
struct StyleLayer {
  std::string name;
  std::int64_t offset = 0;
  std::int64_t width = 0;
};
FAULTLINE_MEMBERS(StyleLayer, name, offset, width)

/// The layers of a generator's style vector in flat order, and the map between flat index and (layer, channel).
///
/// Example: `StyleChannel c = layout.locate(1500); layout.layers()[c.layer].name; layout.flat(c.layer, c.channel) ==
/// 1500;`
class StyleLayout {
 public:
  StyleLayout() = default;

  /// From (name, width) pairs in flat order. Throws invalid_argument when a width is not positive.
  explicit StyleLayout(const std::vector<std::pair<std::string, std::int64_t>>& layers) {
    for (const auto& [name, width] : layers) {
      if (width <= 0)
        throw Error(ErrorCode::invalid_argument, "StyleLayout",
                    "layer " + name + " needs at least one channel, got " + std::to_string(width));
      layers_.push_back({name, dimension_, width});
      dimension_ += width;
    }
  }

  [[nodiscard]] const std::vector<StyleLayer>& layers() const noexcept { return layers_; }
  /// D, the length of a style vector.
  [[nodiscard]] std::int64_t dimension() const noexcept { return dimension_; }

  /// Layer and channel of a flat index. Throws invalid_argument outside [0, D). Cost: a binary search over the layers.
  [[nodiscard]] StyleChannel locate(std::int64_t flat) const {
    if (flat < 0 || flat >= dimension_)
      throw Error(ErrorCode::invalid_argument, "StyleLayout::locate",
                  "flat index must lie in [0, " + std::to_string(dimension_) + "), got " + std::to_string(flat));
    const auto after =
        std::upper_bound(layers_.begin(), layers_.end(), flat,
                         [](std::int64_t value, const StyleLayer& layer) { return value < layer.offset; });
    const std::int64_t layer = (after - layers_.begin()) - 1;
    return {layer, flat - layers_[static_cast<std::size_t>(layer)].offset, flat};
  }

  /// Flat index of a channel of a layer. Throws invalid_argument when there is no such layer or channel.
  [[nodiscard]] std::int64_t flat(std::int64_t layer, std::int64_t channel) const {
    if (layer < 0 || layer >= static_cast<std::int64_t>(layers_.size()) || channel < 0 ||
        channel >= layers_[static_cast<std::size_t>(layer)].width)
      throw Error(ErrorCode::invalid_argument, "StyleLayout::flat",
                  "there is no channel " + std::to_string(channel) + " in layer " + std::to_string(layer));
    return layers_[static_cast<std::size_t>(layer)].offset + channel;
  }

  friend bool operator==(const StyleLayout&, const StyleLayout&) = default;

 private:
  std::vector<StyleLayer> layers_;
  std::int64_t dimension_ = 0;
};

}  // namespace v1
}  // namespace faultline
