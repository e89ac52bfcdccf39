// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Sizes of a StyleGAN2 generator and discriminator, and what follows from them: channels, w slots, StyleSpace layers,
// tensor shapes.

#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/image.hpp>
#include <faultline/error.hpp>
#include <faultline/kernels/weights.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// Slope of the leaky ReLU of every network.
inline constexpr double leaky_slope = 0.2;
/// Added to mean squares and squared norms before their root is divided by.
inline constexpr double normalization_epsilon = 1e-8;

/// Sizes of a generator; the members are the keys of the `config` in a generator file.
///
/// Resolutions run 4, 8, …, `img_resolution` (a power of two, 4 to 4096); the width at resolution r is min(channel_base
/// / r, channel_max).
struct GeneratorConfig {
  std::int64_t z_dim = 512;
  std::int64_t w_dim = 512;
  std::int64_t c_dim = 0;  ///< number of classes; 0: unconditional
  std::int64_t img_resolution = 32;
  std::int64_t img_channels = 1;
  std::int64_t channel_base = 16384;
  std::int64_t channel_max = 512;
  std::int64_t mapping_layers = 2;
  double mapping_lr_multiplier = 0.01;
  std::optional<double> conv_clamp = std::nullopt;
  std::vector<std::string> class_names = {};
  ValueRange value_range = {-1.0, 1.0};

  [[nodiscard]] std::int64_t channels(std::int64_t resolution) const {
    return std::min(channel_base / resolution, channel_max);
  }
  /// Number of w slots, 2·log2(R) − 2.
  [[nodiscard]] std::int64_t num_ws() const {
    std::int64_t slots = 0;
    for (std::int64_t r = 4; r <= img_resolution; r *= 2) slots += 2;
    return slots;
  }
  friend bool operator==(const GeneratorConfig&, const GeneratorConfig&) = default;
};

/// Sizes of a discriminator ('resnet' architecture); the members are the keys of the `config` in a discriminator file.
struct DiscriminatorConfig {
  std::int64_t c_dim = 0;
  std::int64_t img_resolution = 32;
  std::int64_t img_channels = 1;
  std::int64_t channel_base = 16384;
  std::int64_t channel_max = 512;
  std::optional<double> conv_clamp = std::nullopt;
  /// Samples that share a minibatch standard deviation; 0: the whole batch
  std::int64_t mbstd_group_size = 4;
  std::int64_t mbstd_num_channels = 1;  ///< 0: no minibatch standard deviation
  std::int64_t mapping_layers = 8;
  double mapping_lr_multiplier = 0.01;

  [[nodiscard]] std::int64_t channels(std::int64_t resolution) const {
    return std::min(channel_base / resolution, channel_max);
  }
  friend bool operator==(const DiscriminatorConfig&, const DiscriminatorConfig&) = default;
};

/// One modulated layer of the synthesis network: what it is called, which w slot drives it, how many channels its style
/// scales.
struct SynthesisLayer {
  enum class Kind { conv, upsampling_conv, to_rgb };
  Kind kind = Kind::conv;
  std::string name;  ///< "b8.conv0"
  std::int64_t resolution = 4;
  std::int64_t slot = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
};

/// All modulated layers in StyleSpace order: per resolution conv0 (not at 4x4), conv1, torgb (spec: Wu et al. 2021,
/// order of the layer indices).
inline std::vector<SynthesisLayer> synthesis_layers(const GeneratorConfig& config) {
  std::vector<SynthesisLayer> layers;
  std::int64_t slot = 0;
  for (std::int64_t r = 4; r <= config.img_resolution; r *= 2) {
    const std::string block = "b" + std::to_string(r);
    const std::int64_t width = config.channels(r);
    if (r > 4)
      layers.push_back(
          {SynthesisLayer::Kind::upsampling_conv, block + ".conv0", r, slot++, config.channels(r / 2), width});
    layers.push_back({SynthesisLayer::Kind::conv, block + ".conv1", r, slot++, width, width});
    // Shares the slot of the next conv0
    layers.push_back({SynthesisLayer::Kind::to_rgb, block + ".torgb", r, slot, width, config.img_channels});
  }
  return layers;
}

