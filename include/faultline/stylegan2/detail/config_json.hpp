// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The `config` texts of model files: strict JSON, every key known, none twice, an object `extra` the one place for
// additions.

#include <faultline/data/strict_json.hpp>
#include <faultline/stylegan2/config.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

using Json = nlohmann::json;

/// The `config` of a model file: a JSON object in which no key occurs twice.
inline Json parse_config(const std::string& text, const std::string& where) {
  Json value = faultline::data::parse_strict_json(text, where);
  if (!value.is_object()) throw Error(ErrorCode::malformed_header, where, "the config must be a JSON object");
  return value;
}

/// Reads the members of one JSON object by name; `finish` refuses what nobody asked for.
class JsonReader {
 public:
  JsonReader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  [[nodiscard]] bool has(const std::string& key) const { return object_.contains(key); }
  const Json& require(const std::string& key) {
    if (!has(key)) fail("the key '" + key + "' is missing");
    used_.insert(key);
    return object_.at(key);
  }
  void read(const std::string& key, std::int64_t& into) {
    const Json& value = require(key);
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > (std::uint64_t{1} << 62)))
      fail("'" + key + "' must be an integer");
    into = value.get<std::int64_t>();
  }
  void read(const std::string& key, double& into) {
    const Json& value = require(key);
    if (!value.is_number()) fail("'" + key + "' must be a number");
    into = value.get<double>();
  }
  void read(const std::string& key, bool& into) {
    const Json& value = require(key);
    if (!value.is_boolean()) fail("'" + key + "' must be true or false");
    into = value.get<bool>();
  }
  void read(const std::string& key, std::string& into) {
    const Json& value = require(key);
    if (!value.is_string()) fail("'" + key + "' must be a text");
    into = value.get<std::string>();
  }
  void read(const std::string& key, std::optional<double>& into) {
    if (require(key).is_null()) {
      into.reset();
      return;
    }
    double value = 0.0;
    read(key, value);
    into = value;
  }
  void read(const std::string& key, std::vector<std::string>& into) {
    const Json& value = require(key);
    if (!value.is_array()) fail("'" + key + "' must be a list of texts");
    into.clear();
    for (const Json& item : value) {
      if (!item.is_string()) fail("'" + key + "' must be a list of texts");
      into.push_back(item.get<std::string>());
    }
  }
  void read(const std::string& key, std::vector<double>& into) {
    const Json& value = require(key);
    if (!value.is_array()) fail("'" + key + "' must be a list of numbers");
    into.clear();
    for (const Json& item : value) {
      if (!item.is_number()) fail("'" + key + "' must be a list of numbers");
      into.push_back(item.get<double>());
    }
  }
  void read(const std::string& key, ValueRange& into) {
    std::vector<double> ends;
    read(key, ends);
    if (ends.size() != 2) fail("'" + key + "' must be two numbers");
    into = {ends[0], ends[1]};
  }
  /// The key when it is there, else `into` stays as it is.
  template <class T>
  void read_optional(const std::string& key, T& into) {
    if (has(key)) read(key, into);
  }
  /// Refuses keys that were not read; an object `extra` may hold anything.
  void finish() const {
    for (const auto& [key, value] : object_.items())
      if (used_.count(key) == 0 && !(key == "extra" && value.is_object()))
        fail("the key '" + key + "' is unknown; additions belong into an object 'extra'");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::malformed_header, where_, "in the config, " + what);
  }

 private:
  const Json& object_;
  std::string where_;
  std::set<std::string> used_;
};

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
  JsonReader reader(json, where);
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
  JsonReader reader(json, where);
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

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
