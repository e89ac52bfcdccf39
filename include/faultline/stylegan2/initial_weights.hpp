// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Random weights, as training begins with them.

#include <faultline/core/random.hpp>
#include <faultline/stylegan2/config.hpp>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// Random initial weights: N(0, 1) for kernels and constants, N(0, 1)/m for mapping layers, biases 0, affine biases 1,
/// noise strength 0.
///
/// Randomness: array j of `weight_specs(config)` takes its normals from (seed, stream 0, index j). Throws
/// invalid_argument for a config that describes no network.
template <class Config>
[[nodiscard]] kernels::Weights initial_weights(const Config& config, std::int64_t seed) {
  validate(config);
  kernels::Weights weights;
  std::int64_t index = 0;
  for (const auto& spec : weight_specs(config)) {
    using Role = kernels::WeightSpec::Role;
    std::vector<float> values(static_cast<std::size_t>(kernels::element_count(spec.shape)),
                              spec.role == Role::affine_bias ? 1.0f : 0.0f);
    const bool zero = spec.role == Role::bias || spec.role == Role::noise_strength || spec.name == "mapping.w_avg";
    if (!zero && spec.role != Role::affine_bias)
      core::fill_normals(seed, core::Stream::latents, index, std::span<float>(values));
    if (spec.role == Role::slow_weight)
      for (float& value : values) value /= static_cast<float>(config.mapping_lr_multiplier);
    weights.set(spec.name, {spec.shape, std::move(values)});
    ++index;
  }
  return weights;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
