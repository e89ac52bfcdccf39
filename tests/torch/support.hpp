// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Small helpers of the network tests: tensors from numbers, perturbed random weights, where the recorded fixtures are.

#include <faultline/torch/reference_backend.hpp>

#include <stylegan2/support.hpp>

#include <ATen/Version.h>  // (here, because it may not be read twice)

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

namespace test {

namespace fl = faultline;
namespace sg = faultline::stylegan2;
using stylegan2_tests::small_config;

inline at::Tensor numbers(std::initializer_list<double> values, std::vector<std::int64_t> shape) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kDouble);
  std::copy(values.begin(), values.end(), tensor.data_ptr<double>());
  return tensor.view(shape);
}

/// 1, 2, 3, … in a shape.
inline at::Tensor counting(std::vector<std::int64_t> shape) {
  at::Tensor tensor = at::ones(shape, at::kDouble);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<double>()[i] = static_cast<double>(i + 1);
  return tensor;
}

inline at::Tensor normals(std::vector<std::int64_t> shape, std::int64_t index, c10::ScalarType type = at::kFloat) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  fl::core::fill_normals(11, fl::core::Stream::latents, index,
                         std::span<float>(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())));
  return tensor.to(type);
}

inline double worst(const at::Tensor& a, const at::Tensor& b) {
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

/// Random weights in which nothing is zero: biases, noise strengths and w_avg are perturbed, so that no term of the
/// networks can hide.
template <class Config>
sg::TensorWeights perturbed_weights(const Config& config, std::int64_t seed, c10::ScalarType type = at::kFloat) {
  return sg::to_tensors(stylegan2_tests::perturbed_weights(config, seed)).clone(type);
}

/// The same as a model's arrays.
template <class Config>
fl::kernels::Weights perturbed_arrays(const Config& config, std::int64_t seed) {
  return stylegan2_tests::perturbed_weights(config, seed);
}

inline void require_gradients(const sg::TensorWeights& weights) {
  for (const auto& [name, tensor] : weights.all())
    const_cast<at::Tensor&>(tensor).set_requires_grad(!sg::is_buffer(name));
}

inline std::vector<at::Tensor> random_noise(const sg::GeneratorConfig& config, std::int64_t count,
                                            c10::ScalarType type) {
  std::vector<at::Tensor> noise;
  std::int64_t index = 500;
  for (const auto& layer : sg::synthesis_layers(config))
    if (layer.kind != sg::SynthesisLayer::Kind::to_rgb)
      noise.push_back(normals({count, 1, layer.resolution, layer.resolution}, index++, type));
  return noise;
}

/// Folder of the recorded reference outputs: FAULTLINE_FIXTURES_DIR, else beside the repository.
inline std::filesystem::path fixtures() {
  if (const char* set = std::getenv("FAULTLINE_FIXTURES_DIR")) return set;
  return std::filesystem::path(FAULTLINE_SOURCE_DIR) / ".." / "shared" / "fixtures";
}

inline fl::ErrorCode code_of(const auto& function) {
  try {
    function();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode{0};
}

}  // namespace test
