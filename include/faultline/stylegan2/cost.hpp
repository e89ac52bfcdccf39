// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Multiply-accumulates and activation traffic of a StyleGAN2 generator, from its sizes alone.

#include <faultline/concepts/generator_cost.hpp>
#include <faultline/stylegan2/config.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// Multiply-accumulates of the mapping network per row: its fully connected layers and, with classes, the embedding.
[[nodiscard]] inline std::int64_t mapping_macs(const GeneratorConfig& config) {
  std::int64_t macs = config.c_dim * config.w_dim;
  std::int64_t width = config.z_dim + (config.c_dim > 0 ? config.w_dim : 0);
  for (std::int64_t i = 0; i < config.mapping_layers; ++i, width = config.w_dim) macs += width * config.w_dim;
  return macs;
}

/// Multiply-accumulates of the affine maps from w to all styles, per row: D · w_dim.
[[nodiscard]] inline std::int64_t styles_macs(const GeneratorConfig& config) {
  return style_layout(config).dimension() * config.w_dim;
}

/// Multiply-accumulates of one layer of the synthesis network per image.
///
/// A 3x3 convolution counts 9 per pair of channels and pixel of its output, an upsampling one (transposed) per pixel of
/// its input, ToRGB 1. Resampling filters, demodulation and what works on single elements are left out: together at
/// most a few hundredths.
[[nodiscard]] inline std::int64_t layer_macs(const SynthesisLayer& layer) {
  const std::int64_t products = layer.in * layer.out * layer.resolution * layer.resolution;
  switch (layer.kind) {
    case SynthesisLayer::Kind::conv: return 9 * products;
    case SynthesisLayer::Kind::upsampling_conv: return 9 * products / 4;
    case SynthesisLayer::Kind::to_rgb: break;
  }
  return products;
}

/// Multiply-accumulates of the synthesis network per image, the sum of `layer_macs`.
[[nodiscard]] inline std::int64_t synthesis_macs(const GeneratorConfig& config) {
  std::int64_t macs = 0;
  for (const auto& layer : synthesis_layers(config)) macs += layer_macs(layer);
  return macs;
}

/// How often activations travel between memory and processor.
enum class ActivationTraffic {
  /// Every convolution reads its input once and writes its output once, with everything else on the way; ToRGB only
  /// adds to the image
  fused,
  /// a library's convolution, then one pass over its output for resampling, demodulation, noise, bias and activation;
  /// ToRGB reads its input and makes an image to add
  two_pass,
  /// One pass per operation: scale, convolve, filter where it upsamples, demodulate, noise, bias, activation, gain
  eager,
};

/// Bytes of activations that the synthesis network reads and writes per image, `element` bytes per value; weights and
/// styles are left out.
[[nodiscard]] inline std::int64_t synthesis_bytes(const GeneratorConfig& config, ActivationTraffic traffic,
                                                  std::int64_t element = 4) {
  std::int64_t values = 0;
  for (const auto& layer : synthesis_layers(config)) {
    const bool rgb = layer.kind == SynthesisLayer::Kind::to_rgb;
    const bool upsamples = layer.kind == SynthesisLayer::Kind::upsampling_conv;
    const std::int64_t out = layer.out * layer.resolution * layer.resolution;
    const std::int64_t in = layer.in * layer.resolution * layer.resolution / (upsamples ? 4 : 1);
    switch (traffic) {
      case ActivationTraffic::fused: values += rgb ? 2 * out : in + out; break;
      case ActivationTraffic::two_pass: values += in + 3 * out; break;
      case ActivationTraffic::eager: values += 3 * in + (rgb ? 8 : upsamples ? 13 : 11) * out; break;
    }
  }
  return values * element;
}

/// The cost of a generator on the CPU; a device backend sets `launches`.
[[nodiscard]] inline GeneratorCost generator_cost(const GeneratorConfig& config, ActivationTraffic traffic,
                                                  std::int64_t element = 4) {
  return {mapping_macs(config), styles_macs(config), synthesis_macs(config), synthesis_bytes(config, traffic, element),
          0};
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
