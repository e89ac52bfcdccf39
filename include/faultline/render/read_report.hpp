// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Reading back from report.json what explaining an image needs: the causes that were found, and on which samples.

#include <faultline/analysis/explain/explain.hpp>
#include <faultline/analysis/report.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {

/// The part of a stored report that is read back.
struct StoredReport {
  /// Samples are drawn again from its seed, labels, truncation, noise and batch size
  Provenance provenance;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;
  /// Its findings, in the report's order; titles as in the report's pages
  std::vector<KnownCause> causes;
};

/// The causes of a report in memory, as `read_report` gives them.
[[nodiscard]] std::vector<KnownCause> known_causes(const FailureReport& report);

/// Reads a report that `write_json` wrote.
///
/// **Throws** `cannot_open`; `oversized` above 64 MB; `foreign_format` for another schema than faultline.report/1;
/// `malformed_header` for broken JSON, and for keys that are missing, have another type, or contradict each other
/// (directions of different length, labels outside the classes).
/// Example: `StoredReport report = read_report("out/report.json");`
[[nodiscard]] StoredReport read_report(const std::filesystem::path& path);

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] StoredReport parse_report(std::string_view text, std::string_view name = "memory");

}  // namespace v1
}  // namespace faultline

#include <faultline/render/detail/read_report_impl.hpp>
