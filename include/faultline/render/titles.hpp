// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What things of a report are called, in pages, sheets and programs alike.

#include <faultline/analysis/report.hpp>

#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

/// The name of a class, or its number where the report has no names.
[[nodiscard]] inline std::string class_name(const FailureReport& report, std::int64_t label) {
  const bool named = label >= 0 && label < static_cast<std::int64_t>(report.class_names.size()) &&
                     !report.class_names[static_cast<std::size_t>(label)].empty();
  return named ? report.class_names[static_cast<std::size_t>(label)] : std::to_string(label);
}

/// "b16.conv1:17": layer and channel of a style coordinate.
[[nodiscard]] inline std::string channel_name(const FailureReport& report, const StyleChannel& channel) {
  const bool known = channel.layer >= 0 && channel.layer < static_cast<std::int64_t>(report.layers.size());
  return (known ? report.layers[static_cast<std::size_t>(channel.layer)].name
                : "layer " + std::to_string(channel.layer)) +
         ":" + std::to_string(channel.channel);
}

/// What a reader should call a direction: a property by its name, any other by what it changes, with its own name
/// behind ("blur (component 3)"); and the class when it belongs to one.
[[nodiscard]] inline std::string title_of(const FailureReport& report, const Finding& finding) {
  const analysis::Direction& direction = finding.direction;
  std::string title = direction.name.empty() ? "unnamed direction" : direction.name;
  if (direction.family != DirectionFamily::property && !finding.property.name.empty() &&
      finding.property.name != direction.name)
    title = finding.property.name + " (" + title + ")";
  return direction.class_label ? title + ", class " + class_name(report, *direction.class_label) + " only" : title;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
