// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The built-in classifier networks: which there are, what their weights are called, and one in memory.

#include <faultline/concepts/classifier.hpp>
#include <faultline/error.hpp>
#include <faultline/kernels/weights.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {

/// What a classifier file's `config` says.
///
/// `paper-cnn` is the network of Le Coz, Herbin and Adjed (2022): two 3x3 convolutions (32, 64) with batch
/// normalisation and ReLU, max pooling, two linear layers (128) without activation between them; 1 200 074 parameters
/// for 28x28 and ten classes. `judge-cnn` is a stronger one for validity checks: four 3x3 convolutions (32, 64, 64,
/// 128), padded, pooled after the first, third and fourth, and a hidden layer of 128 ReLU units, whose activations are
/// its features.
struct ClassifierConfig {
  std::string architecture = "paper-cnn";
  std::int64_t classes = 10;
  InputSpec input = {.channels = 1, .height = 28, .width = 28};
};

/// A classifier: its sizes, weights and where it came from.
struct ClassifierModel {
  ClassifierConfig config = {};
  kernels::Weights weights = {};
  std::string provenance = {};  ///< JSON text: data, steps, seed, version; or empty
  std::string digest = {};      ///< SHA-256 of the file it was read from; empty for a model that was never stored
};

namespace detail {

struct ConvolutionLayer {
  std::int64_t out = 0;
  bool pool_after = false;
};

/// What tells the built-in architectures apart; everything else is shared.
struct Architecture {
  std::vector<ConvolutionLayer> convolutions;
  std::int64_t padding = 0;
  std::int64_t hidden = 128;
  bool activated_features = false;
};

inline Architecture architecture(const std::string& name, const std::string& where) {
  if (name == "paper-cnn") return {{{32, false}, {64, true}}, 0, 128, false};
  if (name == "judge-cnn") return {{{32, true}, {64, false}, {64, true}, {128, true}}, 1, 128, true};
  throw Error(ErrorCode::foreign_format, where,
              "there is no built-in architecture '" + name + "'; known are paper-cnn and judge-cnn");
}

/// ε of batch normalisation, added to the variance.
inline constexpr double normalization_epsilon = 1e-5;

/// Largest number of classes, channels, lines and columns.
inline constexpr std::int64_t largest_size = 65'536;

/// Whether all sizes of a config lie in 1 .. `largest_size`.
inline bool has_sound_sizes(const ClassifierConfig& config) {
  for (const std::int64_t size : {config.classes, config.input.channels, config.input.height, config.input.width})
    if (size < 1 || size > largest_size) return false;
  return true;
}

/// Pixels of one image after the convolutions, [C·H·W]. Throws malformed_header when nothing is left.
inline std::int64_t flat_width(const ClassifierConfig& config, const Architecture& net, const std::string& where) {
  std::int64_t height = config.input.height;
  std::int64_t width = config.input.width;
  for (const auto& layer : net.convolutions) {
    height += 2 * net.padding - 2;
    width += 2 * net.padding - 2;
    if (layer.pool_after) {
      height /= 2;
      width /= 2;
    }
  }
  if (height < 1 || width < 1)
    throw Error(ErrorCode::malformed_header, where, "the input is too small for the architecture");
  return net.convolutions.back().out * height * width;
}

}  // namespace detail

/// Names and shapes of a classifier's arrays, in the order in which the network uses them. **Throws** `foreign_format`
/// for an unknown architecture, `malformed_header` for an impossible input size, in the name of `where`.
/// Example: `for (const auto& spec : weight_specs({.architecture = "judge-cnn"})) std::cout << spec.name << '\n';`
[[nodiscard]] inline std::vector<kernels::WeightSpec> weight_specs(const ClassifierConfig& config,
                                                                   const std::string& where = "ClassifierConfig") {
  using Role = kernels::WeightSpec::Role;
  const detail::Architecture net = detail::architecture(config.architecture, where);
  std::vector<kernels::WeightSpec> specs;
  std::int64_t in = config.input.channels;
  std::int64_t index = 1;
  for (const auto& layer : net.convolutions) {
    const std::string number = std::to_string(index++);
    specs.push_back({"conv" + number + ".weight", {layer.out, in, 3, 3}, Role::weight});
    specs.push_back({"conv" + number + ".bias", {layer.out}, Role::bias});
    specs.push_back({"bn" + number + ".weight", {layer.out}, Role::weight});
    specs.push_back({"bn" + number + ".bias", {layer.out}, Role::bias});
    specs.push_back({"bn" + number + ".running_mean", {layer.out}, Role::buffer});
    specs.push_back({"bn" + number + ".running_var", {layer.out}, Role::buffer});
    in = layer.out;
  }
  const std::int64_t flat = detail::flat_width(config, net, where);
  specs.push_back({"fc1.weight", {net.hidden, flat}, Role::weight});
  specs.push_back({"fc1.bias", {net.hidden}, Role::bias});
  specs.push_back({"fc2.weight", {config.classes, net.hidden}, Role::weight});
  specs.push_back({"fc2.bias", {config.classes}, Role::bias});
  return specs;
}

/// Whether an array of a classifier is a running statistic rather than a parameter.
[[nodiscard]] inline bool is_running_statistic(const std::string& name) {
  return name.find(".running_") != std::string::npos;
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
