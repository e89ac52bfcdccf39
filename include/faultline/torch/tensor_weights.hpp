// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Named tensors of a network: initialisation, copies in another type, and the way from and to a safetensors file.

#include <faultline/core/random.hpp>
#include <faultline/data/safetensors.hpp>
#include <faultline/stylegan2/config.hpp>
#include <faultline/torch/libtorch_call.hpp>
#include <faultline/torch/libtorch.hpp>

#include <cmath>
#include <cstring>
#include <map>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// The tensors of one network by their stored name; lookups of absent names throw missing_tensor.
class Weights {
 public:
  [[nodiscard]] const at::Tensor& operator[](const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw Error(ErrorCode::missing_tensor, "Weights", "there is no tensor " + name);
    return found->second;
  }
  void set(const std::string& name, at::Tensor value) { tensors_[name] = std::move(value); }
  [[nodiscard]] bool contains(const std::string& name) const { return tensors_.count(name) != 0; }
  [[nodiscard]] const std::map<std::string, at::Tensor>& all() const noexcept { return tensors_; }

  /// Deep copy, detached, optionally in another floating type.
  [[nodiscard]] Weights clone(c10::ScalarType type = at::kFloat) const {
    Weights copy;
    for (const auto& [name, tensor] : tensors_)
      copy.set(name, tensor.detach().to(tensor.options().dtype(type), false, true));
    return copy;
  }

 private:
  std::map<std::string, at::Tensor> tensors_;
};

/// Whether a tensor is a buffer (kept, not trained), by its name.
inline bool is_buffer(const std::string& name) {
  const auto ends = [&](const std::string& tail) {
    return name.size() >= tail.size() && name.compare(name.size() - tail.size(), tail.size(), tail) == 0;
  };
  return ends("noise_const") || ends("w_avg") || ends("resample_filter");
}

/// Random initial weights: N(0, 1) for kernels and constants, N(0, 1)/m for mapping layers, biases 0, affine biases 1,
/// noise strength 0.
///
/// Randomness: tensor j of `weight_specs(config)` takes its normals from (seed, stream 0, index j).
template <class Config>
Weights initial_weights(const Config& config, std::int64_t seed) {
  validate(config);
  const detail::LibTorchScope scope("initial_weights");
  Weights weights;
  std::int64_t index = 0;
  for (const auto& spec : weight_specs(config)) {
    using Role = TensorSpec::Role;
    at::Tensor value = at::zeros(spec.shape, at::kFloat);
    const bool zero = spec.role == Role::bias || spec.role == Role::noise_strength || spec.name == "mapping.w_avg";
    if (spec.role == Role::affine_bias) value.fill_(1.0);
    else if (!zero)
      core::fill_normals(seed, core::Stream::latents, index,
                         std::span<float>(value.data_ptr<float>(), static_cast<std::size_t>(value.numel())));
    if (spec.role == Role::slow_weight) value.div_(config.mapping_lr_multiplier);
    weights.set(spec.name, value);
    ++index;
  }
  return weights;
}

/// Copy of a stored tensor as float32 on the host.
inline at::Tensor to_tensor(const data::TensorData& data) {
  at::Tensor tensor = at::empty(data.shape, at::kFloat);
  if (!data.values.empty())
    std::memcpy(tensor.data_ptr<float>(), data.values.data(), data.values.size() * sizeof(float));
  return tensor;
}

/// Copy of a tensor in the form a file stores.
inline data::TensorData to_data(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kFloat).contiguous();
  data::TensorData data;
  data.shape = plain.sizes().vec();
  data.values.assign(plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel());
  return data;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
