// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A PaperReport as JSON, format faultline.paper/1; docs/reference/paper.schema.json describes it.

#include <faultline/analysis/paper/paper_report.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace render {

/// The whole report as JSON, by the rules of `to_json(FailureReport)`: keys are the names of the members, in their
/// order; what is not finite is `null`. The images of corner cases are not in it; `write_corner_cases` stores them.
///
/// Example: `std::string text = to_json(analyzer.run_paper());`
[[nodiscard]] std::string to_json(const PaperReport& report);

/// Writes `to_json(report)` to a file, all or nothing. **Throws** `cannot_write`, `not_durable`.
void write_json(const PaperReport& report, const std::filesystem::path& path);

/// Reads a report that `write_json` wrote, whole but for the images of its corner cases; by the rules of `read_report`,
/// with the same errors.
///
/// Example: `PaperReport report = read_paper_report("out/paper.json");`
[[nodiscard]] PaperReport read_paper_report(const std::filesystem::path& path);

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] PaperReport parse_paper_report(std::string_view text, std::string_view name = "memory");

/// Writes the images of all corner cases as NPY, `[cases, 2, C, H, W]` float32 in [0, 1], class by class in the order
/// of the report; nothing where there is none.
///
/// **Throws** `cannot_write`, `not_durable`. Example: `write_corner_cases(report, "out/corner-cases.npy");`
void write_corner_cases(const PaperReport& report, const std::filesystem::path& path);

}  // namespace render

using render::parse_paper_report;
using render::read_paper_report;
using render::to_json;
using render::write_json;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/paper_json_impl.hpp>
#endif
