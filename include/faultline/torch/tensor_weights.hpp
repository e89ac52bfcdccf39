// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The named arrays of a network as tensors, and the way between tensors and host memory.

#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/data/safetensors.hpp>
#include <faultline/kernels/weights.hpp>
#include <faultline/stylegan2/initial_weights.hpp>
#include <faultline/torch/libtorch.hpp>
#include <faultline/torch/libtorch_call.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// The tensors of one network by their stored name; lookups of absent names throw missing_tensor.
class TensorWeights {
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
  [[nodiscard]] TensorWeights clone(c10::ScalarType type = at::kFloat) const {
    TensorWeights copy;
    for (const auto& [name, tensor] : tensors_)
      copy.set(name, tensor.detach().to(tensor.options().dtype(type), false, true));
    return copy;
  }

 private:
  std::map<std::string, at::Tensor> tensors_;
};

/// Whether a tensor is a buffer (kept, not trained), by its name.
inline bool is_buffer(const std::string& name) {
  return name.ends_with("noise_const") || name.ends_with("w_avg") || name.ends_with("resample_filter");
}

/// Copy of numbers in host memory as a float32 tensor of a shape.
inline at::Tensor to_tensor(std::span<const float> values, const std::vector<std::int64_t>& shape) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor;
}
inline at::Tensor to_tensor(const kernels::WeightArray& array) { return to_tensor(array.values, array.shape); }
inline at::Tensor to_tensor(const data::TensorData& data) { return to_tensor(data.values, data.shape); }
inline at::Tensor to_tensor(const Matrix<float>& rows) { return to_tensor(rows.values(), {rows.rows(), rows.cols()}); }
inline at::Tensor to_tensor(const ImageBatch& images) {
  const ImageShape& shape = images.shape();
  return to_tensor({images.data(), static_cast<std::size_t>(images.count() * shape.elements())},
                   {images.count(), shape.channels, shape.height, shape.width});
}

/// Labels as a tensor `[N]` of 64-bit integers.
inline at::Tensor to_label_tensor(std::span<const std::int64_t> labels) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(labels.size())}, at::kLong);
  std::copy(labels.begin(), labels.end(), tensor.data_ptr<std::int64_t>());
  return tensor;
}

/// Copy of a tensor of any type and device in host memory.
inline kernels::WeightArray to_array(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  return {plain.sizes().vec(), {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()}};
}
/// Copy of a tensor `[rows, cols]` in host memory. Throws shape_mismatch for another rank.
inline Matrix<float> to_matrix(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.dim() != 2)
    throw Error(ErrorCode::shape_mismatch, "to_matrix", "expected a tensor of rank 2");
  const at::Tensor plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  Matrix<float> rows(plain.size(0), plain.size(1));
  std::copy_n(plain.const_data_ptr<float>(), plain.numel(), rows.data());
  return rows;
}
/// Copy of a tensor `[N, C, H, W]` in host memory. Throws shape_mismatch for another rank.
inline ImageBatch to_images(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.dim() != 4)
    throw Error(ErrorCode::shape_mismatch, "to_images", "expected a tensor of rank 4");
  const at::Tensor plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  ImageBatch images(plain.size(0), {plain.size(1), plain.size(2), plain.size(3)});
  std::copy_n(plain.const_data_ptr<float>(), plain.numel(), images.data());
  return images;
}
/// Copy of a tensor in the form a file stores.
inline data::TensorData to_data(const at::Tensor& tensor) {
  kernels::WeightArray array = to_array(tensor);
  return {.shape = std::move(array.shape),
          .values = std::move(array.values),
          .integers = {},
          .type = data::ElementType::f32};
}

/// The arrays of a network as tensors on the host, and back.
inline TensorWeights to_tensors(const kernels::Weights& weights) {
  TensorWeights tensors;
  for (const auto& [name, array] : weights.all()) tensors.set(name, to_tensor(array));
  return tensors;
}
inline kernels::Weights to_arrays(const TensorWeights& weights) {
  kernels::Weights arrays;
  for (const auto& [name, tensor] : weights.all()) arrays.set(name, to_array(tensor));
  return arrays;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
