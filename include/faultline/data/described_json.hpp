// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Described structures as JSON: an object whose keys are the names of the members, in their order.

#include <faultline/core/describe.hpp>
#include <faultline/core/enum_text.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// A class, so that every overload sees all the others.
struct DescribedJson {
  using Json = nlohmann::ordered_json;

  static Json json_of(bool value) { return value; }
  static Json json_of(int value) { return value; }
  static Json json_of(std::int64_t value) { return value; }
  static Json json_of(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
  static Json json_of(const std::string& value) { return value; }

  template <core::ScopedEnum E>
  static Json json_of(E value) {
    return std::string(core::enumerator_of(value));
  }
  template <class T>
  static Json json_of(const std::optional<T>& value) {
    return value ? json_of(*value) : Json(nullptr);
  }
  template <class T>
  static Json json_of(const std::vector<T>& values) {
    Json::array_t list;
    list.reserve(values.size());
    for (const T& value : values) list.push_back(json_of(value));
    return Json(std::move(list));
  }
  template <Described T>
  static Json json_of(const T& whole) {
    Json::object_t object;
    object.reserve(core::count_members<T>());
    describe(std::type_identity<T>{}, [&](std::string_view name, auto member) {
      object.emplace_back(std::string(name), json_of(whole.*member));
    });
    return Json(std::move(object));
  }
};

/// Indented by one space a level, with a line end; bytes that are not UTF-8 are replaced.
template <Described T>
[[nodiscard]] std::string described_text(const T& whole) {
  return DescribedJson::json_of(whole).dump(1, ' ', false, DescribedJson::Json::error_handler_t::replace) + "\n";
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
