// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the files of all networks have in common: a strict JSON `config`, and exactly the arrays that it asks for.

#include <faultline/data/safetensors.hpp>
#include <faultline/kernels/weights.hpp>

#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// A metadata text of the file. Throws malformed_header when it has none.
[[nodiscard]] inline std::string metadata_text(const TensorFile& file, const std::string& key,
                                               const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end())
    throw Error(ErrorCode::malformed_header, where, "the metadata has no '" + key + "'");
  return found->second;
}

/// A metadata text of the file, or an empty one.
[[nodiscard]] inline std::string metadata_or_empty(const TensorFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? std::string() : found->second;
}

/// Takes the arrays that `specs` names out of `file`, without a copy of them.
///
/// What is left over must be among `allowed`, or `accept(name, tensor)` must be true. **Throws** missing_tensor,
/// wrong_tensor_shape, non_finite_weight, unexpected_tensor.
[[nodiscard]] inline kernels::Weights take_weights(
    TensorFile& file, const std::vector<kernels::WeightSpec>& specs, const std::set<std::string>& allowed,
    const std::string& where, const std::function<bool(const std::string&, const TensorData&)>& accept = {}) {
  using kernels::shape_text;
  kernels::Weights weights;
  for (const kernels::WeightSpec& spec : specs) {
    const auto found = file.tensors.find(spec.name);
    if (found == file.tensors.end())
      throw Error(ErrorCode::missing_tensor, where,
                  "expected a tensor " + spec.name + " " + shape_text(spec.shape) + ", the file has none");
    TensorData& tensor = found->second;
    if (tensor.type != ElementType::f32 || tensor.shape != spec.shape)
      throw Error(ErrorCode::wrong_tensor_shape, where,
                  "expected " + spec.name + " as float32 " + shape_text(spec.shape) + ", got " +
                      (tensor.type == ElementType::f32 ? "float32 " : "int64 ") + shape_text(tensor.shape));
    for (const float value : tensor.values)
      if (!std::isfinite(value))
        throw Error(ErrorCode::non_finite_weight, where, spec.name + " has a value that is not finite");
    weights.set(spec.name, {std::move(tensor.shape), std::move(tensor.values)});
    file.tensors.erase(found);
  }
  for (const auto& [name, tensor] : file.tensors)
    if (allowed.count(name) == 0 && !(accept && accept(name, tensor)))
      throw Error(ErrorCode::unexpected_tensor, where,
                  "the file has a tensor " + name + " that its config has no place for");
  return weights;
}

/// Adds the arrays of a network to a file.
inline void put_weights(TensorFile& file, const kernels::Weights& weights) {
  for (const auto& [name, array] : weights.all())
    file.tensors[name] = {.shape = array.shape, .values = array.values, .integers = {}, .type = ElementType::f32};
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
