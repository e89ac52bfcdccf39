// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The noise images of a synthesis network: those stored with the model, or fresh ones for every sample.

#include <faultline/concepts/generator_options.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>
#include <faultline/stylegan2/config.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// One noise image per convolution, in layer order: none at all, the same for all samples, or one for each sample.
struct NoiseImages {
  std::vector<const float*> data = {};    ///< per convolution, the image of sample 0; empty: no noise
  std::vector<std::ptrdiff_t> step = {};  ///< per convolution, floats from one sample's image to the next one's
  std::vector<float> own = {};            ///< where random images lie

  [[nodiscard]] const float* row(std::size_t convolution, std::ptrdiff_t sample, std::ptrdiff_t first_pixel) const {
    return data.empty() ? nullptr : data[convolution] + sample * step[convolution] + first_pixel;
  }
};

/// Pixels of all noise images of one sample.
[[nodiscard]] inline std::int64_t noise_pixels(const GeneratorConfig& config) {
  std::int64_t pixels = 0;
  for (const auto& layer : synthesis_layers(config))
    if (layer.kind != SynthesisLayer::Kind::to_rgb) pixels += layer.resolution * layer.resolution;
  return pixels;
}

/// Fresh noise of `count` samples, `[count, noise_pixels]`, the convolutions one after the other.
///
/// Randomness: row i from (seed, stream 2, first + i), one block after the other through the layers.
[[nodiscard]] inline std::vector<float> random_noise(const GeneratorConfig& config, std::int64_t count,
                                                     std::int64_t seed, std::int64_t first) {
  const std::int64_t pixels = noise_pixels(config);
  std::vector<float> normals(static_cast<std::size_t>(count * pixels));
  parallel_for(count, 0, [&](std::int64_t i) {
    core::fill_normals(seed, core::Stream::noise, first + i,
                       std::span<float>(normals.data() + i * pixels, static_cast<std::size_t>(pixels)));
  });
  return normals;
}

/// The noise that `options` ask for, of `count` samples. Stored images are looked at, not copied: `weights` must live.
[[nodiscard]] inline NoiseImages noise_images(const GeneratorConfig& config, const kernels::Weights& weights,
                                              std::int64_t count, const SynthesisOptions& options) {
  NoiseImages noise;
  if (options.noise == Noise::none) return noise;
  const bool random = options.noise == Noise::random;
  if (random) noise.own = random_noise(config, count, options.seed, options.first);
  const std::int64_t pixels = random ? noise_pixels(config) : 0;
  std::int64_t offset = 0;
  for (const auto& layer : synthesis_layers(config)) {
    if (layer.kind == SynthesisLayer::Kind::to_rgb) continue;
    noise.data.push_back(random ? noise.own.data() + offset
                                : weights["synthesis." + layer.name + ".noise_const"].data());
    noise.step.push_back(static_cast<std::ptrdiff_t>(pixels));
    offset += layer.resolution * layer.resolution;
  }
  return noise;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
