// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The built-in classifier networks as plain functions of tensors, differentiable.

#include <faultline/classify/classifier_network.hpp>
#include <faultline/torch/tensor_weights.hpp>
#include <faultline/torch/training/libtorch.hpp>

#include <cstdint>
#include <string>

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

}  // namespace training
}  // namespace v1
}  // namespace faultline
