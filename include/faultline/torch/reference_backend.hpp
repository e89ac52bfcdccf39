// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The backend that runs the plain network functions: short, obvious, the oracle for every faster one.

#include <faultline/stylegan2/cost.hpp>
#include <faultline/stylegan2/model_file.hpp>

#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Runs a generator with the functions of `stylegan2/networks.hpp` on the CPU in float32.
///
/// A backend is built from a model and offers mapping, styles and synthesis on tensors whose shapes `Generator` has
/// checked. Gradients flow where LibTorch's gradient mode is on and an argument asks for one; the weights themselves
/// never do.
class ReferenceBackend {
 public:
  /// There is nothing to choose.
  struct Options {};

  explicit ReferenceBackend(stylegan2::GeneratorModel model, const Options& = {})
      : model_(std::move(model)), layout_(stylegan2::style_layout(model_.config)) {}

  [[nodiscard]] const stylegan2::GeneratorModel& model() const noexcept { return model_; }

  /// One pass over memory per operation.
  [[nodiscard]] GeneratorCost cost() const {
    return stylegan2::generator_cost(model_.config, stylegan2::ActivationTraffic::eager);
  }

  /// w `[N, w_dim]` before truncation; `classes` one-hot or soft, undefined when unconditional.
  [[nodiscard]] at::Tensor mapping(const at::Tensor& z, const at::Tensor& classes) const {
    return stylegan2::mapping(model_.config, model_.weights, z, classes);
  }

  /// Flat styles `[N, D]` of w `[N, w_dim]` or `[N, num_ws, w_dim]`.
  [[nodiscard]] at::Tensor styles(const at::Tensor& w) const {
    return at::cat(stylegan2::layer_styles(model_.config, model_.weights, w), 1);
  }

  /// Images of flat styles; `noise` is empty or holds one tensor per convolution.
  [[nodiscard]] at::Tensor synthesis(const at::Tensor& s, const std::vector<at::Tensor>& noise) const {
    std::vector<at::Tensor> styles;
    for (const auto& layer : layout_.layers()) styles.push_back(s.narrow(1, layer.offset, layer.width));
    return stylegan2::synthesis(model_.config, model_.weights, styles, noise);
  }

 private:
  stylegan2::GeneratorModel model_;
  StyleLayout layout_;
};

}  // namespace v1
}  // namespace faultline
