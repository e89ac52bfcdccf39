// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The built-in classifier networks as plain functions of their weights, and the files they are stored in.

#include <faultline/concepts/classifier.hpp>
#include <faultline/data/safetensors.hpp>
#include <faultline/stylegan2/model_file.hpp>
#include <faultline/torch/training/libtorch.hpp>

#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

inline constexpr const char* classifier_format = "faultline.classifier/1";

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

/// Names and shapes of a classifier's tensors. Throws foreign_format for an unknown architecture, malformed_header for
/// an impossible input size.
inline std::vector<stylegan2::TensorSpec> weight_specs(const ClassifierConfig& config,
                                                       const std::string& where = "ClassifierConfig") {
  using Role = stylegan2::TensorSpec::Role;
  const detail::Architecture net = detail::architecture(config.architecture, where);
  std::vector<stylegan2::TensorSpec> specs;
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

/// Whether a classifier tensor is a running statistic rather than a parameter.
inline bool is_running_statistic(const std::string& name) { return name.find(".running_") != std::string::npos; }

/// Activations of the hidden layer: what Fréchet distances are measured in. Shapes: images `[N, C, H, W]` -> `[N,
/// 128]`. With `training`, batch statistics are used and the running ones (momentum .1) updated.
inline at::Tensor classifier_features(const ClassifierConfig& config, const stylegan2::Weights& weights,
                                      const at::Tensor& images, bool training = false) {
  const detail::Architecture net = detail::architecture(config.architecture, "classifier_features");
  at::Tensor x = images;
  std::int64_t index = 1;
  for (const auto& layer : net.convolutions) {
    const std::string number = std::to_string(index++);
    x = at::conv2d(x, weights["conv" + number + ".weight"], weights["conv" + number + ".bias"], 1, net.padding);
    const std::string bn = "bn" + number;
    x = at::batch_norm(x, weights[bn + ".weight"], weights[bn + ".bias"], weights[bn + ".running_mean"],
                       weights[bn + ".running_var"], training, 0.1, detail::normalization_epsilon, false)
            .relu_();
    if (layer.pool_after) x = at::max_pool2d(x, 2);
  }
  x = at::matmul(x.flatten(1), weights["fc1.weight"].t()) + weights["fc1.bias"];
  return net.activated_features ? x.relu() : x;
}

/// Logits `[N, classes]` of features `[N, 128]`.
inline at::Tensor classifier_head(const stylegan2::Weights& weights, const at::Tensor& features) {
  return at::matmul(features, weights["fc2.weight"].t()) + weights["fc2.bias"];
}

/// A classifier: its sizes, weights and where it came from.
struct ClassifierModel {
  ClassifierConfig config;
  stylegan2::Weights weights;
  std::string provenance = {};
  std::string digest = {};
};

/// Random initial weights, uniform within ±1/√fan_in, batch normalisation at identity. Randomness: tensor j from (seed,
/// stream 0, j).
inline ClassifierModel initial_classifier(const ClassifierConfig& config, std::int64_t seed) {
  const stylegan2::detail::LibTorchScope scope("initial_classifier");
  ClassifierModel model{config, {}, {}, {}};
  std::int64_t index = 0;
  double bound = 1.0;
  for (const auto& spec : weight_specs(config)) {
    at::Tensor value = at::zeros(spec.shape, at::kFloat);
    const bool norm = spec.name.rfind("bn", 0) == 0;
    if (norm && (spec.name.find(".weight") != std::string::npos || spec.name.find(".running_var") != std::string::npos))
      value.fill_(1.0);
    if (!norm) {
      // a bias follows its weight and shares its bound
      if (spec.shape.size() > 1) bound = 1.0 / std::sqrt(static_cast<double>(value.numel() / spec.shape[0]));
      core::CounterRandom random(seed, core::Stream::latents, index);
      float* data = value.data_ptr<float>();
      for (std::int64_t i = 0; i < value.numel(); ++i)
        data[i] = static_cast<float>((2.0 * random.uniform() - 1.0) * bound);
    }
    model.weights.set(spec.name, value);
    ++index;
  }
  return model;
}

/// Writes a classifier file, all or nothing, and returns its digest.
inline std::string save_classifier(const std::filesystem::path& path, const ClassifierModel& model) {
  const InputSpec& input = model.config.input;
  data::TensorFile file;
  file.metadata["format"] = classifier_format;
  file.metadata["config"] = stylegan2::detail::Json{
      {"architecture", model.config.architecture},
      {"classes", model.config.classes},
      {"input",
       {{"channels", input.channels},
        {"height", input.height},
        {"width", input.width},
        {"range", {input.range.lower, input.range.upper}},
        {"mean", input.mean},
        {"std", input.std}}},
      {"scores", "logits"}}.dump();
  if (!model.provenance.empty()) file.metadata["provenance"] = model.provenance;
  for (const auto& [name, tensor] : model.weights.all()) file.tensors[name] = stylegan2::to_data(tensor);
  return data::write_safetensors(path, file);
}

/// Reads a classifier file. Throws what `read_safetensors` throws; foreign_format, malformed_header, missing_tensor,
/// unexpected_tensor, wrong_tensor_shape.
inline ClassifierModel load_classifier_model(const std::filesystem::path& path,
                                             Integrity integrity = Integrity::checked) {
  const std::string where = "load_classifier(" + path.string() + ")";
  const data::TensorFile file = data::read_safetensors(path, {}, integrity);
  data::require_format(file, classifier_format);
  const auto json = stylegan2::detail::parse_config(stylegan2::detail::metadata_text(file, "config", where), where);
  ClassifierModel model;
  stylegan2::detail::JsonReader reader(json, where);
  reader.read("architecture", model.config.architecture);
  reader.read("classes", model.config.classes);
  std::string scores;
  reader.read("scores", scores);
  if (scores != "logits") reader.fail("'scores' must be \"logits\"");
  stylegan2::detail::JsonReader input(reader.require("input"), where);
  reader.finish();
  InputSpec& spec = model.config.input;
  input.read("channels", spec.channels);
  input.read("height", spec.height);
  input.read("width", spec.width);
  input.read("range", spec.range);
  input.read("mean", spec.mean);
  input.read("std", spec.std);
  input.finish();
  for (const std::int64_t size : {model.config.classes, spec.channels, spec.height, spec.width})
    if (size < 1 || size > 65536) reader.fail("sizes must lie in [1, 65536]");
  model.weights = stylegan2::detail::take_weights(file, weight_specs(model.config, where), {}, where);
  if (const auto text = file.metadata.find("provenance"); text != file.metadata.end()) model.provenance = text->second;
  if (const auto text = file.metadata.find("sha256"); text != file.metadata.end()) model.digest = text->second;
  return model;
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
