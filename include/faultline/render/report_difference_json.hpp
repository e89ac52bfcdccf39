// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A ReportDifference as JSON, format faultline.report-difference/1.

#include <faultline/analysis/compare/report_difference.hpp>

#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

/// The whole difference as JSON, by the rules of `to_json(FailureReport)`: keys are the names of the C++ members in
/// their order, an empty optional and a distance beyond the searched range is `null`.
///
/// Example: `to_json(difference_of(read_report("old/report.json"), read_report("new/report.json")))`
[[nodiscard]] std::string to_json(const ReportDifference& difference);

}  // namespace render

using render::to_json;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/report_difference_json_impl.hpp>
#endif
