// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A ComparisonReport as JSON, format faultline.comparison/2 (docs/reference/comparison.schema.json describes it),
// and as one HTML page that needs nothing else.

#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/render/drawing.hpp>
#include <faultline/render/render_options.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace render {

/// The whole comparison as JSON, by the rules of `to_json(FailureReport)`: keys are the names of the C++ members in
/// their order, an empty optional and any number that is not finite is `null`.
///
/// Example: `std::string text = to_json(compare(generator, classifiers));`
[[nodiscard]] std::string to_json(const ComparisonReport& report);

/// Reads a comparison that `write_comparison` wrote, whole; by the rules of `read_report`, with the same errors. In a
/// `ComparedDistance`, a `DistanceRatio` and an `AccuracyBin`, `null` is +inf.
///
/// Example: `std::string page = html_comparison(read_comparison("out/comparison.json"));`
[[nodiscard]] ComparisonReport read_comparison(const std::filesystem::path& path);

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] ComparisonReport parse_comparison(std::string_view text, std::string_view name = "memory");

/// Share of the failures of every classifier that would not occur without each cause; empty without causes.
[[nodiscard]] std::optional<Drawing> paired_fraction_chart(const ComparisonReport& report);

/// Distances of all classifiers along every direction; empty without distances.
[[nodiscard]] std::optional<Drawing> paired_distance_chart(const ComparisonReport& report);

/// Accuracy of all classifiers over all classes against distance from the well-classified centre; empty without
/// curves.
[[nodiscard]] std::optional<Drawing> accuracy_chart(const ComparisonReport& report);

/// The page, self-contained UTF-8 HTML5: who fails how often, which of two fails more often and on what one is right
/// and the other wrong (the first screen), how many failures each would be rid of without a cause, how much each
/// withstands, and what the words mean.
///
/// Every text of the report is escaped; scripts and requests are forbidden by the page itself. Of the options, `title`
/// and `command` are used. Same arguments, same bytes.
/// Example: `std::string page = html_comparison(report, {.title = "Release 4.2 against 4.1"});`
[[nodiscard]] std::string html_comparison(const ComparisonReport& report, const RenderOptions& options = {});

/// Writes `comparison.json` and then `comparison.html` below a folder, which is created where it is missing; each file
/// all or nothing.
///
/// **Throws** `cannot_write`, `not_durable`. Example: `write_comparison(report, "out");`
void write_comparison(const ComparisonReport& report, const std::filesystem::path& directory,
                      const RenderOptions& options = {});

}  // namespace render

using render::parse_comparison;
using render::read_comparison;
using render::to_json;
using render::write_comparison;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/html_comparison_impl.hpp>
#include <faultline/render/detail/json_comparison_impl.hpp>
#endif
