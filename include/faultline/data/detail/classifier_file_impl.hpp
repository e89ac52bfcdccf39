// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/classifier_file.hpp.

#include <faultline/data/classifier_file.hpp>

#include <faultline/data/config_reader.hpp>
#include <faultline/data/network_file.hpp>

#include <string>

namespace faultline {
inline namespace v1 {
namespace classify {

FAULTLINE_INLINE std::string save_classifier(const std::filesystem::path& path, const ClassifierModel& model) {
  const InputSpec& input = model.config.input;
  data::TensorFile file;
  file.metadata["format"] = classifier_format;
  file.metadata["config"] = data::Json{
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
  data::put_weights(file, model.weights);
  return data::write_safetensors(path, file);
}

FAULTLINE_INLINE ClassifierModel load_classifier_model(const std::filesystem::path& path, Integrity integrity) {
  const std::string where = "load_classifier(" + path.string() + ")";
  data::TensorFile file = data::read_safetensors(path, {}, integrity);
  data::require_format(file, classifier_format);
  const data::Json json = data::parse_config(data::metadata_text(file, "config", where), where);
  ClassifierModel model;
  data::ConfigReader reader(json, where);
  reader.read("architecture", model.config.architecture);
  reader.read("classes", model.config.classes);
  std::string scores;
  reader.read("scores", scores);
  if (scores != "logits") reader.fail("'scores' must be \"logits\"");
  data::ConfigReader input(reader.require("input"), where);
  reader.finish();
  InputSpec& spec = model.config.input;
  input.read("channels", spec.channels);
  input.read("height", spec.height);
  input.read("width", spec.width);
  input.read("range", spec.range);
  input.read("mean", spec.mean);
  input.read("std", spec.std);
  input.finish();
  if (!detail::has_sound_sizes(model.config))
    reader.fail("sizes must lie in [1, " + std::to_string(detail::largest_size) + "]");
  model.weights = data::take_weights(file, weight_specs(model.config, where), {}, where);
  model.provenance = data::metadata_or_empty(file, "provenance");
  model.digest = data::metadata_or_empty(file, "sha256");
  return model;
}

}  // namespace classify

FAULTLINE_INLINE classify::NetworkClassifier load_classifier(const std::filesystem::path& path, Integrity integrity) {
  return classify::NetworkClassifier(classify::load_classifier_model(path, integrity), path.stem().string());
}

}  // namespace v1
}  // namespace faultline
