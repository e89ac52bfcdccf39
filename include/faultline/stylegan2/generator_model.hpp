// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A generator and a discriminator in memory: sizes, weights, and where they came from.

#include <faultline/stylegan2/config.hpp>

#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// A generator with its sizes and where it came from.
struct GeneratorModel {
  GeneratorConfig config;
  kernels::Weights weights;
  std::string provenance = {};  ///< JSON text: data, steps, seed, version
  std::string digest = {};      ///< of the file it was read from
};

/// The model as it came. Throws invalid_argument for impossible sizes, missing_tensor and wrong_tensor_shape unless
/// every array that its config names is there in its shape.
[[nodiscard]] inline GeneratorModel whole_model(GeneratorModel model) {
  validate(model.config);
  kernels::require_whole(model.weights, weight_specs(model.config), "Generator");
  return model;
}

/// A discriminator with its sizes.
struct DiscriminatorModel {
  DiscriminatorConfig config;
  kernels::Weights weights;
};

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
