// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Described structures out of JSON: what is missing, unknown or of another type is refused with its place.

#include <faultline/core/atomic_file.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/data/strict_json.hpp>
#include <faultline/error.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// Where a value lies: a member or an entry of what it lies in.
struct JsonPlace {
  const JsonPlace* parent = nullptr;
  std::string_view key = {};
  std::size_t index = 0;

  /// "findings[0].direction.w[3]"; empty for the whole.
  [[nodiscard]] std::string text() const {
    if (parent == nullptr) return {};
    std::string text = parent->text();
    if (key.empty()) return text + "[" + std::to_string(index) + "]";
    return text.empty() ? std::string(key) : text + "." + std::string(key);
  }
};

/// Fills values from JSON. A class, so that every overload sees all the others.
class DescribedReader {
 public:
  using Json = nlohmann::json;

  /// Labels of classes lie below `classes`; `whole` is what messages call the text as a whole.
  DescribedReader(std::string_view where, std::int64_t classes, std::string_view whole = "the report")
      : where_(where), whole_(whole), classes_(classes) {}

  void read(const Json& from, const JsonPlace& place, bool& into) const {
    if (!from.is_boolean()) refuse(place, "must be true or false");
    into = from.get<bool>();
  }
  /// A sign: nothing else in a file is an `int`.
  void read(const Json& from, const JsonPlace& place, int& into) const {
    into = static_cast<int>(integer(from, place, -1, 1));
  }
  /// A count or a position, which are not negative, a label, or a seed.
  void read(const Json& from, const JsonPlace& place, std::int64_t& into) const {
    using Limits = std::numeric_limits<std::int64_t>;
    const std::string_view key = place.key.empty() ? place.parent->key : place.key;
    const bool label = key == "label" || key == "labels" || key == "class_label";
    into = integer(from, place, key == "seed" ? Limits::min() : 0, label ? classes_ - 1 : Limits::max());
  }
  void read(const Json& from, const JsonPlace& place, double& into) const {
    if (!from.is_number() && !from.is_null()) refuse(place, "must be a number or null");
    into = from.is_null() ? std::numeric_limits<double>::quiet_NaN() : from.get<double>();
  }
  void read(const Json& from, const JsonPlace& place, std::string& into) const {
    if (!from.is_string()) refuse(place, "must be a text");
    into = from.get_ref<const std::string&>();
  }
  template <core::ScopedEnum E>
  void read(const Json& from, const JsonPlace& place, E& into) const {
    std::string name;
    read(from, place, name);
    const std::optional<E> known = core::enumerator_from<E>(name);
    if (!known) refuse(place, "has the unknown value \"" + name + "\"");
    into = *known;
  }
  template <class T>
  void read(const Json& from, const JsonPlace& place, std::optional<T>& into) const {
    into.reset();
    if (!from.is_null()) read(from, place, into.emplace());
  }
  template <class T>
  void read(const Json& from, const JsonPlace& place, std::vector<T>& into) const {
    if (!from.is_array()) refuse(place, "must be a list");
    into.resize(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) read(from[i], {&place, {}, i}, into[i]);
  }
  template <Described T>
  void read(const Json& from, const JsonPlace& place, T& into) const {
    if (!from.is_object()) refuse(place, "must be an object");
    describe(std::type_identity<T>{}, [&](std::string_view name, auto member) {
      const auto found = from.find(name);
      if (found == from.end()) refuse(place, "has no '" + std::string(name) + "'");
      auto& value = into.*member;
      read(*found, {&place, name}, value);
      if constexpr (std::is_same_v<decltype(value), double&> && core::null_is_infinite<T>)
        if (std::isnan(value)) value = std::numeric_limits<double>::infinity();
    });
    if (from.size() != core::count_members<T>()) refuse(place, "has the unknown entry '" + unknown_key<T>(from) + "'");
  }

 private:
  [[noreturn]] void refuse(const JsonPlace& place, const std::string& what) const {
    const std::string at = place.text();
    throw Error(ErrorCode::malformed_header, where_, (at.empty() ? std::string(whole_) : "'" + at + "'") + " " + what);
  }
  [[nodiscard]] std::int64_t integer(const Json& from, const JsonPlace& place, std::int64_t lowest,
                                     std::int64_t highest) const {
    constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const bool fits = from.is_number_integer() && (!from.is_number_unsigned() || from.get<std::uint64_t>() <= largest);
    if (!fits || from.get<std::int64_t>() < lowest || from.get<std::int64_t>() > highest)
      refuse(place, "must be a whole number in its range");
    return from.get<std::int64_t>();
  }
  template <Described T>
  [[nodiscard]] static std::string unknown_key(const Json& from) {
    for (const auto& entry : from.items()) {
      bool known = false;
      describe(std::type_identity<T>{}, [&](std::string_view name, auto) { known = known || name == entry.key(); });
      if (!known) return entry.key();
    }
    return {};
  }

  std::string_view where_;
  std::string_view whole_;
  std::int64_t classes_;
};

/// The text of a report's file. **Throws** `cannot_open`; `oversized` above 64 MB.
[[nodiscard]] inline std::string report_text(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = core::read_file(path, std::int64_t{64} << 20);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// How many classes a report says there are: a number, or one entry for each.
[[nodiscard]] inline std::int64_t stated_classes(const nlohmann::json& json, std::string_view where) {
  const auto found = json.find("classes");
  if (found != json.end() && found->is_number_integer()) {
    const auto count = found->get<std::int64_t>();
    if (count < 1 || count > limits::classes)
      throw Error(ErrorCode::malformed_header, where, "'classes' must be a whole number in its range");
    return count;
  }
  const bool listed = found != json.end() && found->is_array() && !found->empty();
  return listed ? static_cast<std::int64_t>(found->size()) : limits::classes;
}

/// Whether a JSON text names an earlier version of the same format: "faultline.report/1" where "faultline.report/2" is
/// expected.
[[nodiscard]] inline bool is_older(const nlohmann::json& json, const std::string& schema) {
  if (!json.is_object() || !json.contains("schema") || !json["schema"].is_string()) return false;
  const auto& given = json["schema"].get_ref<const std::string&>();
  const std::size_t number = schema.rfind('/') + 1;
  const auto version = [number](const std::string& name) {
    const bool counts = name.size() > number && name.size() < number + 10 &&
                        name.find_first_not_of("0123456789", number) == std::string::npos;
    return counts ? std::stoi(name.substr(number)) : 0;
  };
  return given.compare(0, number, schema, 0, number) == 0 && version(given) > 0 && version(given) < version(schema);
}

/// A structure with a `schema` out of a JSON text. **Throws** `foreign_format` for another schema, `malformed_header`.
template <Described T>
[[nodiscard]] T read_described(std::string_view text, std::string_view where, std::string_view expected) {
  const nlohmann::json json = data::parse_strict_json(text, where);
  T report;
  if (is_older(json, report.schema))
    throw Error(ErrorCode::foreign_format, where,
                "this report is of the earlier schema " + json["schema"].get<std::string>() +
                    ", in which names and numbers mean something else than in " + report.schema +
                    ": make it again with this version");
  if (!json.is_object() || !json.contains("schema") || json["schema"] != report.schema)
    throw Error(ErrorCode::foreign_format, where,
                "this is not a report of the schema " + report.schema + "; give the " + std::string(expected));
  DescribedReader(where, stated_classes(json, where)).read(json, {}, report);
  return report;
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
