// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The named arrays of a network in host memory, and the list of names and shapes that a network has.

#include <faultline/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace kernels {

/// A row-major array of floats. An empty `shape` is a single number.
struct WeightArray {
  std::vector<std::int64_t> shape = {};
  std::vector<float> values = {};

  [[nodiscard]] const float* data() const noexcept { return values.data(); }
  [[nodiscard]] std::int64_t size(std::size_t axis) const { return shape.at(axis); }
  friend bool operator==(const WeightArray&, const WeightArray&) = default;
};

/// Number of elements of a shape.
[[nodiscard]] inline std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// "[64, 3, 3]".
[[nodiscard]] inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

/// The arrays of one network by their stored name; lookups of absent names throw missing_tensor.
class Weights {
 public:
  [[nodiscard]] const WeightArray& operator[](const std::string& name) const {
    const auto found = arrays_.find(name);
    if (found == arrays_.end()) throw Error(ErrorCode::missing_tensor, "Weights", "there is no tensor " + name);
    return found->second;
  }
  void set(const std::string& name, WeightArray value) { arrays_[name] = std::move(value); }
  [[nodiscard]] bool contains(const std::string& name) const { return arrays_.count(name) != 0; }
  [[nodiscard]] const std::map<std::string, WeightArray>& all() const noexcept { return arrays_; }
  friend bool operator==(const Weights&, const Weights&) = default;

 private:
  std::map<std::string, WeightArray> arrays_;
};

/// Name and shape of one stored array. Buffers are not trained.
struct WeightSpec {
  enum class Role { weight, slow_weight, bias, affine_bias, constant, noise_strength, buffer };
  std::string name;
  std::vector<std::int64_t> shape;
  Role role = Role::weight;
};

/// Throws missing_tensor or wrong_tensor_shape, in the name of `where`, unless every array that `specs` names is there
/// in its shape.
inline void require_whole(const Weights& weights, const std::vector<WeightSpec>& specs, const std::string& where) {
  for (const WeightSpec& spec : specs) {
    if (!weights.contains(spec.name))
      throw Error(ErrorCode::missing_tensor, where,
                  "expected a tensor " + spec.name + " " + shape_text(spec.shape) + ", there is none");
    const WeightArray& array = weights[spec.name];
    if (array.shape != spec.shape || static_cast<std::int64_t>(array.values.size()) != element_count(spec.shape))
      throw Error(ErrorCode::wrong_tensor_shape, where,
                  "expected " + spec.name + " " + shape_text(spec.shape) + ", got " + shape_text(array.shape));
  }
}

}  // namespace kernels
}  // namespace v1
}  // namespace faultline