/// The StyleSpace layout of a generator: one layer per affine map, its width the input channels of the layer it scales.
inline StyleLayout style_layout(const GeneratorConfig& config) {
  std::vector<std::pair<std::string, std::int64_t>> widths;
  for (const auto& layer : synthesis_layers(config)) widths.emplace_back(layer.name, layer.in);
  return StyleLayout(widths);
}

namespace detail {

inline void require_in_range(const char* who, const std::string& what, std::int64_t value, std::int64_t lowest,
                             std::int64_t highest) {
  if (value < lowest || value > highest)
    throw Error(ErrorCode::invalid_argument, who,
                what + " must lie in [" + std::to_string(lowest) + ", " + std::to_string(highest) + "], got " +
                    std::to_string(value));
}

template <class Config>
void check_common_sizes(const char* who, const Config& config) {
  require_in_range(who, "img_resolution", config.img_resolution, 4, 4096);
  if ((config.img_resolution & (config.img_resolution - 1)) != 0)
    throw Error(ErrorCode::invalid_argument, who,
                "img_resolution must be a power of two, got " + std::to_string(config.img_resolution));
  require_in_range(who, "img_channels", config.img_channels, 1, 1024);
  require_in_range(who, "channel_base", config.channel_base, config.img_resolution, 1 << 24);
  require_in_range(who, "channel_max", config.channel_max, 1, 1 << 14);
  require_in_range(who, "c_dim", config.c_dim, 0, 1 << 20);
  require_in_range(who, "mapping_layers", config.mapping_layers, 0, 64);
  if (!(config.mapping_lr_multiplier > 0.0 && config.mapping_lr_multiplier <= 100.0))
    throw Error(ErrorCode::invalid_argument, who,
                "mapping_lr_multiplier must lie in (0, 100], got " + std::to_string(config.mapping_lr_multiplier));
  if (config.conv_clamp && !(*config.conv_clamp > 0.0))
    throw Error(ErrorCode::invalid_argument, who,
                "conv_clamp must be positive or absent, got " + std::to_string(*config.conv_clamp));
}

}  // namespace detail

/// Throws invalid_argument when a size is outside its range or sizes contradict each other.
inline void validate(const GeneratorConfig& config) {
  constexpr const char* who = "GeneratorConfig";
  detail::check_common_sizes(who, config);
  detail::require_in_range(who, "z_dim", config.z_dim, 0, 1 << 16);
  detail::require_in_range(who, "w_dim", config.w_dim, 1, 1 << 16);
  if (config.z_dim == 0 && config.c_dim == 0)
    throw Error(ErrorCode::invalid_argument, who, "z_dim and c_dim are both 0: the mapping has no input");
  if (config.mapping_layers == 0)
    throw Error(ErrorCode::invalid_argument, who, "a generator needs at least one mapping layer");
  if (!config.class_names.empty() && static_cast<std::int64_t>(config.class_names.size()) != config.c_dim)
    throw Error(ErrorCode::invalid_argument, who,
                "expected " + std::to_string(config.c_dim) + " class_names or none, got " +
                    std::to_string(config.class_names.size()));
  if (!(config.value_range.lower < config.value_range.upper))
    throw Error(ErrorCode::invalid_argument, who, "value_range must be increasing");
}

/// Throws invalid_argument when a size is outside its range or sizes contradict each other.
inline void validate(const DiscriminatorConfig& config) {
  constexpr const char* who = "DiscriminatorConfig";
  detail::check_common_sizes(who, config);
  detail::require_in_range(who, "mbstd_group_size", config.mbstd_group_size, 0, 1 << 16);
  detail::require_in_range(who, "mbstd_num_channels", config.mbstd_num_channels, 0, 1 << 10);
  if (config.mbstd_num_channels > 0 && config.channels(4) % config.mbstd_num_channels != 0)
    throw Error(ErrorCode::invalid_argument, who, "the width at 4x4 must be a multiple of mbstd_num_channels");
}

