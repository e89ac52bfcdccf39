// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The `config` texts of network files: strict JSON, every key known, none twice, an object `extra` the one place for
// additions.

#include <faultline/core/image.hpp>
#include <faultline/data/strict_json.hpp>
#include <faultline/error.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

using Json = nlohmann::json;

/// The `config` of a model file: a JSON object in which no key occurs twice.
inline Json parse_config(const std::string& text, const std::string& where) {
  Json value = parse_strict_json(text, where);
  if (!value.is_object()) throw Error(ErrorCode::malformed_header, where, "the config must be a JSON object");
  return value;
}

/// Reads the members of one JSON object by name; `finish` refuses what nobody asked for.
class ConfigReader {
 public:
  ConfigReader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

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

}  // namespace data
}  // namespace v1
}  // namespace faultline
