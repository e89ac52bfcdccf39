// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What failures on labelled images go with, as JSON, format faultline.conditions/1
// (docs/reference/conditions.schema.json describes it), as a table, and as one HTML page that needs nothing else.

#include <faultline/analysis/describe/response_curve.hpp>
#include <faultline/analysis/labelled_conditions.hpp>
#include <faultline/render/drawing.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace render {

/// The whole result as JSON, by the rules of `to_json(FailureReport)`: keys are the names of the C++ members in their
/// order, an empty optional and any number that is not finite is `null`.
///
/// Example: `std::string text = to_json(find_labelled_conditions(table));`
[[nodiscard]] std::string to_json(const LabelledConditions& result);

/// Reads what `write_conditions` wrote, whole; by the rules of `read_report`, with the same errors.
///
/// Example: `std::string page = html_conditions(read_conditions("out/conditions.json"));`
[[nodiscard]] LabelledConditions read_conditions(const std::filesystem::path& path);

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] LabelledConditions parse_conditions(std::string_view text, std::string_view name = "memory");

/// All conditions that were tested, one row each below a header line, those that held first.
///
/// RFC 4180: comma, quotes where needed, CRLF line ends, UTF-8. docs/reference/formats.md has the columns.
[[nodiscard]] std::string conditions_csv(const LabelledConditions& result);

/// Failure rate with its intervals against a property, in its unit: curves of one property on one axis, at most four.
///
/// A point lies at the median of its bin. `legend` names the curves; empty: by `among`. With one curve a dashed line
/// is its adjusted rates or, where it has none, the rate of all its samples. The open ends of the outer bins
/// are cut.
/// **Throws** `invalid_argument` without a curve, with more than four, and for a curve without samples.
/// Example: `write_drawing(response_figure(check.curves), "out/blur");`
[[nodiscard]] Drawing response_figure(std::span<const ResponseCurve> curves, std::span<const std::string> legend = {});

/// The page, self-contained UTF-8 HTML5: what failures go with, each with its curve, rates per class, what took no
/// part, and what the words mean.
///
/// Every text is escaped; scripts and requests are forbidden by the page itself. `title` empty: "Conditions of
/// failure". Same arguments, same bytes. **Throws** what `response_figure` throws.
[[nodiscard]] std::string html_conditions(const LabelledConditions& result, const std::string& title = {});

/// Writes `conditions.json`, `conditions.csv` and then `conditions.html` below a folder, which is created where it is
/// missing; each file all or nothing.
///
/// **Throws** `cannot_write`, `not_durable`. Example: `write_conditions(result, "out");`
void write_conditions(const LabelledConditions& result, const std::filesystem::path& directory,
                      const std::string& title = {});

}  // namespace render

using render::html_conditions;
using render::parse_conditions;
using render::read_conditions;
using render::write_conditions;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/html_conditions_impl.hpp>
#include <faultline/render/detail/json_conditions_impl.hpp>
#include <faultline/render/detail/response_figure_impl.hpp>
#endif
