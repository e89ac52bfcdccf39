// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The report as one HTML page that needs nothing else: pictures and charts are inside, there is no script and no
// request.

#include <faultline/analysis/report.hpp>
#include <faultline/render/render_options.hpp>
#include <faultline/render/report_picture.hpp>
#include <faultline/render/sweep.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// The page, self-contained UTF-8 HTML5: verdict first, then the evidence, then how to repeat it and what the words
/// mean.
///
/// Every text of the report is escaped, and a content security policy in the page forbids scripts and requests, so that
/// a name cannot smuggle in either. Pictures and sweeps that are missing are left out. The slider of a sweep is made of
/// radio buttons and style rules; printed, the page has the sheet with the same images instead. Same arguments, same
/// bytes. Example: `std::string page = html_report(report, {}, {.title = "Release 4.2"});`
[[nodiscard]] std::string html_report(const FailureReport& report, const std::vector<ReportPicture>& pictures,
                                      const RenderOptions& options = {}, const std::vector<Sweep>& sweeps = {});

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/html_report_impl.hpp>
#endif
