// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The report as one HTML page that needs nothing else: pictures and charts are inside, there is no script and no
// request.

#include <faultline/analysis/report.hpp>
#include <faultline/render/render_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// A PNG picture for the page. The names that the page looks for: "degradation", "finding-1", "finding-1-classes",
/// "finding-2", ..., "paper-top", "failures".
struct ReportPicture {
  std::string name;
  std::string alt;  ///< what it shows, in words
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::byte> png;
};

/// The page, self-contained UTF-8 HTML5: verdict first, then the evidence, then how to repeat it and what the words
/// mean.
///
/// Every text of the report is escaped, and a content security policy in the page forbids scripts and requests, so that
/// a name cannot smuggle in either. Pictures that are missing are left out. Same arguments, same bytes.
/// Example: `std::string page = html_report(report, {}, {.title = "Release 4.2"});`
[[nodiscard]] std::string html_report(const FailureReport& report, const std::vector<ReportPicture>& pictures,
                                      const RenderOptions& options = {});

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/html_report_impl.hpp>
#endif
