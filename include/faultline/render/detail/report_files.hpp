// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Writes the files of a report as one: when one of them cannot be written, those that this call has added go again.

#include <faultline/analysis/report.hpp>
#include <faultline/render/detail/report_sheets.hpp>
#include <faultline/render/render_options.hpp>
#include <faultline/render/sweep.hpp>

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Path below the report's folder, and contents.
struct ReportFile {
  std::filesystem::path name;
  std::vector<std::byte> bytes;
};

std::vector<std::byte> bytes_of(std::string_view text);

/// Every file of a report, `report.html` last: where it is, the report is complete.
std::vector<ReportFile> report_files(const FailureReport& report, const std::vector<NamedSheet>& sheets,
                                     const RenderOptions& options, const std::vector<Sweep>& sweeps = {});

/// Writes the files below `directory`, creating folders as needed, and removes pictures of an earlier report that this
/// one does not have.
void write_report_files(const std::vector<ReportFile>& files, const std::filesystem::path& directory);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/report_files_impl.hpp>
#endif
