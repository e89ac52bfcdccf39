// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which backends the benchmarks measure, and the models they measure them on.

#include <faultline/stylegan2/generator.hpp>

#include <cstdint>
#include <functional>

namespace bench {

/// The fastest generator on the CPU in float32. (The one place that names it.)
using FastGenerator = faultline::Generator<faultline::ReferenceBackend>;

/// Synthesis of one model: styles to images.
using Synthesis = std::function<at::Tensor(const at::Tensor& s)>;

inline Synthesis float32_synthesis(const faultline::stylegan2::GeneratorModel& model) {
  return [generator = FastGenerator(model)](const at::Tensor& s) { return generator.synthesize(s); };
}

/// Empty while no backend runs in bfloat16.
inline Synthesis bfloat16_synthesis(const faultline::stylegan2::GeneratorModel&) { return {}; }

/// A conditional 32x32 generator of one width with random weights.
inline faultline::stylegan2::GeneratorModel random_model(std::int64_t width) {
  faultline::stylegan2::GeneratorModel model;
  model.config = {.z_dim = 512, .w_dim = 512, .c_dim = 10, .img_resolution = 32, .img_channels = 1, .channel_base = 16384, .channel_max = width, .mapping_layers = 2};
  model.weights = faultline::stylegan2::initial_weights(model.config, 1);
  return model;
}

/// Styles `[count, D]` of random latents.
inline at::Tensor random_styles(const faultline::stylegan2::GeneratorModel& model, std::int64_t count) {
  const faultline::Generator<faultline::ReferenceBackend> reference(model);
  faultline::Matrix<float> z(count, reference.latent_dim());
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i) {
    faultline::fill_normals(5, faultline::Stream::latents, i, z.row(i));
    labels.push_back(i % reference.num_classes());
  }
  return reference.styles(reference.map(reference.latent_from_host(z), reference.label_from_host(labels)));
}

}  // namespace bench
