// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The backend that runs the plain network functions: short, obvious, the oracle for every faster one.

#include <faultline/stylegan2/cost.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/torch/networks.hpp>
#include <faultline/torch/tensor_arrays.hpp>

#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Runs a generator with the functions of `torch/networks.hpp` on the CPU in float32.
///
/// A backend is built from a model and offers mapping, styles and synthesis on tensors whose shapes `Generator` has
/// checked. Gradients flow where LibTorch's gradient mode is on and an argument asks for one; the weights themselves
/// never do.
class ReferenceBackend {
 public:
  using Arrays = stylegan2::TensorArrays;
  /// There is nothing to choose.
  struct Options {};

  /// Throws invalid_argument, missing_tensor, wrong_tensor_shape for a model that is not whole.
  explicit ReferenceBackend(stylegan2::GeneratorModel model, const Options& = {})
      : model_(stylegan2::whole_model(std::move(model))),
        weights_(stylegan2::to_tensors(model_.weights)),
        layout_(stylegan2::style_layout(model_.config)) {}

  [[nodiscard]] const stylegan2::GeneratorModel& model() const noexcept { return model_; }

  /// One pass over memory per operation.
  [[nodiscard]] GeneratorCost cost() const {
    return stylegan2::generator_cost(model_.config, stylegan2::ActivationTraffic::eager);
  }

  /// w `[N, w_dim]` before truncation; `classes` one-hot or soft, undefined when unconditional.
  [[nodiscard]] at::Tensor mapping(const at::Tensor& z, const at::Tensor& classes) const {
    return stylegan2::mapping(model_.config, weights_, z, classes);
  }

  /// Flat styles `[N, D]` of w `[N, w_dim]` or `[N, num_ws, w_dim]`.
  [[nodiscard]] at::Tensor styles(const at::Tensor& w) const {
    return at::cat(stylegan2::layer_styles(model_.config, weights_, w), 1);
  }

  /// The stored noise images, one per convolution.
  [[nodiscard]] std::vector<at::Tensor> constant_noise() const {
    return stylegan2::constant_noise(model_.config, weights_);
  }

  /// Images of flat styles; `noise` is empty or holds one tensor per convolution.
  [[nodiscard]] at::Tensor synthesis(const at::Tensor& s, const std::vector<at::Tensor>& noise) const {
    std::vector<at::Tensor> styles;
    for (const auto& layer : layout_.layers()) styles.push_back(s.narrow(1, layer.offset, layer.width));
    return stylegan2::synthesis(model_.config, weights_, styles, noise);
  }

 private:
  stylegan2::GeneratorModel model_;
  stylegan2::TensorWeights weights_;
  StyleLayout layout_;
};

}  // namespace v1
}  // namespace faultline
