// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Checkpoints of GAN training: everything a later step depends on, in one digest-protected file that is either whole or
// not there.

#include <faultline/data/config_reader.hpp>
#include <faultline/data/network_file.hpp>
#include <faultline/data/safetensors.hpp>
#include <faultline/stylegan2/config_json.hpp>
#include <faultline/torch/training/gan_trainer.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

inline constexpr const char* checkpoint_format = "faultline.checkpoint/1";

namespace detail {

using Json = nlohmann::json;

inline Json to_json(const GanOptions& options) {
  return {{"batch", options.batch},
          {"parts", options.parts},
          {"learning_rate", options.learning_rate},
          {"learning_rate_hold_kimg", options.learning_rate_hold_kimg},
          {"learning_rate_fade_kimg", options.learning_rate_fade_kimg},
          {"r1_gamma", options.r1_gamma},
          {"r1_interval", options.r1_interval},
          {"path_length_weight", options.path_length_weight},
          {"path_length_interval", options.path_length_interval},
          {"path_length_decay", options.path_length_decay},
          {"style_mixing", options.style_mixing},
          {"ema_kimg", options.ema_kimg},
          {"ema_ramp", options.ema_ramp},
          {"w_average_decay", options.w_average_decay},
          {"mismatch_weight", options.mismatch_weight},
          {"mismatch_hold_kimg", options.mismatch_hold_kimg},
          {"mismatch_fade_kimg", options.mismatch_fade_kimg},
          {"seed", options.seed},
          {"ada", options.ada},
          {"ada_target", options.ada_target},
          {"ada_kimg", options.ada_kimg},
          {"ada_interval", options.ada_interval},
          {"fused", options.fused}};
}

inline GanOptions gan_options(const Json& json, const std::string& where) {
  GanOptions options;
  data::ConfigReader reader(json, where);
  reader.read("batch", options.batch);
  reader.read_optional("parts", options.parts);
  reader.read("learning_rate", options.learning_rate);
  reader.read_optional("learning_rate_hold_kimg", options.learning_rate_hold_kimg);
  reader.read_optional("learning_rate_fade_kimg", options.learning_rate_fade_kimg);
  reader.read("r1_gamma", options.r1_gamma);
  reader.read("r1_interval", options.r1_interval);
  reader.read("path_length_weight", options.path_length_weight);
  reader.read("path_length_interval", options.path_length_interval);
  reader.read("path_length_decay", options.path_length_decay);
  reader.read("style_mixing", options.style_mixing);
  reader.read("ema_kimg", options.ema_kimg);
  reader.read("ema_ramp", options.ema_ramp);
  reader.read("w_average_decay", options.w_average_decay);
  reader.read("mismatch_weight", options.mismatch_weight);
  reader.read_optional("mismatch_hold_kimg", options.mismatch_hold_kimg);
  reader.read_optional("mismatch_fade_kimg", options.mismatch_fade_kimg);
  reader.read("seed", options.seed);
  reader.read_optional("ada", options.ada);
  reader.read_optional("ada_target", options.ada_target);
  reader.read_optional("ada_kimg", options.ada_kimg);
  reader.read_optional("ada_interval", options.ada_interval);
  reader.read_optional("fused", options.fused);
  reader.finish();
  return options;
}

inline void put(data::TensorFile& file, const std::string& prefix, const std::map<std::string, at::Tensor>& tensors) {
  for (const auto& [name, tensor] : tensors) file.tensors[prefix + name] = stylegan2::to_data(tensor);
}

inline std::map<std::string, at::Tensor> take(const data::TensorFile& file, const std::string& prefix) {
  std::map<std::string, at::Tensor> tensors;
  for (auto found = file.tensors.lower_bound(prefix);
       found != file.tensors.end() && found->first.compare(0, prefix.size(), prefix) == 0; ++found)
    tensors[found->first.substr(prefix.size())] = stylegan2::to_tensor(found->second);
  return tensors;
}

template <class Config>
stylegan2::TensorWeights take_network(const data::TensorFile& file, const std::string& prefix, const Config& config,
                                      const std::string& where) {
  data::TensorFile part;
  for (const auto& spec : stylegan2::weight_specs(config)) part.tensors[spec.name] = file.at(prefix + spec.name);
  return stylegan2::to_tensors(data::take_weights(part, stylegan2::weight_specs(config), {}, where));
}

}  // namespace detail

/// A run as it was stored.
struct GanCheckpoint {
  GanPreset preset;
  GanState state;
};

