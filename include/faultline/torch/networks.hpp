// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The StyleGAN2 networks as plain functions of their weights (Karras et al. 2020; conditional form of Karras et al.
// 2020b): mapping, styles, synthesis, discriminator.

#include <faultline/torch/operations.hpp>
#include <faultline/torch/tensor_weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// One-hot rows for integer labels. Shapes: `[N]` int64 -> `[N, classes]`.
inline at::Tensor one_hot(const at::Tensor& labels, std::int64_t classes, c10::ScalarType type = at::kFloat) {
  return at::eye(classes, type).index_select(0, labels);
}

namespace detail {

/// The fully connected trunk that the mappings of generator and discriminator share.
inline at::Tensor mapping_trunk(const TensorWeights& weights, at::Tensor h, std::int64_t layers, double multiplier) {
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string name = "mapping.fc" + std::to_string(i);
    h = scaled_leaky_relu(fully_connected(h, weights[name + ".weight"], weights[name + ".bias"], multiplier));
  }
  return h;
}

inline at::Tensor class_embedding(const TensorWeights& weights, const at::Tensor& classes) {
  return normalize_second_moment(
      fully_connected(classes, weights["mapping.embed.weight"], weights["mapping.embed.bias"]));
}

}  // namespace detail

/// The mapping network, without truncation.
///
/// Shapes: z `[N, z_dim]` (undefined when z_dim is 0), classes `[N, c_dim]` real (one-hot or soft; undefined when
/// unconditional) -> w `[N, w_dim]`.
inline at::Tensor mapping(const GeneratorConfig& config, const TensorWeights& weights, const at::Tensor& z,
                          const at::Tensor& classes) {
  std::vector<at::Tensor> inputs;
  if (config.z_dim > 0) inputs.push_back(normalize_second_moment(z));
  if (config.c_dim > 0) inputs.push_back(detail::class_embedding(weights, classes));
  return detail::mapping_trunk(weights, inputs.size() == 1 ? inputs.front() : at::cat(inputs, 1), config.mapping_layers,
                               config.mapping_lr_multiplier);
}

/// The styles of every layer, in StyleSpace order, before any gain: w Aᵀ/√w_dim + a.
///
/// Shapes: w `[N, w_dim]` (all slots equal) or `[N, num_ws, w_dim]` -> one `[N, layer.in]` per layer.
inline std::vector<at::Tensor> layer_styles(const GeneratorConfig& config, const TensorWeights& weights,
                                            const at::Tensor& w) {
  std::vector<at::Tensor> styles;
  for (const auto& layer : synthesis_layers(config)) {
    const std::string name = "synthesis." + layer.name + ".affine";
    // Contiguous rows, so that a w per slot takes the same path through BLAS as one w for all and gives the same bits.
    styles.push_back(fully_connected(w.dim() == 3 ? w.select(1, layer.slot).contiguous() : w, weights[name + ".weight"],
                                     weights[name + ".bias"]));
  }
  return styles;
}

/// The stored noise images, one per convolution in layer order.
inline std::vector<at::Tensor> constant_noise(const GeneratorConfig& config, const TensorWeights& weights) {
  std::vector<at::Tensor> noise;
  for (const auto& layer : synthesis_layers(config))
    if (layer.kind != SynthesisLayer::Kind::to_rgb)
      noise.push_back(weights["synthesis." + layer.name + ".noise_const"]);
  return noise;
}

/// A pass through the synthesis network that has come to layer `layer`.
struct SynthesisState {
  std::size_t layer = 0;  ///< number of the next layer in StyleSpace order
  at::Tensor x;           ///< `[N, in, r, r]`, what that layer takes, before its style
  at::Tensor image;       ///< `[N, C, r, r]`, the image so far; undefined before the first ToRGB
};

/// The synthesis network ('skip' architecture) from a layer on, to its end.
///
/// Shapes: styles as `layer_styles` returns them, those of earlier layers are not read; noise as in `synthesis` -> `[N,
/// C, R, R]`.
inline at::Tensor synthesis_from(const GeneratorConfig& config, const TensorWeights& weights, SynthesisState state,
                                 const std::vector<at::Tensor>& styles, const std::vector<at::Tensor>& noise) {
  const std::vector<SynthesisLayer> layers = synthesis_layers(config);
  auto& [index, x, image] = state;
  auto convolution = static_cast<std::size_t>(
      std::count_if(layers.begin(), layers.begin() + static_cast<std::ptrdiff_t>(index),
                    [](const auto& layer) { return layer.kind != SynthesisLayer::Kind::to_rgb; }));
  for (; index < layers.size(); ++index) {
    const SynthesisLayer& layer = layers[index];
    const std::string name = "synthesis." + layer.name;
    const at::Tensor& weight = weights[name + ".weight"];
    const at::Tensor& style = styles[index];
    if (layer.kind == SynthesisLayer::Kind::to_rgb) {
      const at::Tensor rgb =
          modulated_conv(x, weight, style * (1.0 / std::sqrt(static_cast<double>(layer.in))), false, false);
      const at::Tensor added = bias_activation(rgb, weights[name + ".bias"], false, config.conv_clamp);
      image = image.defined() ? upsample2d(image) + added : added;
    } else {
      x = modulated_conv(x, weight, style, layer.kind == SynthesisLayer::Kind::upsampling_conv, true);
      if (!noise.empty()) x = x + noise[convolution++] * weights[name + ".noise_strength"];
      x = bias_activation(x, weights[name + ".bias"], true, config.conv_clamp);
    }
  }
  return image;
}

