// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which backends the benchmarks measure, and the models they measure them on.

#include <faultline/kernels/cpu_kernels.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/stylegan2/initial_weights.hpp>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace bench {

/// The fastest generator on the CPU. (The one place that names it.)
using FastGenerator = faultline::Generator<faultline::CpuBackend>;

/// Synthesis of one model: styles to images.
using Synthesis = std::function<faultline::ImageBatch(const faultline::Matrix<float>& s)>;

/// `winograd` false: every convolution by its definition, whose multiply-accumulates can be held against the
/// processor's peak.
inline Synthesis float32_synthesis(const faultline::stylegan2::GeneratorModel& model, bool winograd) {
  return [generator = FastGenerator(model, {.winograd = winograd})](const faultline::Matrix<float>& s) {
    return generator.synthesize(s);
  };
}

/// Direct convolutions by the kernels for AVX2; empty where the processor has none.
inline Synthesis avx2_synthesis(const faultline::stylegan2::GeneratorModel& model) {
  for (const faultline::kernels::Kernels* kernels : faultline::kernels::runnable_kernels())
    if (std::string_view(kernels->name) == "AVX2")
      return [backend =
                  faultline::CpuBackend(model, {.winograd = false}, *kernels)](const faultline::Matrix<float>& s) {
        return backend.synthesis(s, faultline::stylegan2::noise_images(backend.model().config, backend.model().weights,
                                                                       s.rows(), faultline::SynthesisOptions{}));
      };
  return {};
}

/// Empty where the processor has no bfloat16 products.
inline Synthesis bfloat16_synthesis(const faultline::stylegan2::GeneratorModel& model) {
  const FastGenerator generator(model, {.precision = faultline::CpuOptions::Precision::bf16});
  if (!generator.backend_warnings().empty()) return {};
  return [generator](const faultline::Matrix<float>& s) { return generator.synthesize(s); };
}

/// A conditional 32x32 generator of one width with random weights.
inline faultline::stylegan2::GeneratorModel random_model(std::int64_t width) {
  faultline::stylegan2::GeneratorModel model;
  model.config = {.z_dim = 512,
                  .w_dim = 512,
                  .c_dim = 10,
                  .img_resolution = 32,
                  .img_channels = 1,
                  .channel_base = 16384,
                  .channel_max = width,
                  .mapping_layers = 2};
  model.weights = faultline::stylegan2::initial_weights(model.config, 1);
  return model;
}

/// Styles `[count, D]` of random latents.
inline faultline::Matrix<float> random_styles(const faultline::stylegan2::GeneratorModel& model, std::int64_t count) {
  const FastGenerator reference(model);
  faultline::Matrix<float> z(count, reference.latent_dim());
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i) {
    faultline::core::fill_normals(5, faultline::core::Stream::latents, i, z.row_span(i));
    labels.push_back(i % reference.num_classes());
  }
  return reference.styles(reference.map(z, labels));
}

}  // namespace bench
