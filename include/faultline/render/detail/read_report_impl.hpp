// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/read_report.hpp.

#include <faultline/render/read_report.hpp>

#include <faultline/render/detail/described_reader.hpp>
#include <faultline/render/report_labels.hpp>

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
  directions(report.undecided, "undecided");
  directions(report.not_movable, "not_movable");
  directions(report.generators, "generators");
  checks.require(report.property_units.empty() || report.property_units.size() == report.property_names.size(),
                 "property_units", "must be empty or have an entry for each property");
  const auto table = [&](const analysis::CountTable& counts, const std::string& place) {
    for (const auto& row : counts.counts)
      checks.require(row.size() == counts.counts.front().size(), place + ".counts", "must have rows of one length");
  };
  table(report.confusion, "confusion");
  checks.require(report.confusion.rows() == 0 || report.confusion.rows() == report.classes, "confusion.counts",
                 "must have a row for every class");
  for (std::size_t i = 0; i < report.interactions.size(); ++i) {
    const analysis::InteractionFinding& own = report.interactions[i];
    const std::string place = entry("interactions", i);
    checks.require(own.units.empty() || own.units.size() == own.properties.size(), place + ".units",
                   "must be empty or have an entry for each property");
    table(own.failures, place + ".failures");
    table(own.samples, place + ".samples");
    const auto rows = own.first_edges.empty() ? 0 : static_cast<std::int64_t>(own.first_edges.size()) - 1,
               cols = own.second_edges.empty() ? 0 : static_cast<std::int64_t>(own.second_edges.size()) - 1;
    if (own.failures.rows() == 0 && own.samples.rows() == 0) continue;  // no map
    for (const auto& [counts, name] : {std::pair{&own.failures, ".failures"}, std::pair{&own.samples, ".samples"}})
      checks.require(counts->rows() > 0 && counts->rows() == rows && counts->cols() == cols, place + name,
                     "must fit the edges of the map");
  }
}

}  // namespace detail

FAULTLINE_INLINE std::vector<analysis::KnownCause> known_causes(const FailureReport& report) {
  std::vector<analysis::KnownCause> causes;
  for (const Finding& finding : report.findings) {
    if (finding.direction.w.empty()) continue;
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