/// The synthesis network.
///
/// Shapes: styles as `layer_styles` returns them; noise empty (none) or one tensor per convolution that broadcasts to
/// `[N, 1, r, r]` -> `[N, C, R, R]`.
inline at::Tensor synthesis(const GeneratorConfig& config, const TensorWeights& weights,
                            const std::vector<at::Tensor>& styles, const std::vector<at::Tensor>& noise) {
  return synthesis_from(config, weights, {0, weights["synthesis.b4.const"].unsqueeze(0), {}}, styles, noise);
}

namespace detail {

/// A convolution of the discriminator with equalised learning rate; `downsample` halves the resolution.
inline at::Tensor equalized_conv(const TensorWeights& weights, const std::string& name, const at::Tensor& x,
                                 bool downsample) {
  const at::Tensor& stored = weights[name + ".weight"];
  const at::Tensor weight =
      stored * (1.0 / std::sqrt(static_cast<double>(stored.size(1) * stored.size(2) * stored.size(3))));
  const std::int64_t kernel = stored.size(2);
  if (!downsample) return at::conv2d(x, weight, {}, 1, kernel / 2);
  return kernel == 1 ? at::conv2d(fir(x, 1, 2), weight) : downsampling_conv(x, weight);
}

}  // namespace detail

/// The discriminator up to its last layer.
///
/// Shapes: images `[N, C, R, R]` -> `[N, F]`: F = width at 4x4 when conditional, to be projected on
/// `discriminator_classes`, else 1, the logit. N must be a multiple of min(mbstd_group_size, N); a result depends on
/// the other images of its group.
inline at::Tensor discriminator_features(const DiscriminatorConfig& config, const TensorWeights& weights,
                                         const at::Tensor& images) {
  const auto conv = [&](const std::string& name, const at::Tensor& input, bool downsample, double gain) {
    return bias_activation(detail::equalized_conv(weights, name, input, downsample), weights[name + ".bias"], true,
                           config.conv_clamp, gain);
  };
  constexpr double half = 1.0 / std::numbers::sqrt2;
  at::Tensor x = conv("b" + std::to_string(config.img_resolution) + ".fromrgb", images, false, 1.0);
  for (std::int64_t r = config.img_resolution; r > 4; r /= 2) {
    const std::string block = "b" + std::to_string(r);
    const at::Tensor skip = detail::equalized_conv(weights, block + ".skip", x, true) * half;
    x = skip + conv(block + ".conv1", conv(block + ".conv0", x, false, 1.0), true, half);
  }
  if (config.mbstd_num_channels > 0) x = minibatch_std(x, config.mbstd_group_size, config.mbstd_num_channels);
  x = conv("b4.conv", x, false, 1.0);
  x = scaled_leaky_relu(fully_connected(x.flatten(1), weights["b4.fc.weight"], weights["b4.fc.bias"]));
  return fully_connected(x, weights["b4.out.weight"], weights["b4.out.bias"]);
}

/// The class vectors that features are projected on, scaled by 1/√F. Shapes: classes `[M, c_dim]` -> `[M, F]`.
inline at::Tensor discriminator_classes(const DiscriminatorConfig& config, const TensorWeights& weights,
                                        const at::Tensor& classes) {
  const at::Tensor mapped = detail::mapping_trunk(weights, detail::class_embedding(weights, classes),
                                                  config.mapping_layers, config.mapping_lr_multiplier);
  return mapped * (1.0 / std::sqrt(static_cast<double>(mapped.size(1))));
}

/// Logits of the discriminator (Miyato & Koyama 2018, the projection alone). Shapes: images `[N, C, R, R]`, classes
/// `[N, c_dim]` or undefined -> `[N, 1]`.
inline at::Tensor discriminator(const DiscriminatorConfig& config, const TensorWeights& weights,
                                const at::Tensor& images, const at::Tensor& classes) {
  const at::Tensor features = discriminator_features(config, weights, images);
  return config.c_dim > 0 ? (features * discriminator_classes(config, weights, classes)).sum({1}, true) : features;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
