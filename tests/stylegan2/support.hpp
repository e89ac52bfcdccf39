// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Small helpers of the generator's tests: configs, perturbed random weights, latents, labels and noise, and what the
// float64 reference makes of them.

#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/stylegan2/initial_weights.hpp>

#include "reference64.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace stylegan2_tests {

namespace fl = faultline;
namespace sg = faultline::stylegan2;
namespace ref = reference64;
using Rows = fl::Matrix<float>;
using Fast = fl::Generator<fl::CpuBackend>;

/// The smallest interesting generator: two blocks, three classes.
inline sg::GeneratorConfig small_config() {
  sg::GeneratorConfig config;
  config.z_dim = 6;
  config.w_dim = 5;
  config.c_dim = 3;
  config.img_resolution = 8;
  config.channel_base = 32;
  config.channel_max = 7;
  return config;
}

/// Standard normals, the same ones for the same index.
inline Rows normals(std::int64_t rows, std::int64_t cols, std::int64_t index) {
  Rows values(rows, cols);
  fl::core::fill_normals(11, fl::core::Stream::latents, index, values.values());
  return values;
}

/// Random weights in which nothing is zero: biases, noise strengths and w_avg are perturbed, so that no term of the
/// networks can hide.
template <class Config>
fl::kernels::Weights perturbed_weights(const Config& config, std::int64_t seed) {
  fl::kernels::Weights weights = sg::initial_weights(config, seed);
  std::int64_t index = 100;
  for (const auto& spec : sg::weight_specs(config)) {
    using Role = fl::kernels::WeightSpec::Role;
    if (spec.role != Role::bias && spec.role != Role::affine_bias && spec.role != Role::noise_strength &&
        spec.name != "mapping.w_avg")
      continue;
    fl::kernels::WeightArray array = weights[spec.name];
    const Rows added = normals(1, static_cast<std::int64_t>(array.values.size()), index++);
    for (std::size_t i = 0; i < array.values.size(); ++i) array.values[i] += 0.3f * added.data()[i];
    weights.set(spec.name, std::move(array));
  }
  return weights;
}

inline sg::GeneratorModel model_of(const sg::GeneratorConfig& config, std::int64_t seed = 5) {
  return {config, perturbed_weights(config, seed), "", ""};
}

/// 0, 1, 2, … round the classes; none when there are none.
inline std::vector<std::int64_t> labels_of(const sg::GeneratorConfig& config, std::int64_t count) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; config.c_dim > 0 && i < count; ++i) labels.push_back(i % config.c_dim);
  return labels;
}

/// Noise images of `count` samples, other ones for each, those of convolution c of all samples from index 500 + c.
inline sg::NoiseImages noise_of_samples(const sg::GeneratorConfig& config, std::int64_t count) {
  std::vector<Rows> images;
  std::int64_t pixels = 0;
  for (const auto& layer : sg::synthesis_layers(config)) {
    if (layer.kind == sg::SynthesisLayer::Kind::to_rgb) continue;
    const auto index = static_cast<std::int64_t>(500 + images.size());
    images.push_back(normals(count, layer.resolution * layer.resolution, index));
    pixels += images.back().cols();
  }
  sg::NoiseImages noise;
  noise.own.resize(static_cast<std::size_t>(count * pixels));
  std::int64_t offset = 0;
  for (const Rows& image : images) {
    for (std::int64_t i = 0; i < count; ++i)
      std::copy_n(image.row_span(i).data(), image.cols(), noise.own.data() + i * pixels + offset);
    noise.data.push_back(noise.own.data() + offset);
    noise.step.push_back(static_cast<std::ptrdiff_t>(pixels));
    offset += image.cols();
  }
  return noise;
}

inline sg::NoiseImages constant_noise(const sg::GeneratorModel& model) {
  return sg::noise_images(model.config, model.weights, 1, {});
}

/// The same noise for samples from `first` on; looks at `noise`.
inline sg::NoiseImages from_sample(const sg::NoiseImages& noise, std::int64_t first) {
  sg::NoiseImages rest;
  for (std::size_t c = 0; c < noise.data.size(); ++c) rest.data.push_back(noise.row(c, first, 0));
  rest.step = noise.step;
  return rest;
}