/// Writes a checkpoint, all or nothing. Throws cannot_write, not_durable; non_finite_weight when training has diverged
/// (an earlier checkpoint stays intact).
inline void save_checkpoint(const std::filesystem::path& path, const GanPreset& preset, const GanState& state) {
  data::TensorFile file;
  file.metadata["format"] = checkpoint_format;
  file.metadata["config"] = detail::Json{{"generator", stylegan2::to_json(preset.generator)},
                                         {"discriminator", stylegan2::to_json(preset.discriminator)},
                                         {"options", detail::to_json(preset.options)},
                                         {"state",
                                          {{"step", state.step},
                                           {"images_seen", state.images_seen},
                                           {"path_length_mean", state.path_length_mean},
                                           {"generator_adam_steps", state.generator_adam.steps()},
                                           {"discriminator_adam_steps", state.discriminator_adam.steps()},
                                           {"augmentation", state.augmentation},
                                           {"real_sign_sum", state.real_sign_sum},
                                           {"real_sign_count", state.real_sign_count}}}}
                                .dump();
  detail::put(file, "generator.", state.generator.all());
  detail::put(file, "discriminator.", state.discriminator.all());
  detail::put(file, "average.", state.average.all());
  detail::put(file, "generator_adam.first.", state.generator_adam.first_moments());
  detail::put(file, "generator_adam.second.", state.generator_adam.second_moments());
  detail::put(file, "discriminator_adam.first.", state.discriminator_adam.first_moments());
  detail::put(file, "discriminator_adam.second.", state.discriminator_adam.second_moments());
  data::write_safetensors(path, file);
}

/// Reads a checkpoint. Throws what `read_safetensors` throws; foreign_format, malformed_header, missing_tensor,
/// wrong_tensor_shape.
inline GanCheckpoint load_checkpoint(const std::filesystem::path& path) {
  const std::string where = "load_checkpoint(" + path.string() + ")";
  const data::TensorFile file = data::read_safetensors(path);
  data::require_format(file, checkpoint_format);
  const detail::Json json = data::parse_config(data::metadata_text(file, "config", where), where);
  data::ConfigReader reader(json, where);
  GanCheckpoint checkpoint;
  checkpoint.preset.generator = stylegan2::generator_config(reader.require("generator"), where);
  checkpoint.preset.discriminator = stylegan2::discriminator_config(reader.require("discriminator"), where);
  checkpoint.preset.options = detail::gan_options(reader.require("options"), where);
  data::ConfigReader counters(reader.require("state"), where);
  reader.finish();
  GanState& state = checkpoint.state;
  std::int64_t generator_steps = 0;
  std::int64_t discriminator_steps = 0;
  counters.read("step", state.step);
  counters.read("images_seen", state.images_seen);
  counters.read("path_length_mean", state.path_length_mean);
  counters.read("generator_adam_steps", generator_steps);
  counters.read("discriminator_adam_steps", discriminator_steps);
  counters.read_optional("augmentation", state.augmentation);
  counters.read_optional("real_sign_sum", state.real_sign_sum);
  counters.read_optional("real_sign_count", state.real_sign_count);
  counters.finish();
  validate(checkpoint.preset);
  const GanOptions& options = checkpoint.preset.options;
  state.generator = detail::take_network(file, "generator.", checkpoint.preset.generator, where);
  state.discriminator = detail::take_network(file, "discriminator.", checkpoint.preset.discriminator, where);
  state.average = detail::take_network(file, "average.", checkpoint.preset.generator, where);
  state.generator_adam = Adam(GanTrainer::adam_options(options, options.path_length_interval));
  state.generator_adam.restore(generator_steps, detail::take(file, "generator_adam.first."),
                               detail::take(file, "generator_adam.second."));
  state.discriminator_adam = Adam(GanTrainer::adam_options(options, options.r1_interval));
  state.discriminator_adam.restore(discriminator_steps, detail::take(file, "discriminator_adam.first."),
                                   detail::take(file, "discriminator_adam.second."));
  return checkpoint;
}

/// The checkpoints of a run directory, oldest first (`checkpoint-<images in thousands>.safetensors`).
inline std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("checkpoint-", 0) == 0 && entry.path().extension() == ".safetensors") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Writes a checkpoint into a run directory and removes all but the last two. Returns its path.
inline std::filesystem::path rotate_checkpoint(const std::filesystem::path& directory, const GanPreset& preset,
                                               const GanState& state) {
  std::filesystem::create_directories(directory);
  char name[64];
  std::snprintf(name, sizeof name, "checkpoint-%012lld.safetensors", static_cast<long long>(state.step));
  const std::filesystem::path path = directory / name;
  save_checkpoint(path, preset, state);
  auto all = list_checkpoints(directory);
  std::error_code ignored;
  for (std::size_t i = 0; i + 2 < all.size(); ++i) std::filesystem::remove(all[i], ignored);
  return path;
}

/// The newest checkpoint of a run directory that can be read, or nothing; damaged ones are skipped and named in
/// `skipped`.
inline std::optional<GanCheckpoint> latest_checkpoint(const std::filesystem::path& directory,
                                                      std::vector<std::string>* skipped = nullptr) {
  auto all = list_checkpoints(directory);
  for (auto path = all.rbegin(); path != all.rend(); ++path) {
    try {
      return load_checkpoint(*path);
    } catch (const Error& error) {
      if (skipped) skipped->push_back(error.what());
    }
  }
  return std::nullopt;
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
