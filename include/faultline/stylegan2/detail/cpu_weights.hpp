// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The weights of a synthesis network in the order in which CpuBackend's kernels read them, with everything folded that
// does not depend on a sample.

#include <faultline/kernels/packed_weights.hpp>
#include <faultline/stylegan2/config.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2::detail::cpu {

using kernels::Bfloat16;
using kernels::Buffer;
using kernels::Cut;
using kernels::EpilogueRow;
using kernels::Kernels;
using kernels::narrowed;
using kernels::padded;
using kernels::padded_rows;
using kernels::Product;
using kernels::WeightArray;
using kernels::Weights;
using kernels::winograd_weight;

/// Outputs of a convolution that read the same taps: all of a plain one, one of four parities of an upsampling one.
struct Phase {
  std::ptrdiff_t first_tap, tap_count;
  std::ptrdiff_t row, column;    ///< of the first output; neighbours lie `spread` apart
  std::ptrdiff_t rows, columns;  ///< number of outputs
};

/// One 3x3 convolution with what surrounds it. Sizes in padded channels.
struct Convolution {
  bool up = false;
  std::int64_t side_in = 0, side = 0;  ///< resolution of input and output
  std::ptrdiff_t in = 0, out = 0;
  std::int64_t outs = 0;  ///< output channels, unpadded
  std::int64_t style_offset = 0, style_width = 0;
  Cut cut;
  std::ptrdiff_t spread = 1;         ///< distance of a phase's outputs: 2 when upsampling
  std::ptrdiff_t response_side = 0;  ///< of the raw response: r, or 2 n + 1 before the filter
  std::vector<Phase> phases;
  std::vector<std::ptrdiff_t> taps;  ///< offsets into a padded input, per tap in packed order
  Buffer<float> weight;
  Buffer<Bfloat16> narrow_weight;
  /// `weight` holds G g Gᵀ, 16 positions in the place of nine taps, and `cut.taps` is 16
  bool winograd = false;
  Product squares;       ///< Wsq
  float gain = 1.0f;     ///< √2, times 1/16 for the filter: folded into d
  Buffer<float> bias;    ///< times √2
  float noise_gain = 0;  ///< strength times √2
  // ToRGB behind it, when it is a block's last convolution.
  std::int64_t colours = 0;
  std::int64_t rgb_style_offset = 0;
  Buffer<float> rgb_weight;  ///< [colours][out], times 1/√I
  std::vector<float> rgb_bias;

  [[nodiscard]] std::ptrdiff_t input_elements() const { return (side_in + 2) * (side_in + 2) * in; }
  /// The taps of a phase that row r of its outputs has input for, as first and number: those that would read a row of
  /// padding are left out.
  [[nodiscard]] std::pair<std::ptrdiff_t, std::ptrdiff_t> taps_inside(const Phase& phase, std::ptrdiff_t r) const {
    const auto outside = [&](std::ptrdiff_t tap) {
      const std::ptrdiff_t row = r + taps[static_cast<std::size_t>(tap)] / ((side_in + 2) * in);
      return row == 0 || row == side_in + 1;
    };
    // (rows of taps lie one after the other)
    std::ptrdiff_t first = phase.first_tap, last = phase.first_tap + phase.tap_count;
    while (outside(first)) ++first;
    while (outside(last - 1)) --last;
    return {first, last - first};
  }
  [[nodiscard]] std::ptrdiff_t response_elements() const {
    return winograd ? 0 : response_side * response_side * cut.tile;
  }
  /// Rows of tiles that a Winograd convolution takes at a time: about 64 tiles, so that its weights are read for
  /// something.
  [[nodiscard]] std::ptrdiff_t strip() const { return std::clamp<std::ptrdiff_t>(128 / side, 1, side / 2); }
  [[nodiscard]] std::ptrdiff_t strips() const { return (side / 2 + strip() - 1) / strip(); }
};

/// A synthesis network ready to run.
struct SynthesisWeights {
  const Kernels* kernels = nullptr;
  bool narrow = false;
  std::int64_t style_dimension = 0;
  float clamp = 0.0f;
  Product first;  ///< b4.conv1 on the learned constant: styles -> [16 pixels][out]
  std::vector<Convolution> convolutions;
};

