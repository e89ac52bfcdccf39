// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Random weights of a built-in classifier, as training begins with them.

#include <faultline/classify/classifier_network.hpp>
#include <faultline/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {

/// Random initial weights, uniform within ±1/√fan_in, batch normalisation at identity. Randomness: array j from (seed,
/// stream 0, j).
[[nodiscard]] inline ClassifierModel initial_classifier(const ClassifierConfig& config, std::int64_t seed) {
  ClassifierModel model{config, {}, {}, {}};
  std::int64_t index = 0;
  double bound = 1.0;
  for (const auto& spec : weight_specs(config)) {
    std::vector<float> values(static_cast<std::size_t>(kernels::element_count(spec.shape)), 0.0f);
    const bool norm = spec.name.starts_with("bn");
    if (norm && (spec.name.ends_with(".weight") || spec.name.ends_with(".running_var")))
      std::fill(values.begin(), values.end(), 1.0f);
    if (!norm) {
      // a bias follows its weight and shares its bound
      if (spec.shape.size() > 1)
        bound = 1.0 / std::sqrt(static_cast<double>(values.size()) / static_cast<double>(spec.shape[0]));
      core::CounterRandom random(seed, core::Stream::latents, index);
      for (float& value : values) value = static_cast<float>((2.0 * random.uniform() - 1.0) * bound);
    }
    model.weights.set(spec.name, {spec.shape, std::move(values)});
    ++index;
  }
  return model;
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
