// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The JSON of render/comparison_report.hpp, in both directions.

#include <faultline/render/comparison_report.hpp>
#include <faultline/render/detail/described_json.hpp>
#include <faultline/render/detail/described_reader.hpp>

#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

/// What does not fit together in a comparison as it was read.
inline void check_comparison(const ComparisonReport& report, const detail::ReportChecks& checks) {
  checks.names(report.classes, report.class_names);
  checks.run(report.provenance);
  const auto classifiers = static_cast<std::int64_t>(report.classifiers.size());
  const auto position = [&](std::int64_t value, const std::string& place) {
    checks.require(value < classifiers, place, "must be the position of a classifier");
  };
  std::size_t size = 0;
  for (std::size_t i = 0; i < report.pairs.size(); ++i) {
    const std::string place = detail::entry("pairs", i);
    position(report.pairs[i].first, place + ".first");
    position(report.pairs[i].second, place + ".second");
    for (std::size_t k = 0; k < report.pairs[i].orders.size(); ++k) {
      const analysis::OrderedComparison& order = report.pairs[i].orders[k];
      const std::string own = detail::entry(place + ".orders", k);
      position(order.right, own + ".right");
      position(order.wrong, own + ".wrong");
      for (std::size_t d = 0; d < order.conditions.size(); ++d)
        checks.direction(order.conditions[d].finding.direction, detail::entry(own + ".conditions", d) + ".finding",
                         size);
      for (std::size_t d = 0; d < order.others.size(); ++d)
        checks.direction(order.others[d].finding.direction, detail::entry(own + ".others", d) + ".finding", size);
    }
  }
  for (std::size_t i = 0; i < report.fractions.size(); ++i)
    for (std::size_t k = 0; k < report.fractions[i].differences.size(); ++k) {
      const std::string own = detail::entry(detail::entry("fractions", i) + ".differences", k);
      position(report.fractions[i].differences[k].first, own + ".first");
      position(report.fractions[i].differences[k].second, own + ".second");
    }
  for (std::size_t i = 0; i < report.distances.size(); ++i) {
    const analysis::PairedDistance& along = report.distances[i];
    const std::string place = detail::entry("distances", i);
    if (!along.direction.w.empty()) checks.direction(along.direction, place, size);
    for (std::size_t k = 0; k < along.ratios.size(); ++k) {
      position(along.ratios[k].first, detail::entry(place + ".ratios", k) + ".first");
      position(along.ratios[k].second, detail::entry(place + ".ratios", k) + ".second");
    }
  }
  for (std::size_t i = 0; i < report.accuracy.size(); ++i) {
    const analysis::AccuracyCurve& curve = report.accuracy[i];
    checks.require(curve.bins.size() == report.accuracy.front().bins.size(), detail::entry("accuracy", i) + ".bins",
                   "must have as many entries as those of every other curve");
  }
}

FAULTLINE_INLINE std::string to_json(const ComparisonReport& report) { return described_text(report); }

FAULTLINE_INLINE ComparisonReport parse_comparison(std::string_view text, std::string_view name) {
  const std::string where = "read_comparison(" + std::string(name) + ")";
  ComparisonReport report = detail::read_described<ComparisonReport>(text, where, "comparison.json of a comparison");
  check_comparison(report, {where});
  return report;
}

FAULTLINE_INLINE ComparisonReport read_comparison(const std::filesystem::path& path) {
  return parse_comparison(detail::report_text(path), path.string());
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
