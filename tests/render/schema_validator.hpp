// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Validates JSON against the part of JSON Schema 2020-12 that docs/reference/report.schema.json uses; a keyword outside
// it is a complaint, so that the schema cannot say more than is checked.

#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <vector>

namespace render_test {

class SchemaValidator {
 public:
  explicit SchemaValidator(nlohmann::json schema) : root_(std::move(schema)) {}

  /// What is wrong, one line each with the place; empty when the value is valid.
  std::vector<std::string> complaints(const nlohmann::ordered_json& value) {
    complaints_.clear();
    check(root_, value, "$");
    return complaints_;
  }

 private:
  static bool is(const nlohmann::ordered_json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_number_integer();
    return type == "number" && value.is_number();
  }

  void check(const nlohmann::json& schema, const nlohmann::ordered_json& value, const std::string& place) {
    static const std::set<std::string> known = {
        "$schema",    "$id",   "$defs", "$ref", "title", "description", "type", "required", "additionalProperties",
        "properties", "items", "enum",  "anyOf"};
    for (const auto& [keyword, argument] : schema.items())
      if (known.count(keyword) == 0) complaints_.push_back(place + ": the schema uses the unknown keyword " + keyword);
    if (schema.contains("$ref")) {
      const std::string name = schema["$ref"].get<std::string>().substr(8);  // "#/$defs/"
      if (!root_["$defs"].contains(name)) return complaints_.push_back(place + ": no definition " + name);
      return check(root_["$defs"][name], value, place);
    }
    if (schema.contains("anyOf")) {
      for (const auto& alternative : schema["anyOf"]) {
        SchemaValidator one(root_);
        one.check(alternative, value, place);
        if (one.complaints_.empty()) return;
      }
      return complaints_.push_back(place + ": no alternative fits");
    }
    if (schema.contains("type")) {
      bool fits = false;
      if (schema["type"].is_string()) fits = is(value, schema["type"]);
      else
        for (const auto& type : schema["type"]) fits |= is(value, type);
      if (!fits) return complaints_.push_back(place + ": is " + value.type_name() + ", not " + schema["type"].dump());
    }
    if (schema.contains("enum")) {
      bool found = false;
      for (const auto& allowed : schema["enum"]) found |= allowed.dump() == value.dump();
      if (!found) complaints_.push_back(place + ": " + value.dump() + " is not allowed");
    }
    if (value.is_object()) {
      for (const auto& name : schema.value("required", nlohmann::json::array()))
        if (!value.contains(name.get<std::string>()))
          complaints_.push_back(place + ": lacks " + name.get<std::string>());
      for (const auto& [key, member] : value.items()) {
        if (schema.contains("properties") && schema["properties"].contains(key))
          check(schema["properties"][key], member, place + "." + key);
        else if (schema.value("additionalProperties", true) == false)
          complaints_.push_back(place + ": has the unknown member " + key);
      }
    }
    if (value.is_array() && schema.contains("items"))
      for (std::size_t i = 0; i < value.size(); ++i)
        check(schema["items"], value[i], place + "[" + std::to_string(i) + "]");
  }

  nlohmann::json root_;
  std::vector<std::string> complaints_;
};

}  // namespace render_test
