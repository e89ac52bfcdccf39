// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A report.json back as the FailureReport that it was written from, to be rendered, compared or explained with.

#include <faultline/analysis/explain/explain.hpp>
#include <faultline/analysis/report.hpp>

#include <filesystem>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// The findings of a report as causes that an `Explainer` takes, in their order; titles as in the report's pages.
[[nodiscard]] std::vector<analysis::KnownCause> known_causes(const FailureReport& report);

/// Reads a report that `write_json` wrote, whole: it equals the one written.
///
/// JSON has `null` for what is not finite. In a `Crossing` it reads back as +inf (beyond the searched range), in an
/// optional as an empty one, elsewhere as NaN; bytes of texts that were not UTF-8 were replaced when it was written.
/// **Throws** `cannot_open`; `oversized` above 64 MB; `foreign_format` for another schema than faultline.report/2;
/// `malformed_header`, naming the place, for broken JSON, for keys that are missing, unknown or twice there, values of
/// another type or out of range, and parts that contradict each other (directions of different length, labels outside
/// the classes).
/// Example: `DirectionRenderer(generator, mine).write_report(read_report("old/report.json"), "new/");`
[[nodiscard]] FailureReport read_report(const std::filesystem::path& path);

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] FailureReport parse_report(std::string_view text, std::string_view name = "memory");

}  // namespace render

using render::parse_report;
using render::read_report;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/read_report_impl.hpp>
#endif
