// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A 3x3 convolution of one image by Winograd's F(2x2, 3x3) (Lavin & Gray 2016), handed on two rows at a time.

#include <faultline/kernels/packed_weights.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {
namespace detail {

using Buffer = kernels::Buffer<float>;

class WinogradConvolution;

/// Scratch space in which any of some convolutions runs.
struct WinogradSpace {
  explicit WinogradSpace(const std::vector<WinogradConvolution>& convolutions);
  Buffer before;  ///< [16 positions][tile][channel in]
  Buffer after;   ///< [16 positions][tile][channel of a cut]
  Buffer rows;    ///< [2][pixel][channel of a cut]
};

/// Input `[2 · down() + 2][2 · across() + 2][stored_in]`, zeros around the image and beyond it; output `height` x
/// `width`. Channels are padded to whole groups.
class WinogradConvolution {
 public:
  /// `weights` is `[out][in][3][3]`.
  WinogradConvolution(const kernels::Kernels& kernels, std::int64_t out, std::int64_t in, std::int64_t height,
                      std::int64_t width, const float* weights)
      : kernels_(&kernels),
        height_(height),
        width_(width),
        cut_{kernels::padded(in), kernels::padded(out), kernels.tile, 64, 16},
        tiles_(cut_.pack<float>(out, in, [&](std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t position) {
          return kernels::winograd_weight(weights + (o * in + i) * 9, position);
        })) {}

  [[nodiscard]] std::int64_t height() const noexcept { return height_; }
  [[nodiscard]] std::int64_t width() const noexcept { return width_; }
  [[nodiscard]] std::ptrdiff_t stored_in() const noexcept { return cut_.in; }
  [[nodiscard]] std::ptrdiff_t tile() const noexcept { return cut_.tile; }
  [[nodiscard]] std::ptrdiff_t down() const noexcept { return (height_ + 1) / 2; }  ///< tiles
  [[nodiscard]] std::ptrdiff_t across() const noexcept { return (width_ + 1) / 2; }
  /// Floats between lines of the input.
  [[nodiscard]] std::ptrdiff_t line() const noexcept { return (2 * across() + 2) * cut_.in; }
  [[nodiscard]] Buffer input() const { return Buffer(static_cast<std::size_t>((2 * down() + 2) * line())); }

  /// Calls finish(y, first, width, upper, lower) for even y: rows y and y + 1, `[pixel][width]`, of output channels
  /// first .. first + width - 1. Where the height is odd the last lower row is no part of the output.
  template <class Finish>
  void operator()(const float* input, WinogradSpace& space, const Finish& finish) const {
    const std::ptrdiff_t count = down() * across(), no_offset = 0;
    for (std::ptrdiff_t r = 0; r < down(); ++r)
      kernels_->tile_inputs({input + 2 * r * line(), line(), cut_.in, across(),
                             space.before.data() + r * across() * cut_.in, count * cut_.in});
    for (std::ptrdiff_t first = 0; first < cut_.out; first += cut_.tile) {
      const std::ptrdiff_t width = cut_.width(first);
      for (std::ptrdiff_t i = 0; i < cut_.in; i += cut_.block)
        for (std::ptrdiff_t position = 0; position < 16; ++position)
          kernels_->convolve({space.before.data() + position * count * cut_.in + i, cut_.in, &no_offset, 1,
                              cut_.depth(i), tiles_.data() + cut_.offset(first, i, position), width,
                              space.after.data() + position * count * width, width, count, i > 0});
      for (std::ptrdiff_t r = 0; r < down(); ++r) {
        kernels_->tile_outputs(
            {space.after.data() + r * across() * width, count * width, width, across(), space.rows.data()});
        finish(static_cast<std::int64_t>(2 * r), first, width, space.rows.data(),
               space.rows.data() + 2 * across() * width);
      }
    }
  }

 private:
  const kernels::Kernels* kernels_;
  std::int64_t height_, width_;
  kernels::Cut cut_;
  Buffer tiles_;
};

inline WinogradSpace::WinogradSpace(const std::vector<WinogradConvolution>& convolutions) {
  std::ptrdiff_t inputs = 0, outputs = 0, pixels = 0;
  for (const WinogradConvolution& convolution : convolutions) {
    const std::ptrdiff_t count = convolution.down() * convolution.across();
    inputs = std::max(inputs, 16 * count * convolution.stored_in());
    outputs = std::max(outputs, 16 * count * convolution.tile());
    pixels = std::max(pixels, 4 * convolution.across() * convolution.tile());
  }
  before = Buffer(static_cast<std::size_t>(inputs));
  after = Buffer(static_cast<std::size_t>(outputs));
  rows = Buffer(static_cast<std::size_t>(pixels));
}

}  // namespace detail
}  // namespace classify
}  // namespace v1
}  // namespace faultline
