// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The schemas in docs/ say of every structure what its description says, no less and no more.
#include <faultline/core/describe.hpp>
#include <faultline/render/comparison_report.hpp>
#include <faultline/render/conditions_report.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/render/paper_json.hpp>
#include <faultline/render/report_difference_json.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fl = faultline;
using Json = nlohmann::json;

namespace {

Json schema(const std::string& name) {
  return Json::parse(faultline_tests::text_of(std::filesystem::path(__FILE__).parent_path() / "../../docs/reference" /
                                              (name + ".schema.json")));
}

/// "CostCounters": the name of a type without its namespaces.
template <class T>
std::string name_of_type() {
  std::string text = __PRETTY_FUNCTION__;
  text = text.substr(text.find("T = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  return text.substr(text.rfind(':') + 1);
}

/// What the C++ types say, as a schema.
class Expected {
 public:
  template <fl::Described T>
  Json whole() {
    Json made = object<T>();
    made["$defs"] = definitions_;
    return made;
  }

 private:
  template <fl::Described T>
  Json object() {
    Json made = {{"type", "object"}, {"additionalProperties", false}, {"required", Json::array()}};
    describe(std::type_identity<T>{}, [&](std::string_view name, auto member) {
      made["required"].push_back(name);
      using M = std::remove_cvref_t<decltype(std::declval<T&>().*member)>;
      made["properties"][std::string(name)] = of<M>();
    });
    std::sort(made["required"].begin(), made["required"].end());
    return made;
  }

  template <class T>
  Json of() {
    if constexpr (std::is_same_v<T, bool>) return {{"type", "boolean"}};
    else if constexpr (std::is_same_v<T, int> || std::is_same_v<T, std::int64_t>) return {{"type", "integer"}};
    else if constexpr (std::is_same_v<T, double>) return {{"type", {"null", "number"}}};
    else if constexpr (std::is_same_v<T, std::string>) return {{"type", "string"}};
    else if constexpr (std::is_enum_v<T>) {
      Json names = Json::array();
      for (int i = 0; !fl::core::enumerator_of(static_cast<T>(i)).empty(); ++i)
        names.push_back(fl::core::enumerator_of(static_cast<T>(i)));
      return {{"type", "string"}, {"enum", names}};
    } else if constexpr (fl::core::is_vector<T>) return {{"type", "array"}, {"items", of<typename T::value_type>()}};
    else if constexpr (fl::core::is_optional<T>) {
      using V = typename T::value_type;
      if constexpr (std::is_same_v<V, double>) return of<V>();
      else if constexpr (fl::Described<V>) return {{"anyOf", {of<V>(), {{"type", "null"}}}}};
      else {
        Json made = of<V>();
        made["type"] = {made["type"], "null"};
        std::sort(made["type"].begin(), made["type"].end());
        if (made.contains("enum")) made["enum"].push_back(nullptr);
        return made;
      }
    } else {
      static_assert(fl::Described<T>);
      const std::string name = name_of_type<T>();
      if (!definitions_.contains(name)) {
        definitions_[name] = nullptr;  // (a structure may hold itself)
        definitions_[name] = object<T>();
      }
      return {{"$ref", "#/$defs/" + name}};
    }
  }

  Json definitions_ = Json::object();
};

/// A schema as `Expected` would say it: without prose, lists that mean sets sorted, and signs as what they are in C++.
Json plain(Json said) {
  if (said.is_array())
    for (Json& one : said) one = plain(one);
  if (!said.is_object()) return said;
  for (const char* prose : {"$schema", "$id", "title", "description"})
    if (said.contains(prose) && said[prose].is_string()) said.erase(prose);
  for (auto& [key, value] : said.items()) value = plain(value);
  if (said.contains("required")) std::sort(said["required"].begin(), said["required"].end());
  if (said.contains("type") && said["type"].is_array()) std::sort(said["type"].begin(), said["type"].end());
  if (said.contains("anyOf") && said["anyOf"].size() == 2 && said["anyOf"][0] == Json{{"type", "null"}})
    std::swap(said["anyOf"][0], said["anyOf"][1]);
  if (said.contains("enum") && said["enum"].front().is_number()) said = {{"type", "integer"}};
  return said;
}

template <fl::Described T>
void check(const std::string& name) {
  Json said = plain(schema(name)), expected = Expected().whole<T>();
  CHECK(said["properties"]["schema"].value("enum", Json()) == Json::array({T{}.schema}));
  said["properties"]["schema"].erase("enum");
  for (const auto& [key, value] : expected["$defs"].items()) {
    CAPTURE(name, key);
    CHECK(said["$defs"].value(key, Json()).dump(1) == value.dump(1));
  }
  for (const auto& [key, value] : said["$defs"].items()) {
    CAPTURE(name, key);
    CHECK(expected["$defs"].contains(key));
  }
  said.erase("$defs");
  expected.erase("$defs");
  CHECK(said.dump(1) == expected.dump(1));
}

}  // namespace

TEST_CASE("the schema of a report says what its structures say") { check<fl::FailureReport>("report"); }
TEST_CASE("the schema of the paper's report says what its structures say") { check<fl::PaperReport>("paper"); }
TEST_CASE("the schema of a comparison says what its structures say") { check<fl::ComparisonReport>("comparison"); }
TEST_CASE("the schema of a difference says what its structures say") {
  check<fl::ReportDifference>("report-difference");
}
TEST_CASE("the schema of conditions says what its structures say") { check<fl::LabelledConditions>("conditions"); }
