// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A FailureReport as JSON, format faultline.report/2; docs/reference/report.schema.json describes it.

#include <faultline/analysis/report.hpp>

#include <filesystem>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

/// The whole report as JSON. Keys are the names of the C++ members, in their order; enumerations are their enumerators'
/// names; an empty optional and any number that is not finite (a distance beyond the searched range) is `null`; texts
/// that are not UTF-8 have the strange bytes replaced.
///
/// The same report gives the same bytes, whatever the locale. Numbers read back exactly.
/// Example: `std::string text = to_json(characterize(generator, classifier));`
[[nodiscard]] std::string to_json(const FailureReport& report);

/// Writes `to_json(report)` to a file, all or nothing. **Throws** `cannot_write`, `not_durable`.
///
/// Example: `write_json(report, "out/report.json");`
void write_json(const FailureReport& report, const std::filesystem::path& path);

}  // namespace render

using render::to_json;
using render::write_json;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/json_report_impl.hpp>
#endif
