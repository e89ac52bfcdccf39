// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the inner loops of CpuBackend are called with, one row of pixels at a time, and the table that holds one of each
// for an instruction set.

#include <faultline/config.hpp>

#include <cstddef>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace kernels {

/// Channels are stored in multiples of this many, the rest zero; every kernel works on whole groups.
inline constexpr std::ptrdiff_t group = 16;

/// The upper half of a float32: what the reduced-precision kernels read.
using Bfloat16 = std::uint16_t;

/// One row of outputs of a convolution for `width` output channels at once: out[p][o] (+)= Σ_t Σ_c x[taps[t] + p ·
/// x_step + c] · weight[t][c][o].
///
/// A matrix product is the case of one tap whose "pixels" are the rows of x. `channels` is a multiple of 16; `width` is
/// 16 or the kernels' tile. Every output is summed in the same order whatever `pixels` is, so a result does not depend
/// on the batch or on how the work is cut.
struct ConvolutionRow {
  const void* x;          ///< float, or Bfloat16 for the reduced-precision kernel
  std::ptrdiff_t x_step;  ///< elements between the inputs of neighbouring outputs
  const std::ptrdiff_t* taps;
  std::ptrdiff_t tap_count;
  std::ptrdiff_t channels;
  const void* weight;  ///< [tap][channel][width] float, or [tap][channel / 2][width][2] Bfloat16
  std::ptrdiff_t width;
  float* out;
  std::ptrdiff_t out_step;  ///< floats between neighbouring outputs
  std::ptrdiff_t pixels;
  bool add;  ///< add to what `out` holds
};

/// From raw responses to what the next convolution reads, for one row of pixels and `width` channels: y = clamp(lrelu(d
/// · u + η + b)), out = y · style, rgb[k][p] += Σ_c y · rgb_weight[k][c]. Gains (√2, of the filter) are folded into d,
/// η and b.
struct EpilogueRow {
  /// [pixels][width]; with `filter` [pixels + 3][width], to be filtered along the row by [1, 3, 3, 1]
  const float* u;
  std::ptrdiff_t width;  ///< a multiple of 16
  std::ptrdiff_t pixels;
  bool filter;
  const float* demodulation;  ///< [width]
  const float* bias;          ///< [width]
  const float* noise;         ///< [pixels] or null
  float noise_gain;
  float clamp;              ///< infinity: none
  const float* style;       ///< [width]; null: `out` is not written
  void* out;                ///< float or Bfloat16
  std::ptrdiff_t out_step;  ///< elements between pixels
  bool narrow;              ///< `out` is Bfloat16
  const float* rgb_weight;  ///< [colours][rgb_step]
  std::ptrdiff_t rgb_step;
  std::ptrdiff_t colours;
  float* rgb;  ///< [colours][rgb_plane], this row
  std::ptrdiff_t rgb_plane;
  float* kept;  ///< null, or where y itself is kept, pixels `out_step` apart
  float* raw;   ///< null, or where u is kept, after the filter, pixels `out_step` apart
};

/// Backward of `EpilogueRow`, for one row of pixels: from the gradients of out and rgb to that of u
/// (before the filter), with the sums over pixels that the gradients of styles are made of.
struct EpilogueGradientRow {
  std::ptrdiff_t width;  ///< channels, a multiple of 16; pixels lie so far apart in all arrays
  std::ptrdiff_t pixels;
  const float* y;
  const float* out;    ///< dL/d(y · style) or null
  const float* style;  ///< [width]
  const float* rgb;    ///< dL/drgb [colours][rgb_plane], this row
  std::ptrdiff_t rgb_plane;
  std::ptrdiff_t colours;
  const float* rgb_weight;    ///< [colours][width]
  const float* demodulation;  ///< [width]
  const float* bias;          ///< [width]
  const float* noise;         ///< [pixels] or null
  float noise_gain;
  float* u;                  ///< dL/du
  float* style_sums;         ///< [width] += Σ dL/dout · y
  float* rgb_sums;           ///< [colours][width] += Σ dL/drgb · y
  float* demodulation_sums;  ///< [width] += d · dL/dd
  float clamp;               ///< infinity: none; nothing flows back through an activation that reached it
};

/// The vertical half of the filter: out[i] = (a[i] + d[i]) + 3 (b[i] + c[i]).
struct FilterRows {
  const float *a, *b, *c, *d;
  std::ptrdiff_t count;  ///< a multiple of 16
  float* out;
};

/// Bᵀ d B of Winograd's F(2x2, 3x3) (Lavin & Gray 2016) for one row of tiles: 4x4 inputs, two apart, to 16 positions.
struct TileInputs {
  const float* x;           ///< first input of the first tile, pixels `channels` apart
  std::ptrdiff_t line;      ///< floats between lines of x
  std::ptrdiff_t channels;  ///< a multiple of 16
  std::ptrdiff_t tiles;
  float* out;               ///< [16 positions][tile][channel]
  std::ptrdiff_t position;  ///< floats between positions of out
};

/// Aᵀ m A for one row of tiles: 16 positions to two rows of 2 · tiles pixels.
struct TileOutputs {
  const float* m;           ///< [16 positions][tile][width]
  std::ptrdiff_t position;  ///< floats between positions of m
  std::ptrdiff_t width;     ///< a multiple of 16
  std::ptrdiff_t tiles;
  float* out;  ///< [2][2 · tiles][width]
};

/// max(u + bias, 0) of one row of pixels, or, with a lower row, of the largest u of each 2x2 window: what lies
/// between two convolutions of a classifier.
struct RectifyRow {
  const float* upper;     ///< [pixels][width], or [2 · pixels][width] with `lower`
  const float* lower;     ///< null: no pooling
  std::ptrdiff_t width;   ///< a multiple of 16
  std::ptrdiff_t pixels;  ///< of the result
  const float* bias;      ///< [width]
  float* out;
  std::ptrdiff_t out_step;
};

/// The kernels of one instruction set.
struct Kernels {
  const char* name;
  std::ptrdiff_t tile;  ///< output channels of one convolution row: 32 or 16
  void (*convolve)(const ConvolutionRow&);
  void (*convolve_bf16)(const ConvolutionRow&);  ///< null where the processor has no such product
  void (*filter)(const FilterRows&);
  void (*finish)(const EpilogueRow&);
  void (*tile_inputs)(const TileInputs&);
  void (*tile_outputs)(const TileOutputs&);
  void (*finish_gradient)(const EpilogueGradientRow&);
  void (*rectify)(const RectifyRow&);
};

}  // namespace kernels
}  // namespace v1
}  // namespace faultline
