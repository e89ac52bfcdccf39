// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The conditions of a report as a table: one row each, for spreadsheets and data frames.

#include <faultline/analysis/report.hpp>

#include <filesystem>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

/// The conditions of all lists, one row each, in the report's order, below a header line.
///
/// RFC 4180: comma, quotes where needed, CRLF line ends, UTF-8. A cell is empty where a number is not finite or was not
/// measured. docs/reference/formats.md has the columns.
[[nodiscard]] std::string directions_csv(const FailureReport& report);

/// Writes `directions_csv(report)` to a file, all or nothing. **Throws** `cannot_write`, `not_durable`.
void write_directions_csv(const FailureReport& report, const std::filesystem::path& path);

}  // namespace render

using render::write_directions_csv;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/directions_csv_impl.hpp>
#endif
