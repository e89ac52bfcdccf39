// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Built-in classifiers with random weights, and what they answer: loops over every sum in double, nothing folded.

#include <faultline/classify/classifier_network.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace faultline_tests {

namespace fc = faultline::classify;

/// Weights uniform within ±1/√fan_in, running statistics and scales far from those that training begins with.
inline fc::ClassifierModel random_classifier(const fc::ClassifierConfig& config, std::int64_t seed = 3) {
  fc::ClassifierModel model{.config = config};
  std::int64_t index = 0;
  double bound = 1.0;
  for (const auto& spec : fc::weight_specs(config)) {
    const auto count = static_cast<std::size_t>(faultline::kernels::element_count(spec.shape));
    faultline::kernels::WeightArray array{.shape = spec.shape, .values = std::vector<float>(count)};
    const bool normalization = spec.name.rfind("bn", 0) == 0;
    if (!normalization && spec.shape.size() > 1)  // a bias follows its weight and shares its bound
      bound = 1.0 / std::sqrt(static_cast<double>(count) / static_cast<double>(spec.shape[0]));
    faultline::core::CounterRandom random(seed, faultline::core::Stream::latents, index++);
    for (float& value : array.values)
      value =
          static_cast<float>(normalization ? 0.2 + std::abs(random.normal()) : (2.0 * random.uniform() - 1.0) * bound);
    model.weights.set(spec.name, array);
  }
  return model;
}

inline faultline::ImageBatch random_images(std::int64_t count, const faultline::InputSpec& input) {
  faultline::ImageBatch images(count, {input.channels, input.height, input.width});
  for (std::int64_t i = 0; i < count; ++i) {
    faultline::core::CounterRandom random(1, faultline::core::Stream::latents, i);
    for (float& value : images.image(i)) value = static_cast<float>(random.uniform());
  }
  return images;
}

/// Values `[C][H][W]`.
struct Volume {
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<double> values = {};

  Volume(std::int64_t c, std::int64_t h, std::int64_t w)
      : channels(c), height(h), width(w), values(static_cast<std::size_t>(c * h * w)) {}
  [[nodiscard]] std::size_t at(std::int64_t c, std::int64_t y, std::int64_t x) const {
    return static_cast<std::size_t>((c * height + y) * width + x);
  }
};

struct ReferenceAnswer {
  std::vector<double> features, logits, gradient;  ///< the last of p(label), `[C][H][W]`
  /// How far the activations are from a place where the gradient jumps; values that are equal are none.
  double closest_kink = std::numeric_limits<double>::infinity();
  [[nodiscard]] double probability(std::int64_t label) const {
    double sum = 0.0;
    for (const double logit : logits) sum += std::exp(logit - logits[static_cast<std::size_t>(label)]);
    return 1.0 / sum;
  }
};

