// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The built-in classifier networks as plain functions of tensors, differentiable, and how their training begins.

#include <faultline/classify/classifier_network.hpp>
#include <faultline/core/random.hpp>
#include <faultline/torch/tensor_weights.hpp>
#include <faultline/torch/training/libtorch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

/// Activations of the hidden layer: what Fréchet distances are measured in. Shapes: images `[N, C, H, W]` -> `[N,
/// 128]`. With `training`, batch statistics are used and the running ones (momentum .1) updated.
inline at::Tensor classifier_features(const classify::ClassifierConfig& config, const stylegan2::TensorWeights& weights,
                                      const at::Tensor& images, bool training = false) {
  const classify::detail::Architecture net = classify::detail::architecture(config.architecture, "classifier_features");
  at::Tensor x = images;
  std::int64_t index = 1;
  for (const auto& layer : net.convolutions) {
    const std::string number = std::to_string(index++);
    x = at::conv2d(x, weights["conv" + number + ".weight"], weights["conv" + number + ".bias"], 1, net.padding);
    const std::string bn = "bn" + number;
    x = at::batch_norm(x, weights[bn + ".weight"], weights[bn + ".bias"], weights[bn + ".running_mean"],
                       weights[bn + ".running_var"], training, 0.1, classify::detail::normalization_epsilon, false)
            .relu_();
    if (layer.pool_after) x = at::max_pool2d(x, 2);
  }
  x = at::matmul(x.flatten(1), weights["fc1.weight"].t()) + weights["fc1.bias"];
  return net.activated_features ? x.relu() : x;
}

/// Logits `[N, classes]` of features `[N, 128]`.
inline at::Tensor classifier_head(const stylegan2::TensorWeights& weights, const at::Tensor& features) {
  return at::matmul(features, weights["fc2.weight"].t()) + weights["fc2.bias"];
}

/// Random initial weights, uniform within ±1/√fan_in, batch normalisation at identity. Randomness: array j from (seed,
/// stream 0, j).
inline classify::ClassifierModel initial_classifier(const classify::ClassifierConfig& config, std::int64_t seed) {
  classify::ClassifierModel model{config, {}, {}, {}};
  std::int64_t index = 0;
  double bound = 1.0;
  for (const auto& spec : classify::weight_specs(config)) {
    std::vector<float> values(static_cast<std::size_t>(kernels::element_count(spec.shape)), 0.0f);
    const bool norm = spec.name.starts_with("bn");
    if (norm && (spec.name.ends_with(".weight") || spec.name.ends_with(".running_var")))
      std::fill(values.begin(), values.end(), 1.0f);
    if (!norm) {
      // a bias follows its weight and shares its bound
      if (spec.shape.size() > 1) bound = 1.0 / std::sqrt(static_cast<double>(values.size()) / static_cast<double>(spec.shape[0]));
      core::CounterRandom random(seed, core::Stream::latents, index);
      for (float& value : values) value = static_cast<float>((2.0 * random.uniform() - 1.0) * bound);
    }
    model.weights.set(spec.name, {spec.shape, std::move(values)});
    ++index;
  }
  return model;
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
