// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/read_report.hpp.

#include <faultline/render/read_report.hpp>

#include <faultline/render/detail/described_reader.hpp>
#include <faultline/render/titles.hpp>

#include <cstddef>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// What does not fit together in a report as it was read.
inline void check_report(const FailureReport& report, const ReportChecks& checks) {
  checks.names(report.classes, report.class_names);
  checks.run(report.provenance);
  std::size_t size = 0;
  const auto directions = [&](const std::vector<Finding>& findings, const char* list) {
    for (std::size_t i = 0; i < findings.size(); ++i) checks.direction(findings[i].direction, entry(list, i), size);
  };
  directions(report.findings, "findings");
  directions(report.associated, "associated");
  directions(report.generator_suspect, "generator_suspect");
}

}  // namespace detail

FAULTLINE_INLINE std::vector<analysis::KnownCause> known_causes(const FailureReport& report) {
  std::vector<analysis::KnownCause> causes;
  for (const Finding& finding : report.findings) {
    analysis::KnownCause cause{title_of(report, finding), finding.direction};
    if (finding.threshold.flip) cause.flip = finding.threshold.flip->sigmas;
    causes.push_back(std::move(cause));
  }
  return causes;
}

FAULTLINE_INLINE FailureReport parse_report(std::string_view text, std::string_view name) {
  const std::string where = "read_report(" + std::string(name) + ")";
  auto report = detail::read_described<FailureReport>(text, where, "report.json of a characterisation");
  detail::check_report(report, {where});
  return report;
}

FAULTLINE_INLINE FailureReport read_report(const std::filesystem::path& path) {
  return parse_report(detail::report_text(path), path.string());
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
