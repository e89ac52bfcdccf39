// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Weights in the order in which the inner loops read them: packed convolutions, and products with a fixed matrix.

#include <faultline/kernels/cpu_kernels.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

namespace faultline {
inline namespace v1 {
namespace kernels {

/// Zeroed memory on a cache line of its own.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t count)
      : size_(count),
        data_(static_cast<T*>(::operator new[](std::max<std::size_t>(count, 1) * sizeof(T), std::align_val_t{64}))) {
    std::fill_n(data_.get(), count, T{});
  }
  [[nodiscard]] T* data() noexcept { return data_.get(); }
  [[nodiscard]] const T* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(T* memory) const noexcept { ::operator delete[](memory, std::align_val_t{64}); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<T[], Free> data_;
};

inline std::ptrdiff_t padded(std::int64_t channels) {
  return static_cast<std::ptrdiff_t>((channels + group - 1) / group * group);
}

/// Rounded to nearest, ties to even.
inline Bfloat16 narrowed(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<Bfloat16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// How a convolution is cut: tiles of output channels, blocks of input channels, taps in groups that share their
/// outputs.
///
/// Packed order: tile, block, tap, input channel, output channel of the tile (in pairs of input channels for Bfloat16).
struct Cut {
  std::ptrdiff_t in = 0;      ///< padded
  std::ptrdiff_t out = 0;     ///< padded
  std::ptrdiff_t tile = 16;   ///< the last tile may be narrower
  std::ptrdiff_t block = 64;  ///< the last block may be shorter
  std::ptrdiff_t taps = 1;

  [[nodiscard]] std::ptrdiff_t tiles() const { return (out + tile - 1) / tile; }
  [[nodiscard]] std::ptrdiff_t width(std::ptrdiff_t first_out) const { return std::min(tile, out - first_out); }
  [[nodiscard]] std::ptrdiff_t depth(std::ptrdiff_t first_in) const { return std::min(block, in - first_in); }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(in * out * taps); }
  /// Where the weights of one tile, block and tap begin.
  [[nodiscard]] std::ptrdiff_t offset(std::ptrdiff_t first_out, std::ptrdiff_t first_in, std::ptrdiff_t tap) const {
    const std::ptrdiff_t w = width(first_out);
    return taps * (first_out * in + first_in * w) + tap * depth(first_in) * w;
  }

  /// Packs weight(o, i, tap), zero beyond `outs` and `ins`.
  template <class Element, class Weight>
  [[nodiscard]] Buffer<Element> pack(std::int64_t outs, std::int64_t ins, const Weight& weight) const {
    Buffer<Element> packed(size());
    for (std::ptrdiff_t o = 0; o < out; o += tile)
      for (std::ptrdiff_t i = 0; i < in; i += block)
        for (std::ptrdiff_t t = 0; t < taps; ++t) {
          Element* target = packed.data() + offset(o, i, t);
          const std::ptrdiff_t w = width(o);
          for (std::ptrdiff_t c = 0; c < depth(i); ++c)
            for (std::ptrdiff_t lane = 0; lane < w; ++lane) {
              const float value = o + lane < outs && i + c < ins ? weight(o + lane, i + c, t) : 0.0f;
              if constexpr (std::is_same_v<Element, float>) target[c * w + lane] = value;
              else target[(c / 2 * w + lane) * 2 + c % 2] = narrowed(value);
            }
        }
    return packed;
  }
};

/// Rows of a contiguous array `[rows][step]`, their first `count` columns, with zeros up to `width` columns.
inline Buffer<float> padded_rows(const float* from, std::ptrdiff_t rows, std::ptrdiff_t step, std::ptrdiff_t count,
                                 std::ptrdiff_t width) {
  Buffer<float> result(static_cast<std::size_t>(rows * width));
  for (std::ptrdiff_t r = 0; r < rows; ++r) std::copy_n(from + r * step, count, result.data() + r * width);
  return result;
}

/// Rows of x times a fixed matrix, by the convolution kernel with one tap.
class Product {
 public:
  Product() = default;
  template <class Weight>
  Product(const Kernels& kernels, std::int64_t outs, std::int64_t ins, const Weight& weight)
      : kernels_(&kernels), cut_{padded(ins), padded(outs), kernels.tile, 64, 1} {
    weight_ =
        cut_.pack<float>(outs, ins, [&](std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t) { return weight(o, i); });
  }

  [[nodiscard]] std::ptrdiff_t in() const noexcept { return cut_.in; }    ///< padded
  [[nodiscard]] std::ptrdiff_t out() const noexcept { return cut_.out; }  ///< padded
  [[nodiscard]] std::ptrdiff_t tiles() const { return cut_.tiles(); }

  /// Columns of one tile for all rows: x `[rows][x_step]` -> out `[rows][out_step]`.
  void tile(std::ptrdiff_t index, const float* x, std::ptrdiff_t x_step, std::ptrdiff_t rows, float* out,
            std::ptrdiff_t out_step) const {
    const std::ptrdiff_t first_out = index * cut_.tile, no_offset = 0;
    for (std::ptrdiff_t i = 0; i < cut_.in; i += cut_.block)
      kernels_->convolve({x + i, x_step, &no_offset, 1, cut_.depth(i), weight_.data() + cut_.offset(first_out, i, 0),
                          cut_.width(first_out), out + first_out, out_step, rows, i > 0});
  }
  void operator()(const float* x, std::ptrdiff_t x_step, std::ptrdiff_t rows, float* out,
                  std::ptrdiff_t out_step) const {
    for (std::ptrdiff_t t = 0; t < tiles(); ++t) tile(t, x, x_step, rows, out, out_step);
  }

 private:
  const Kernels* kernels_ = nullptr;
  Cut cut_;
  Buffer<float> weight_;
};

/// One of the 16 positions of G g Gᵀ for a 3x3 kernel g, rows first (Lavin & Gray 2016).
template <class Element>
float winograd_weight(const Element* kernel, std::ptrdiff_t position) {
  constexpr double g[4][3] = {{1.0, 0.0, 0.0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0.0, 0.0, 1.0}};
  double sum = 0.0;
  for (std::ptrdiff_t k = 0; k < 9; ++k)
    sum += g[position / 4][k / 3] * g[position % 4][k % 3] * static_cast<double>(kernel[k]);
  return static_cast<float>(sum);
}

}  // namespace kernels
}  // namespace v1
}  // namespace faultline
