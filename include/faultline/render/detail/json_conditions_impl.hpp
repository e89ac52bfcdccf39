// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The JSON of render/conditions_report.hpp, in both directions, and its table.

#include <faultline/render/conditions_report.hpp>
#include <faultline/render/detail/described_json.hpp>
#include <faultline/render/detail/described_reader.hpp>
#include <faultline/render/detail/text.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// What does not fit together in conditions as they were read.
inline void check_conditions(const LabelledConditions& result, const detail::ReportChecks& checks) {
  checks.names(result.classes, result.class_names);
  checks.require(static_cast<std::int64_t>(result.class_rates.size()) == result.classes, "class_rates",
                 "must have an entry for each class");
  checks.require(result.property_units.empty() || result.property_units.size() == result.property_names.size(),
                 "property_units", "must be empty or have an entry for each property");
  for (std::size_t i = 0; i < result.confusion.size(); ++i)
    checks.require(result.confusion[i].answer < result.classes, detail::entry("confusion", i) + ".answer",
                   "must be a class");
  for (const auto& [list, conditions] :
       {std::pair{"conditions", &result.conditions}, std::pair{"not_confirmed", &result.not_confirmed}})
    for (std::size_t i = 0; i < conditions->size(); ++i) {
      const std::string place = detail::entry(list, i);
      checks.require(!(*conditions)[i].properties.empty(), place + ".properties", "must not be empty");
      for (std::size_t k = 0; k < (*conditions)[i].curves.size(); ++k)
        checks.require(!(*conditions)[i].curves[k].bins.empty(), detail::entry(place + ".curves", k) + ".bins",
                       "must not be empty");
    }
}

FAULTLINE_INLINE std::string to_json(const LabelledConditions& result) { return described_text(result); }

FAULTLINE_INLINE LabelledConditions parse_conditions(std::string_view text, std::string_view name) {
  const std::string where = "read_conditions(" + std::string(name) + ")";
  LabelledConditions result =
      detail::read_described<LabelledConditions>(text, where, "conditions.json of labelled images");
  check_conditions(result, {where});
  return result;
}

FAULTLINE_INLINE LabelledConditions read_conditions(const std::filesystem::path& path) {
  return parse_conditions(detail::report_text(path), path.string());
}

FAULTLINE_INLINE std::string conditions_csv(const LabelledConditions& result) {
  std::string out =
      "status,rank,name,kind,property,other_property,class,failing,share,share_lower,share_upper,p,p_adjusted,"
      "stability,sentence\r\n";
  const auto text = [](std::string_view words) { return csv_cell(valid_utf8(words)); };
  std::int64_t rank = 0;
  for (const auto* list : {&result.conditions, &result.not_confirmed})
    for (const analysis::LabelledCondition& own : *list) {
      out += std::string(own.confirmed ? "confirmed" : "not_confirmed") + "," + std::to_string(++rank) + "," +
             text(own.name) + "," + std::string(core::enumerator_of(own.kind)) + "," + text(own.properties.front()) +
             "," + (own.properties.size() > 1 ? text(own.properties[1]) : "") + "," +
             (own.class_label ? std::to_string(*own.class_label) : "") + "," +
             std::string(core::enumerator_of(own.failing));
      for (const double value : {own.share, own.share_lower, own.share_upper, own.p, own.p_adjusted, own.stability})
        out += "," + exact(value);
      out += "," + text(own.sentence) + "\r\n";
    }
  return out;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