/// The tensors of a generator, resample filters (optional in files) left out.
inline std::vector<kernels::WeightSpec> weight_specs(const GeneratorConfig& config) {
  using Role = kernels::WeightSpec::Role;
  std::vector<kernels::WeightSpec> specs;
  std::int64_t width = config.z_dim;
  if (config.c_dim > 0) {
    specs.push_back({"mapping.embed.weight", {config.w_dim, config.c_dim}, Role::weight});
    specs.push_back({"mapping.embed.bias", {config.w_dim}, Role::bias});
    width += config.w_dim;
  }
  for (std::int64_t i = 0; i < config.mapping_layers; ++i, width = config.w_dim) {
    specs.push_back({"mapping.fc" + std::to_string(i) + ".weight", {config.w_dim, width}, Role::slow_weight});
    specs.push_back({"mapping.fc" + std::to_string(i) + ".bias", {config.w_dim}, Role::bias});
  }
  specs.push_back({"mapping.w_avg", {config.w_dim}, Role::buffer});
  specs.push_back({"synthesis.b4.const", {config.channels(4), 4, 4}, Role::constant});
  for (const auto& layer : synthesis_layers(config)) {
    const std::string name = "synthesis." + layer.name;
    const bool rgb = layer.kind == SynthesisLayer::Kind::to_rgb;
    const std::int64_t kernel = rgb ? 1 : 3;
    specs.push_back({name + ".weight", {layer.out, layer.in, kernel, kernel}, Role::weight});
    specs.push_back({name + ".bias", {layer.out}, Role::bias});
    if (!rgb) {
      specs.push_back({name + ".noise_strength", {}, Role::noise_strength});
      specs.push_back({name + ".noise_const", {layer.resolution, layer.resolution}, Role::buffer});
    }
    specs.push_back({name + ".affine.weight", {layer.in, config.w_dim}, Role::weight});
    specs.push_back({name + ".affine.bias", {layer.in}, Role::affine_bias});
  }
  return specs;
}

/// The tensors of a discriminator, resample filters (optional in files) left out.
inline std::vector<kernels::WeightSpec> weight_specs(const DiscriminatorConfig& config) {
  using Role = kernels::WeightSpec::Role;
  std::vector<kernels::WeightSpec> specs;
  const auto conv = [&](const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel, bool bias) {
    specs.push_back({name + ".weight", {out, in, kernel, kernel}, Role::weight});
    if (bias) specs.push_back({name + ".bias", {out}, Role::bias});
  };
  const std::int64_t top = config.img_resolution;
  if (top > 4) conv("b" + std::to_string(top) + ".fromrgb", config.channels(top), config.img_channels, 1, true);
  for (std::int64_t r = top; r > 4; r /= 2) {
    const std::string block = "b" + std::to_string(r);
    conv(block + ".conv0", config.channels(r), config.channels(r), 3, true);
    conv(block + ".conv1", config.channels(r / 2), config.channels(r), 3, true);
    conv(block + ".skip", config.channels(r / 2), config.channels(r), 1, false);
  }
  const std::int64_t width = config.channels(4);
  if (top == 4) conv("b4.fromrgb", width, config.img_channels, 1, true);
  conv("b4.conv", width, width + config.mbstd_num_channels, 3, true);
  specs.push_back({"b4.fc.weight", {width, width * 16}, Role::weight});
  specs.push_back({"b4.fc.bias", {width}, Role::bias});
  const std::int64_t outputs = config.c_dim > 0 ? width : 1;
  specs.push_back({"b4.out.weight", {outputs, width}, Role::weight});
  specs.push_back({"b4.out.bias", {outputs}, Role::bias});
  if (config.c_dim > 0) {
    specs.push_back({"mapping.embed.weight", {width, config.c_dim}, Role::weight});
    specs.push_back({"mapping.embed.bias", {width}, Role::bias});
    for (std::int64_t i = 0; i < config.mapping_layers; ++i) {
      specs.push_back({"mapping.fc" + std::to_string(i) + ".weight", {width, width}, Role::slow_weight});
      specs.push_back({"mapping.fc" + std::to_string(i) + ".bias", {width}, Role::bias});
    }
  }
  return specs;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
