// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Adam (Kingma & Ba 2015) with state that can be stored: plain tensors by parameter name and a step count.

#include <faultline/torch/tensor_weights.hpp>
#include <faultline/torch/training/libtorch.hpp>

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

/// Options corrected for lazy regularisation every `interval` steps (Karras et al. 2020, appendix B): with c = k/(k+1),
/// lr · c and β^c.
inline AdamOptions lazy_correction(AdamOptions options, std::int64_t interval) {
  const double c = static_cast<double>(interval) / static_cast<double>(interval + 1);
  options.learning_rate *= c;
  options.beta1 = std::pow(options.beta1, c);
  options.beta2 = std::pow(options.beta2, c);
  return options;
}

/// Adam over the trainable tensors of one network.
///
/// A NaN in a gradient counts as 0 and ±inf as ±1e5, so that one bad batch cannot poison the moments. Same gradients,
/// same bits, on any number of threads.
class Adam {
 public:
  explicit Adam(AdamOptions options = {}) : options_(options) {}

  /// One step: parameters with a defined gradient move, all gradients are cleared. Nothing happens, the step count
  /// included, when no gradient is defined.
  void step(stylegan2::TensorWeights& weights) {
    bool any = false;
    for (const auto& [name, tensor] : weights.all()) any = any || tensor.grad().defined();
    if (!any) return;
    ++steps_;
    const c10::AutoGradMode off(false);
    const double correction1 = 1.0 - std::pow(options_.beta1, static_cast<double>(steps_));
    const double correction2 = 1.0 - std::pow(options_.beta2, static_cast<double>(steps_));
    for (const auto& [name, tensor] : weights.all()) {
      if (!tensor.grad().defined()) continue;
      at::Tensor unused;
      update(tensor, tensor.grad(), options_.beta1 > 0.0 ? moment(first_, name, tensor) : unused,
             moment(second_, name, tensor), correction1, correction2);
      tensor.mutable_grad() = at::Tensor();
    }
  }

  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }
  [[nodiscard]] const AdamOptions& options() const noexcept { return options_; }
  void set_learning_rate(double rate) noexcept { options_.learning_rate = rate; }
  /// The moments by parameter name, for checkpoints; there are no first moments when beta1 is 0.
  [[nodiscard]] const std::map<std::string, at::Tensor>& first_moments() const noexcept { return first_; }
  [[nodiscard]] const std::map<std::string, at::Tensor>& second_moments() const noexcept { return second_; }
  void restore(std::int64_t steps, std::map<std::string, at::Tensor> first, std::map<std::string, at::Tensor> second) {
    steps_ = steps;
    first_ = std::move(first);
    second_ = std::move(second);
  }

 private:
  static at::Tensor& moment(std::map<std::string, at::Tensor>& moments, const std::string& name,
                            const at::Tensor& like) {
    at::Tensor& found = moments[name];
    if (!found.defined()) found = at::zeros_like(like.detach());
    return found;
  }

  void update(const at::Tensor& parameter, const at::Tensor& gradient, at::Tensor& first, at::Tensor& second,
              double correction1, double correction2) const {
    const at::Tensor target = parameter.detach();
    const at::Tensor clean = at::nan_to_num(gradient, 0.0, 1e5, -1e5);
    if (options_.beta1 > 0.0) first.mul_(options_.beta1).add_(clean, 1.0 - options_.beta1);
    second.mul_(options_.beta2).addcmul_(clean, clean, 1.0 - options_.beta2);
    const at::Tensor denominator = second.sqrt().mul_(1.0 / std::sqrt(correction2)).add_(options_.epsilon);
    target.addcdiv_(options_.beta1 > 0.0 ? first : clean, denominator, -options_.learning_rate / correction1);
  }

  AdamOptions options_;
  std::int64_t steps_ = 0;
  std::map<std::string, at::Tensor> first_;
  std::map<std::string, at::Tensor> second_;
};

}  // namespace training
}  // namespace v1
}  // namespace faultline
