// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The `config` texts of generator and discriminator files.

#include <faultline/data/config_reader.hpp>
#include <faultline/stylegan2/config.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

using data::ConfigReader;
using Json = nlohmann::json;

inline Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

inline Json to_json(const GeneratorConfig& config) {
  return {{"z_dim", config.z_dim},
          {"w_dim", config.w_dim},
          {"c_dim", config.c_dim},
          {"img_resolution", config.img_resolution},
          {"img_channels", config.img_channels},
          {"channel_base", config.channel_base},
          {"channel_max", config.channel_max},
          {"mapping_layers", config.mapping_layers},
          {"mapping_lr_multiplier", config.mapping_lr_multiplier},
          {"conv_clamp", number_or_null(config.conv_clamp)},
          {"class_names", config.class_names},
          {"value_range", {config.value_range.lower, config.value_range.upper}}};
}

inline GeneratorConfig generator_config(const Json& json, const std::string& where) {
  GeneratorConfig config;
  ConfigReader reader(json, where);
  reader.read("z_dim", config.z_dim);
  reader.read("w_dim", config.w_dim);
  reader.read("c_dim", config.c_dim);
  reader.read("img_resolution", config.img_resolution);
  reader.read("img_channels", config.img_channels);
  reader.read("channel_base", config.channel_base);
  reader.read("channel_max", config.channel_max);
  reader.read("mapping_layers", config.mapping_layers);
  reader.read("mapping_lr_multiplier", config.mapping_lr_multiplier);
  reader.read("conv_clamp", config.conv_clamp);
  reader.read("class_names", config.class_names);
  reader.read("value_range", config.value_range);
  reader.finish();
  return config;
}

inline Json to_json(const DiscriminatorConfig& config) {
  return {{"c_dim", config.c_dim},
          {"img_resolution", config.img_resolution},
          {"img_channels", config.img_channels},
          {"channel_base", config.channel_base},
          {"channel_max", config.channel_max},
          {"conv_clamp", number_or_null(config.conv_clamp)},
          {"mbstd_group_size", config.mbstd_group_size},
          {"mbstd_num_channels", config.mbstd_num_channels},
          {"mapping_layers", config.mapping_layers},
          {"mapping_lr_multiplier", config.mapping_lr_multiplier}};
}

inline DiscriminatorConfig discriminator_config(const Json& json, const std::string& where) {
  DiscriminatorConfig config;
  ConfigReader reader(json, where);
  reader.read("c_dim", config.c_dim);
  reader.read("img_resolution", config.img_resolution);
  reader.read("img_channels", config.img_channels);
  reader.read("channel_base", config.channel_base);
  reader.read("channel_max", config.channel_max);
  reader.read("conv_clamp", config.conv_clamp);
  reader.read("mbstd_group_size", config.mbstd_group_size);
  reader.read("mbstd_num_channels", config.mbstd_num_channels);
  reader.read("mapping_layers", config.mapping_layers);
  reader.read_optional("mapping_lr_multiplier", config.mapping_lr_multiplier);
  reader.finish();
  return config;
}

/// Runs `validate` on what a file claims; a bad value is then a fault of the file, not of an argument.
template <class Config>
Config validated(Config config, const std::string& where) {
  try {
    validate(config);
  } catch (const Error& error) {
    throw Error(ErrorCode::malformed_header, where, std::string("the config describes no network: ") + error.what());
  }
  return config;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
