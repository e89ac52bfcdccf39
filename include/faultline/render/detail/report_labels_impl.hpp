// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/report_labels.hpp.

#include <faultline/render/report_labels.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string class_name(const FailureReport& report, std::int64_t label) {
  const bool named = label >= 0 && label < static_cast<std::int64_t>(report.class_names.size()) &&
                     !report.class_names[static_cast<std::size_t>(label)].empty();
  if (named) return report.class_names[static_cast<std::size_t>(label)];
  return report.classes > 0 && label >= report.classes ? "none" : std::to_string(label);
}

FAULTLINE_INLINE std::string channel_name(const FailureReport& report, const StyleChannel& channel) {
  const bool known = channel.layer >= 0 && channel.layer < static_cast<std::int64_t>(report.layers.size());
  return (known ? report.layers[static_cast<std::size_t>(channel.layer)].name
                : "layer " + std::to_string(channel.layer)) +
         ":" + std::to_string(channel.channel);
}

FAULTLINE_INLINE std::string title_of(const FailureReport& report, const Finding& finding) {
  const std::string& title = finding.title.empty() ? finding.direction.name : finding.title;
  if (title.empty()) return "unnamed direction";
  if (!finding.condition.class_label) return title;
  const std::string number = " in class " + std::to_string(*finding.condition.class_label);
  const std::size_t at = title.rfind(number);
  if (at == std::string::npos) return title;
  return title.substr(0, at) + " in class " + class_name(report, *finding.condition.class_label) +
         title.substr(at + number.size());
}

FAULTLINE_INLINE std::string unit_of(const FailureReport& report, const std::string& property) {
  for (std::size_t k = 0; k < std::min(report.property_names.size(), report.property_units.size()); ++k)
    if (report.property_names[k] == property) return report.property_units[k];
  return {};
}

FAULTLINE_INLINE std::string headline_of(const FailureReport& report, const Finding& finding) {
  const std::string title = title_of(report, finding);
  if (finding.title.empty() || title == finding.title) return finding.headline;
  std::string text;
  std::size_t from = 0;
  for (std::size_t at = 0; (at = finding.headline.find(finding.title, from)) != std::string::npos;
       from = at + finding.title.size())
    text += finding.headline.substr(from, at - from) + title;
  return text + finding.headline.substr(from);
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