inline Rows rows_of(const Rows& all, std::int64_t first, std::int64_t count) { return all.middleRows(first, count); }

// --- the float64 reference on rows of floats -------------------------------------------------------------------------

inline ref::Array doubles(std::span<const float> values) { return {values.begin(), values.end()}; }

inline ref::Array reference_mapping(const sg::GeneratorModel& model, const Rows& z,
                                    const std::vector<std::int64_t>& labels) {
  ref::Array all;
  for (std::int64_t i = 0; i < z.rows(); ++i) {
    const std::int64_t label = labels.empty() ? 0 : labels[static_cast<std::size_t>(i)];
    const ref::Array w = ref::mapping(model.config, model.weights, doubles(z.row_span(i)), label);
    all.insert(all.end(), w.begin(), w.end());
  }
  return all;
}

inline ref::Array reference_styles(const sg::GeneratorModel& model, const Rows& w) {
  ref::Array all;
  for (std::int64_t i = 0; i < w.rows(); ++i) {
    const ref::Array s = ref::styles(model.config, model.weights, doubles(w.row_span(i)));
    all.insert(all.end(), s.begin(), s.end());
  }
  return all;
}

/// The pass of one sample.
inline ref::Pass reference_pass(const sg::GeneratorModel& model, const ref::Array& s, const sg::NoiseImages& noise,
                                std::int64_t sample) {
  std::vector<ref::Array> own;
  for (const auto& layer : sg::synthesis_layers(model.config)) {
    if (layer.kind == sg::SynthesisLayer::Kind::to_rgb || noise.data.empty()) continue;
    const float* const image = noise.row(own.size(), static_cast<std::ptrdiff_t>(sample), 0);
    own.emplace_back(image, image + layer.resolution * layer.resolution);
  }
  return ref::synthesis(model.config, model.weights, s, own);
}

inline ref::Array reference_images(const sg::GeneratorModel& model, const Rows& s, const sg::NoiseImages& noise) {
  ref::Array all;
  for (std::int64_t i = 0; i < s.rows(); ++i) {
    const ref::Array image = reference_pass(model, doubles(s.row_span(i)), noise, i).image;
    all.insert(all.end(), image.begin(), image.end());
  }
  return all;
}

/// Styles of `count` normal latents, rounded from the reference's.
inline Rows styles_of_latents(const sg::GeneratorModel& model, std::int64_t count, std::int64_t index) {
  const Rows z = normals(count, model.config.z_dim, index);
  const ref::Array w = reference_mapping(model, z, labels_of(model.config, count));
  Rows rounded(count, model.config.w_dim);
  std::transform(w.begin(), w.end(), rounded.data(), [](double value) { return static_cast<float>(value); });
  const ref::Array s = reference_styles(model, rounded);
  Rows styles(count, static_cast<std::int64_t>(s.size()) / count);
  std::transform(s.begin(), s.end(), styles.data(), [](double value) { return static_cast<float>(value); });
  return styles;
}

// --- comparisons -----------------------------------------------------------------------------------------------------

inline std::span<const float> values_of(const Rows& rows) { return rows.values(); }
inline std::span<const float> values_of(const fl::ImageBatch& images) {
  return {images.data(), static_cast<std::size_t>(images.count() * images.shape().elements())};
}
inline std::span<const float> values_of(std::span<const float> values) { return values; }
inline const ref::Array& values_of(const ref::Array& values) { return values; }

/// The largest difference; infinite when the numbers of values differ or one is not finite.
template <class A, class B>
double worst(const A& a, const B& b) {
  const auto& left = values_of(a);
  const auto& right = values_of(b);
  if (left.size() != right.size()) return std::numeric_limits<double>::infinity();
  double most = 0.0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double difference = std::abs(static_cast<double>(left[i]) - static_cast<double>(right[i]));
    if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
    most = std::max(most, difference);
  }
  return most;
}

/// Bit for bit, but for the sign of a zero.
template <class A, class B>
bool same(const A& a, const B& b) {
  const auto& left = values_of(a);
  const auto& right = values_of(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

inline double largest(const ref::Array& values) {
  double most = 0.0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

inline fl::ErrorCode code_of(const auto& function) {
  try {
    function();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode{0};
}

}  // namespace stylegan2_tests
