// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A classifier network ready to answer: batch normalisation folded into the convolutions, channels last, which the CPU's convolutions and pooling want.

#include <faultline/training/classifier_networks.hpp>

#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {
namespace detail {

/// `classifier_features` and `classifier_head` for frozen weights, to rounding, in about half the time.
class FoldedNetwork {
 public:
  FoldedNetwork(const ClassifierConfig& config, const stylegan2::Weights& weights) : net_(architecture(config.architecture, "FoldedNetwork")) {
    for (std::size_t i = 1; i <= net_.convolutions.size(); ++i) {
      const std::string number = std::to_string(i), bn = "bn" + number;
      const at::Tensor scale = weights[bn + ".weight"] * (weights[bn + ".running_var"] + normalization_epsilon).rsqrt();
      kernels_.push_back((weights["conv" + number + ".weight"] * scale.view({-1, 1, 1, 1})).contiguous(at::MemoryFormat::ChannelsLast));
      biases_.push_back((weights["conv" + number + ".bias"] - weights[bn + ".running_mean"]) * scale + weights[bn + ".bias"]);
    }
    hidden_ = weights["fc1.weight"].t();
    hidden_bias_ = weights["fc1.bias"];
    head_ = weights["fc2.weight"].t();
    head_bias_ = weights["fc2.bias"];
  }

  /// Images `[N, C, H, W]` -> activations of the hidden layer `[N, 128]`.
  [[nodiscard]] at::Tensor features(const at::Tensor& images) const {
    at::Tensor x = images.contiguous(at::MemoryFormat::ChannelsLast);
    for (std::size_t i = 0; i < kernels_.size(); ++i) {
      x = at::conv2d(x, kernels_[i], biases_[i], 1, net_.padding).relu_();
      if (net_.convolutions[i].pool_after) x = at::max_pool2d(x, 2);
    }
    x = at::addmm(hidden_bias_, x.flatten(1), hidden_);
    return net_.activated_features ? x.relu_() : x;
  }

  /// Images -> logits `[N, classes]`.
  [[nodiscard]] at::Tensor logits(const at::Tensor& images) const { return at::addmm(head_bias_, features(images), head_); }

 private:
  Architecture net_;
  std::vector<at::Tensor> kernels_, biases_;
  at::Tensor hidden_, hidden_bias_, head_, head_bias_;
};

}  // namespace detail
}  // namespace training
}  // namespace v1
}  // namespace faultline