inline ReferenceAnswer reference(const fc::ClassifierModel& model, std::span<const double> image, std::int64_t label) {
  const fc::ClassifierConfig& config = model.config;
  const fc::detail::Architecture net = fc::detail::architecture(config.architecture, "reference");
  const auto stored = [&](const std::string& name) {
    const auto& values = model.weights[name].values;
    return std::vector<double>(values.begin(), values.end());
  };
  /// Calls visit(in place, out place, kernel place) for every product of a convolution.
  const auto products = [&](const Volume& in, const Volume& out, const auto& visit) {
    for (std::int64_t o = 0; o < out.channels; ++o)
      for (std::int64_t y = 0; y < out.height; ++y)
        for (std::int64_t x = 0; x < out.width; ++x)
          for (std::int64_t c = 0; c < in.channels; ++c)
            for (std::int64_t k = 0; k < 9; ++k) {
              const std::int64_t row = y + k / 3 - net.padding, column = x + k % 3 - net.padding;
              if (row >= 0 && row < in.height && column >= 0 && column < in.width)
                visit(in.at(c, row, column), out.at(o, y, x), static_cast<std::size_t>((o * in.channels + c) * 9 + k));
            }
  };
  const auto scales = [&](const std::string& number) {
    std::vector<double> scale = stored("bn" + number + ".weight");
    const std::vector<double> variance = stored("bn" + number + ".running_var");
    for (std::size_t o = 0; o < scale.size(); ++o) scale[o] /= std::sqrt(variance[o] + 1e-5);
    return scale;
  };

  ReferenceAnswer answer;
  std::vector<Volume> inputs = {{config.input.channels, config.input.height, config.input.width}}, outputs;
  inputs[0].values.assign(image.begin(), image.end());
  std::vector<std::vector<std::size_t>> sources;  // for each value handed on the place that it came from
  for (std::size_t l = 0; l < net.convolutions.size(); ++l) {
    const std::string number = std::to_string(l + 1);
    const std::vector<double> kernel = stored("conv" + number + ".weight"), bias = stored("conv" + number + ".bias"),
                              mean = stored("bn" + number + ".running_mean"), shift = stored("bn" + number + ".bias"),
                              scale = scales(number);
    const Volume& in = inputs.back();
    Volume out(net.convolutions[l].out, in.height + 2 * net.padding - 2, in.width + 2 * net.padding - 2);
    products(in, out,
             [&](std::size_t from, std::size_t to, std::size_t k) { out.values[to] += in.values[from] * kernel[k]; });
    for (std::size_t k = 0; k < out.values.size(); ++k) {
      const std::size_t o = k / static_cast<std::size_t>(out.height * out.width);
      out.values[k] = (out.values[k] + bias[o] - mean[o]) * scale[o] + shift[o];
    }
    const std::int64_t side = net.convolutions[l].pool_after ? 2 : 1;
    Volume next(out.channels, out.height / side, out.width / side);
    std::vector<std::size_t> source(next.values.size());
    for (std::int64_t c = 0; c < next.channels; ++c)
      for (std::int64_t y = 0; y < next.height; ++y)
        for (std::int64_t x = 0; x < next.width; ++x) {
          std::size_t best = out.at(c, y * side, x * side);
          double gap = std::numeric_limits<double>::infinity();
          for (std::int64_t k = 1; k < side * side; ++k) {
            const std::size_t other = out.at(c, y * side + k / 2, x * side + k % 2);
            const double ahead = out.values[other] - out.values[best];
            if (ahead > 0.0) best = other;
            if (ahead != 0.0) gap = std::min(gap, std::abs(ahead));
          }
          const double value = out.values[best];
          if (value > 0.0) answer.closest_kink = std::min(answer.closest_kink, gap);
          answer.closest_kink = std::min(answer.closest_kink, std::abs(value));
          next.values[next.at(c, y, x)] = std::max(value, 0.0);
          source[next.at(c, y, x)] = best;
        }
    outputs.push_back(std::move(out));
    inputs.push_back(std::move(next));
    sources.push_back(std::move(source));
  }
  const std::vector<double>&flat = inputs.back().values, hidden_weight = stored("fc1.weight"),
        head_weight = stored("fc2.weight"), hidden_bias = stored("fc1.bias"), head_bias = stored("fc2.bias");
  const auto hidden = static_cast<std::size_t>(net.hidden), classes = static_cast<std::size_t>(config.classes);
  for (std::size_t o = 0; o < hidden; ++o) {
    double value = hidden_bias[o];
    for (std::size_t k = 0; k < flat.size(); ++k) value += hidden_weight[o * flat.size() + k] * flat[k];
    if (net.activated_features) answer.closest_kink = std::min(answer.closest_kink, std::abs(value));
    answer.features.push_back(net.activated_features ? std::max(value, 0.0) : value);
  }
  for (std::size_t k = 0; k < classes; ++k) {
    double value = head_bias[k];
    for (std::size_t o = 0; o < hidden; ++o) value += head_weight[k * hidden + o] * answer.features[o];
    answer.logits.push_back(value);
  }

  Volume slope = inputs.back();  // of what the last layer hands on
  std::fill(slope.values.begin(), slope.values.end(), 0.0);
  std::vector<double> p;
  for (std::size_t k = 0; k < classes; ++k) p.push_back(answer.probability(static_cast<std::int64_t>(k)));
  const auto chosen = static_cast<std::size_t>(label);
  double others = 0.0;  // 1 - p of the label, by its terms
  for (std::size_t k = 0; k < classes; ++k)
    if (k != chosen) others += p[k];
  for (std::size_t o = 0; o < hidden; ++o) {
    double own = 0.0;
    for (std::size_t k = 0; k < classes; ++k)
      own += p[chosen] * (k == chosen ? others : -p[k]) * head_weight[k * hidden + o];
    if (net.activated_features && !(answer.features[o] > 0.0)) continue;
    for (std::size_t k = 0; k < flat.size(); ++k) slope.values[k] += own * hidden_weight[o * flat.size() + k];
  }
  for (std::size_t l = net.convolutions.size(); l-- > 0;) {
    const std::string number = std::to_string(l + 1);
    const std::vector<double> kernel = stored("conv" + number + ".weight"), scale = scales(number);
    Volume out = outputs[l], in = inputs[l];
    std::fill(out.values.begin(), out.values.end(), 0.0);
    std::fill(in.values.begin(), in.values.end(), 0.0);
    for (std::size_t k = 0; k < slope.values.size(); ++k)
      if (inputs[l + 1].values[k] > 0.0)
        out.values[sources[l][k]] +=
            slope.values[k] * scale[sources[l][k] / static_cast<std::size_t>(out.height * out.width)];
    products(in, out,
             [&](std::size_t to, std::size_t from, std::size_t k) { in.values[to] += out.values[from] * kernel[k]; });
    slope = std::move(in);
  }
  answer.gradient = std::move(slope.values);
  return answer;
}

}  // namespace faultline_tests