inline Convolution pack_convolution(const Kernels& kernels, bool narrow, bool winograd, const Weights& weights,
                                    const SynthesisLayer& layer, std::int64_t style_offset, bool is_first) {
  Convolution conv;
  conv.up = layer.kind == SynthesisLayer::Kind::upsampling_conv;
  conv.side = layer.resolution;
  conv.side_in = conv.up ? conv.side / 2 : conv.side;
  conv.in = padded(layer.in);
  conv.out = padded(layer.out);
  conv.outs = layer.out;
  conv.style_offset = style_offset;
  conv.style_width = layer.in;
  conv.cut = {conv.in, conv.out, kernels.tile, narrow ? 128 : 64, 9};
  const std::string name = "synthesis." + layer.name;
  const WeightArray &weight = weights[name + ".weight"], &bias = weights[name + ".bias"];
  const float* w = weight.data();

  // Kernel position (row, column) and offset into the padded input of every tap, in packed order.
  std::vector<std::ptrdiff_t> kernel;
  const std::ptrdiff_t line = conv.side_in + 2;
  const auto add = [&](std::ptrdiff_t row, std::ptrdiff_t column, std::ptrdiff_t input_row,
                       std::ptrdiff_t input_column) {
    kernel.push_back(row * 3 + column);
    conv.taps.push_back((input_row * line + input_column) * conv.in);
  };
  if (!conv.up) {
    conv.response_side = conv.side;
    for (std::ptrdiff_t a = 0; a < 3; ++a)
      for (std::ptrdiff_t b = 0; b < 3; ++b) add(a, b, a, b);
    conv.phases = {{0, 9, 0, 0, conv.side, conv.side}};
  } else {
    // Transposed convolution, t[2i + a, 2j + b] += x[i, j] W[a, b]: an even position meets a = 0 of its own input and a
    // = 2 of the one before, an odd one a = 1.
    conv.response_side = 2 * conv.side_in + 1;
    conv.spread = 2;
    for (std::ptrdiff_t row = 0; row < 2; ++row)
      for (std::ptrdiff_t column = 0; column < 2; ++column) {
        const auto first = static_cast<std::ptrdiff_t>(kernel.size());
        for (std::ptrdiff_t a = row; a < 3; a += 2)
          for (std::ptrdiff_t b = column; b < 3; b += 2) add(a, b, a == 2 ? 0 : 1, b == 2 ? 0 : 1);
        conv.phases.push_back({first, static_cast<std::ptrdiff_t>(kernel.size()) - first, row, column,
                               conv.side_in + 1 - row, conv.side_in + 1 - column});
      }
  }
  const auto at = [&](std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t t) {
    return w[(o * layer.in + i) * 9 + kernel[static_cast<std::size_t>(t)]];
  };
  if (winograd && !conv.up && !narrow && !is_first) {
    conv.winograd = true;
    conv.cut.taps = 16;
    conv.weight = conv.cut.pack<float>(layer.out, layer.in, [&](std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t t) {
      return winograd_weight(w + (o * layer.in + i) * 9, t);
    });
  } else if (!is_first) {
    if (narrow) conv.narrow_weight = conv.cut.pack<Bfloat16>(layer.out, layer.in, at);
    else conv.weight = conv.cut.pack<float>(layer.out, layer.in, at);
  }
  conv.squares = Product(kernels, layer.out, layer.in, [&](std::ptrdiff_t o, std::ptrdiff_t i) {
    double sum = 0.0;
    for (std::ptrdiff_t k = 0; k < 9; ++k)
      sum += static_cast<double>(w[(o * layer.in + i) * 9 + k]) * static_cast<double>(w[(o * layer.in + i) * 9 + k]);
    return static_cast<float>(sum);
  });
  conv.gain = static_cast<float>(std::numbers::sqrt2 / (conv.up ? 16.0 : 1.0));
  conv.bias = Buffer<float>(static_cast<std::size_t>(conv.out));
  for (std::int64_t o = 0; o < layer.out; ++o)
    conv.bias.data()[o] = static_cast<float>(std::numbers::sqrt2 * static_cast<double>(bias.data()[o]));
  conv.noise_gain =
      static_cast<float>(std::numbers::sqrt2 * static_cast<double>(weights[name + ".noise_strength"].values.front()));
  return conv;
}

inline SynthesisWeights pack_synthesis(const Kernels& kernels, bool narrow, bool winograd,
                                       const GeneratorConfig& config, const Weights& weights) {
  SynthesisWeights packed;
  packed.kernels = &kernels;
  packed.narrow = narrow;
  packed.clamp = config.conv_clamp ? static_cast<float>(*config.conv_clamp) : std::numeric_limits<float>::infinity();
  for (const SynthesisLayer& layer : synthesis_layers(config)) {
    if (layer.kind == SynthesisLayer::Kind::to_rgb) {
      Convolution& conv = packed.convolutions.back();
      const std::string name = "synthesis." + layer.name;
      const WeightArray &weight = weights[name + ".weight"], &bias = weights[name + ".bias"];
      conv.colours = layer.out;
      conv.rgb_style_offset = packed.style_dimension;
      conv.rgb_weight = Buffer<float>(static_cast<std::size_t>(layer.out * conv.out));
      for (std::int64_t k = 0; k < layer.out; ++k) {
        conv.rgb_bias.push_back(bias.data()[k]);
        for (std::int64_t i = 0; i < layer.in; ++i)
          conv.rgb_weight.data()[k * conv.out + i] = static_cast<float>(
              static_cast<double>(weight.data()[k * layer.in + i]) / std::sqrt(static_cast<double>(layer.in)));
      }
    } else {
      packed.convolutions.push_back(pack_convolution(kernels, narrow, winograd, weights, layer, packed.style_dimension,
                                                     packed.convolutions.empty()));
    }
    packed.style_dimension += layer.in;
  }
  // What the first convolution makes of each channel of the constant: column (pixel, o) of row i is Σ over the taps
  // that fall on the constant.
  const SynthesisLayer layer = synthesis_layers(config).front();
  const WeightArray &constant = weights["synthesis.b4.const"], &weight = weights["synthesis.b4.conv1.weight"];
  const float *x = constant.data(), *w = weight.data();
  const std::ptrdiff_t out = packed.convolutions.front().out;
  packed.first = Product(kernels, 16 * out, layer.in, [&](std::ptrdiff_t column, std::ptrdiff_t i) {
    const std::ptrdiff_t o = column % out, row = column / out / 4, line = column / out % 4;
    if (o >= layer.out) return 0.0f;
    double sum = 0.0;
    for (std::ptrdiff_t a = 0; a < 3; ++a)
      for (std::ptrdiff_t b = 0; b < 3; ++b) {
        const std::ptrdiff_t r = row + a - 1, c = line + b - 1;
        if (r >= 0 && r < 4 && c >= 0 && c < 4)
          sum += static_cast<double>(x[(i * 4 + r) * 4 + c]) *
                 static_cast<double>(w[((o * layer.in + i) * 3 + a) * 3 + b]);
      }
    return static_cast<float>(sum);
  });
  return packed;
}

}  // namespace stylegan2::detail::cpu
}  // namespace v1
}  // namespace faultline
