// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/read_report.hpp.

#include <faultline/core/atomic_file.hpp>
#include <faultline/data/strict_json.hpp>
#include <faultline/render/read_report.hpp>
#include <faultline/render/titles.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail::render {

/// A JSON value with its place, whose reads name the place when they fail.
class ReportValue {
 public:
  ReportValue(const nlohmann::json& value, std::string where, std::string place = "")
      : value_(&value), where_(std::move(where)), place_(std::move(place)) {}

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::malformed_header, where_, (place_.empty() ? "the report" : "'" + place_ + "'") + " " + what);
  }
  [[nodiscard]] ReportValue operator[](const char* key) const {
    const std::string place = place_.empty() ? key : place_ + "." + key;
    if (!value_->is_object() || !value_->contains(key)) refuse(std::string("has no '") + key + "'");
    return {(*value_)[key], where_, place};
  }
  [[nodiscard]] std::vector<ReportValue> items() const {
    if (!value_->is_array()) refuse("must be a list");
    std::vector<ReportValue> result;
    for (std::size_t i = 0; i < value_->size(); ++i)
      result.emplace_back((*value_)[i], where_, place_ + "[" + std::to_string(i) + "]");
    return result;
  }
  [[nodiscard]] bool null() const { return value_->is_null(); }
  [[nodiscard]] std::string text() const {
    if (!value_->is_string()) refuse("must be a text");
    return value_->get<std::string>();
  }
  [[nodiscard]] std::int64_t integer(std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
                                     std::int64_t highest = std::numeric_limits<std::int64_t>::max()) const {
    const bool fits =
        value_->is_number_integer() &&
        (!value_->is_number_unsigned() ||
         value_->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    if (!fits || value_->get<std::int64_t>() < lowest || value_->get<std::int64_t>() > highest)
      refuse("must be a whole number in its range");
    return value_->get<std::int64_t>();
  }
  [[nodiscard]] double number() const {
    if (!value_->is_number() || !std::isfinite(value_->get<double>())) refuse("must be a number");
    return value_->get<double>();
  }
  /// The one of `values` whose name this is.
  template <class Enum>
  [[nodiscard]] Enum one_of(std::initializer_list<Enum> values) const {
    const std::string own = text();
    for (const Enum value : values)
      if (own == name_of(value)) return value;
    refuse("has the unknown value \"" + own + "\"");
  }

 private:
  const nlohmann::json* value_;
  std::string where_;
  std::string place_;
};

inline Provenance read_provenance(const ReportValue& from, std::int64_t classes) {
  Provenance p;
  p.library_version = from["library_version"].text();
  p.generator_digest = from["generator_digest"].text();
  p.classifier_name = from["classifier_name"].text();
  p.criterion = from["criterion"].text();
  p.torch_version = from["torch_version"].text();
  p.cpu = from["cpu"].text();
  p.seed = from["seed"].integer();
  p.samples_per_half = from["samples_per_half"].integer(1, std::int64_t{1} << 40);
  p.batch_size = from["batch_size"].integer(1, std::int64_t{1} << 20);
  p.truncation = from["truncation"].number();
  p.noise = from["noise"].one_of({Noise::constant, Noise::none, Noise::random});
  const ReportValue labels = from["labels"];
  using Kind = LabelPolicy::Kind;
  p.labels.kind = labels["kind"].one_of({Kind::uniform, Kind::fixed, Kind::given, Kind::in_order});
  p.labels.label = labels["label"].integer(0, classes - 1);
  for (const ReportValue& label : labels["labels"].items()) p.labels.labels.push_back(label.integer(0, classes - 1));
  p.permutations_discovery = from["permutations_discovery"].integer(0);
  p.permutations_confirmation = from["permutations_confirmation"].integer(0);
  p.alpha = from["alpha"].number();
  p.backend = from["backend"].text();
  if (const ReportValue cutoff = from["cutoff"]; !cutoff.null()) p.cutoff = cutoff.integer();
  p.criterion_expression = from["criterion_expression"].text();
  const auto optional_text = [&](const char* key) {
    const ReportValue value = from[key];
    return value.null() ? std::nullopt : std::optional(value.text());
  };
  p.classifier_digest = optional_text("classifier_digest");
  p.judge_name = optional_text("judge_name");
  p.judge_digest = optional_text("judge_digest");
  p.compiler = from["compiler"].text();
  p.command = from["command"].text();
  for (const ReportValue& option : from["method"].items())
    p.method.push_back({option["name"].text(), option["value"].text()});
  for (const ReportValue& option : from["options"].items())
    p.options.push_back({option["name"].text(), option["value"].text()});
  for (const ReportValue& property : from["properties"].items()) p.properties.push_back(property.text());
  return p;
}

}  // namespace detail::render

inline std::vector<KnownCause> known_causes(const FailureReport& report) {
  std::vector<KnownCause> causes;
  for (const Finding& finding : report.findings) {
    KnownCause cause{title_of(report, finding), finding.direction};
    if (finding.threshold.flip) cause.flip = finding.threshold.flip->sigmas;
    causes.push_back(std::move(cause));
  }
  return causes;
}

inline StoredReport parse_report(std::string_view text, std::string_view name) {
  const std::string where = "read_report(" + std::string(name) + ")";
  const nlohmann::json json = detail::parse_strict_json(text, where);
  const detail::render::ReportValue root(json, where);
  if (!json.is_object() || !json.contains("schema") || json["schema"] != FailureReport{}.schema)
    throw Error(ErrorCode::foreign_format, where,
                "this is not a report of the schema " + FailureReport{}.schema +
                    "; give the report.json of a characterisation");
  FailureReport report;  // as much of it as titles need
  report.classes = root["classes"].integer(1, std::int64_t{1} << 20);
  for (const auto& class_name : root["class_names"].items()) report.class_names.push_back(class_name.text());
  report.provenance = detail::render::read_provenance(root["provenance"], report.classes);
  for (const auto& stored : root["findings"].items()) {
    Finding& finding = report.findings.emplace_back();
    const auto direction = stored["direction"];
    finding.direction.family =
        direction["family"].one_of({DirectionFamily::property, DirectionFamily::component, DirectionFamily::channel});
    finding.direction.name = direction["name"].text();
    finding.direction.explained = direction["explained"].number();
    for (const auto& value : direction["w"].items()) finding.direction.w.push_back(value.number());
    for (const auto& value : direction["whitened"].items()) finding.direction.whitened.push_back(value.number());
    if (finding.direction.w.empty() || finding.direction.w.size() != report.findings.front().direction.w.size())
      direction["w"].refuse("must be as long as every other direction");
    if (const auto label = direction["class_label"]; !label.null())
      finding.direction.class_label = label.integer(0, report.classes - 1);
    finding.property.name = stored["property"]["name"].text();
    if (const auto flip = stored["threshold"]["flip"]; !flip.null())
      finding.threshold.flip.emplace().sigmas =
          flip["sigmas"].null() ? std::numeric_limits<double>::infinity() : flip["sigmas"].number();
  }
  return {report.provenance, report.classes, report.class_names, known_causes(report)};
}

inline StoredReport read_report(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, std::int64_t{64} << 20);
  return parse_report({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

}  // namespace v1
}  // namespace faultline
