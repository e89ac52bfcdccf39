// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What things of a report are called, in pages, sheets and programs alike.

#include <faultline/analysis/report.hpp>
#include <faultline/concepts/style_layout.hpp>

#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

/// The name of a class, or its number where the report has no names; "none" for an answer that is none of its classes.
[[nodiscard]] std::string class_name(const FailureReport& report, std::int64_t label);

/// "b16.conv1:17": layer and channel of a style coordinate.
[[nodiscard]] std::string channel_name(const FailureReport& report, const StyleChannel& channel);

/// What a reader should call a condition: its title, with the class by its name.
[[nodiscard]] std::string title_of(const FailureReport& report, const Finding& finding);

/// Unit of a property of the report; empty where it has none or is not the report's.
[[nodiscard]] std::string unit_of(const FailureReport& report, const std::string& property);

/// Its sentence, with the class by its name as in the title.
[[nodiscard]] std::string headline_of(const FailureReport& report, const Finding& finding);

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/report_labels_impl.hpp>
#endif
