// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/corruptions.hpp.

#include <faultline/data/corruptions.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// Weights for the distances 0, 1, ..., radius; twice their sum less the first is one.
inline std::vector<double> half_gaussian(double sigma) {
  std::vector<double> weights(static_cast<std::size_t>(4.0 * sigma + 0.5) + 1);
  double sum = 0.0;
  for (std::size_t d = 0; d < weights.size(); ++d) {
    weights[d] = std::exp(-0.5 * static_cast<double>(d * d) / (sigma * sigma));
    sum += d == 0 ? weights[d] : 2.0 * weights[d];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Convolves the `length` values at distance `stride`, with the first and last repeated outwards.
inline void convolve_line(float* line, std::int64_t length, std::int64_t stride, std::span<const double> weights,
                          std::vector<double>& scratch) {
  const auto radius = static_cast<std::int64_t>(weights.size()) - 1;
  scratch.resize(static_cast<std::size_t>(length + 2 * radius));
  for (std::int64_t i = -radius; i < length + radius; ++i)
    scratch[static_cast<std::size_t>(i + radius)] = line[std::clamp<std::int64_t>(i, 0, length - 1) * stride];
  for (std::int64_t i = 0; i < length; ++i) {
    const double* centre = scratch.data() + i + radius;
    double sum = weights[0] * centre[0];
    for (std::int64_t d = 1; d <= radius; ++d) sum += weights[static_cast<std::size_t>(d)] * (centre[-d] + centre[d]);
    line[i * stride] = static_cast<float>(sum);
  }
}

inline std::int64_t whole_planes(std::size_t elements, std::int64_t height, std::int64_t width, const char* where) {
  if (height < 1 || width < 1 || height > (std::int64_t{1} << 31) || width > (std::int64_t{1} << 31) ||
      static_cast<std::int64_t>(elements) % (height * width) != 0) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected whole planes of " + std::to_string(height) + " x " + std::to_string(width) + ", got " +
                    std::to_string(elements) + " values");
  }
  return static_cast<std::int64_t>(elements) / (height * width);
}

}  // namespace detail

FAULTLINE_INLINE void gaussian_blur(std::span<float> image, std::int64_t height, std::int64_t width, double sigma,
                                    BlurAxis axis) {
  if (!(sigma > 0.0 && sigma <= 1000.0))
    throw Error(ErrorCode::invalid_argument, "gaussian_blur",
                "expected a sigma above 0 and up to 1000 pixels, got " + std::to_string(sigma));
  const std::int64_t planes = detail::whole_planes(image.size(), height, width, "gaussian_blur");
  const std::vector<double> weights = detail::half_gaussian(sigma);
  std::vector<double> scratch;
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    float* const first = image.data() + plane * height * width;
    for (std::int64_t x = 0; x < width; ++x) detail::convolve_line(first + x, height, width, weights, scratch);
    if (axis == BlurAxis::vertical) continue;
    for (std::int64_t y = 0; y < height; ++y) detail::convolve_line(first + y * width, width, 1, weights, scratch);
  }
}

FAULTLINE_INLINE void gaussian_noise(std::span<float> image, double deviation, core::CounterRandom& random) {
  if (!(deviation >= 0.0) || std::isinf(deviation)) {
    throw Error(ErrorCode::invalid_argument, "gaussian_noise",
                "expected a standard deviation of at least 0, got " + std::to_string(deviation));
  }
  for (float& value : image) value = static_cast<float>(static_cast<double>(value) + deviation * random.normal());
}

FAULTLINE_INLINE CorruptionDraw draw_corruption(CorruptionMix mix, std::int64_t seed, std::int64_t index) {
  core::CounterRandom random(seed, core::Stream::corruptions, index);
  const bool blurred = random.below(2) == 1;
  const bool noisy = random.below(2) == 1;
  const int blur = 1 + static_cast<int>(random.below(drawn_severities));
  const int noise = 1 + static_cast<int>(random.below(drawn_severities));
  switch (mix) {
    case CorruptionMix::none: return {};
    case CorruptionMix::independent: return {blurred ? blur : 0, noisy ? noise : 0};
    case CorruptionMix::paper: return blurred ? CorruptionDraw{blur, noise} : CorruptionDraw{};
    case CorruptionMix::blur: return {blurred ? blur : 0, 0};
    case CorruptionMix::noise: return {0, noisy ? noise : 0};
  }
  throw Error(ErrorCode::invalid_argument, "draw_corruption", "unknown mix");
}

FAULTLINE_INLINE void corrupt(std::span<float> image, std::int64_t height, std::int64_t width,
                              const CorruptionDraw& draw, std::int64_t seed, std::int64_t index, BlurAxis axis) {
  const auto strength = [](const std::array<double, 5>& levels, int severity) {
    if (severity < 1 || severity > 5)
      throw Error(ErrorCode::invalid_argument, "corrupt",
                  "expected a severity of 0 .. 5, got " + std::to_string(severity));
    return levels[static_cast<std::size_t>(severity - 1)];
  };
  detail::whole_planes(image.size(), height, width, "corrupt");
  if (draw == CorruptionDraw{}) return;
  const double sigma = draw.blur_severity == 0 ? 0.0 : strength(blur_sigmas, draw.blur_severity);
  const double deviation = draw.noise_severity == 0 ? 0.0 : strength(noise_deviations, draw.noise_severity);
  if (sigma > 0.0) gaussian_blur(image, height, width, sigma, axis);
  if (deviation > 0.0) {
    core::CounterRandom random(seed, core::Stream::corruptions, index, 1);
    gaussian_noise(image, deviation, random);
  }
  for (float& value : image) value = std::clamp(value, 0.0f, 1.0f);
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
