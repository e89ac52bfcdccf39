// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Adam (Kingma & Ba 2015) with state that can be stored: plain tensors by parameter name and a step count.

#include <faultline/stylegan2/weights.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>

namespace faultline {
inline namespace v1 {
namespace training {

/// Options of Adam.
struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// Options corrected for lazy regularisation every `interval` steps (Karras et al. 2020, appendix B): with c = k/(k+1), lr · c and β^c.
inline AdamOptions lazy_correction(AdamOptions options, std::int64_t interval) {
  const double c = static_cast<double>(interval) / static_cast<double>(interval + 1);
  options.learning_rate *= c;
  options.beta1 = std::pow(options.beta1, c);
  options.beta2 = std::pow(options.beta2, c);
  return options;
}

/// Adam over the trainable tensors of one network.
///
/// A NaN in a gradient counts as 0 and ±inf as ±1e5, so that one bad batch cannot poison the moments. Same gradients, same bits, on any number of threads.
class Adam {
 public:
  explicit Adam(AdamOptions options = {}) : options_(options) {}

  /// One step: parameters with a defined gradient move, all gradients are cleared. Nothing happens, the step count included, when no gradient is defined.
  void step(stylegan2::Weights& weights) {
    bool any = false;
    for (const auto& [name, tensor] : weights.all()) any = any || tensor.grad().defined();
    if (!any) return;
    ++steps_;
    const double correction1 = 1.0 - std::pow(options_.beta1, static_cast<double>(steps_));
    const double correction2 = 1.0 - std::pow(options_.beta2, static_cast<double>(steps_));
    for (const auto& [name, tensor] : weights.all()) {
      if (!tensor.grad().defined()) continue;
      const at::Tensor gradient = tensor.grad().contiguous();
      update(tensor, gradient, moment(first_, name, tensor), moment(second_, name, tensor), correction1, correction2);
      tensor.mutable_grad() = at::Tensor();
    }
  }

  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }
  [[nodiscard]] const AdamOptions& options() const noexcept { return options_; }
  void set_learning_rate(double rate) noexcept { options_.learning_rate = rate; }
  /// The moments by parameter name, for checkpoints.
  [[nodiscard]] const std::map<std::string, at::Tensor>& first_moments() const noexcept { return first_; }
  [[nodiscard]] const std::map<std::string, at::Tensor>& second_moments() const noexcept { return second_; }
  void restore(std::int64_t steps, std::map<std::string, at::Tensor> first, std::map<std::string, at::Tensor> second) {
    steps_ = steps;
    first_ = std::move(first);
    second_ = std::move(second);
  }

 private:
  static at::Tensor& moment(std::map<std::string, at::Tensor>& moments, const std::string& name, const at::Tensor& like) {
    at::Tensor& found = moments[name];
    if (!found.defined()) found = at::zeros(like.sizes(), at::kFloat);
    return found;
  }

  void update(const at::Tensor& parameter, const at::Tensor& gradient, at::Tensor& first, at::Tensor& second, double correction1, double correction2) const {
    const at::Tensor target = parameter.detach();
    float* p = target.data_ptr<float>();
    const float* g = gradient.data_ptr<float>();
    float* m = first.data_ptr<float>();
    float* v = second.data_ptr<float>();
    const float beta1 = static_cast<float>(options_.beta1);
    const float beta2 = static_cast<float>(options_.beta2);
    const float rest1 = static_cast<float>(1.0 - options_.beta1);
    const float rest2 = static_cast<float>(1.0 - options_.beta2);
    const float rate = static_cast<float>(options_.learning_rate / correction1);
    const float scale = static_cast<float>(1.0 / std::sqrt(correction2));
    const float epsilon = static_cast<float>(options_.epsilon);
    const std::int64_t count = target.numel();
    for (std::int64_t i = 0; i < count; ++i) {
      float value = g[i];
      value = value != value ? 0.0f : (value > 1e5f && value - value != 0.0f ? 1e5f : (value < -1e5f && value - value != 0.0f ? -1e5f : value));
      m[i] = beta1 * m[i] + rest1 * value;
      v[i] = beta2 * v[i] + rest2 * value * value;
      p[i] -= rate * m[i] / (std::sqrt(v[i]) * scale + epsilon);
    }
  }

  AdamOptions options_;
  std::int64_t steps_ = 0;
  std::map<std::string, at::Tensor> first_;
  std::map<std::string, at::Tensor> second_;
};

}  // namespace training
}  // namespace v1
}  // namespace faultline
