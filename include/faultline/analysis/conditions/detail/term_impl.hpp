// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/term.hpp.

#include <faultline/analysis/conditions/term.hpp>

#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/natural_spline.hpp>
#include <faultline/statistics/within_class_scores.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::int64_t column_count(const Term& term) noexcept {
  switch (term.kind) {
    case TermKind::pair: return 1;
    case TermKind::subspace: return statistics::spline_columns * term.directions.rows();
    default: return statistics::spline_columns;
  }
}

FAULTLINE_INLINE Matrix<double> term_columns(const Term& term, const ConditionSample& sample) {
  Matrix<double> columns(sample.size(), column_count(term));
  const auto put_spline = [&](std::span<const double> scores, std::int64_t first) {
    columns.middleCols(first, statistics::spline_columns) = statistics::natural_spline_columns(scores);
  };
  switch (term.kind) {
    case TermKind::value: put_spline(sample.scores.row_span(term.property), 0); break;
    case TermKind::projection: put_spline(sample.projections.row_span(term.property), 0); break;
    case TermKind::pair:
      for (std::int64_t i = 0; i < sample.size(); ++i)
        columns(i, 0) = sample.scores(term.property, i) * sample.scores(term.other, i);
      break;
    case TermKind::direction:
    case TermKind::subspace:
      for (std::int64_t m = 0; m < term.directions.rows(); ++m) {
        const std::vector<double> along =
            core::to_list(statistics::detail::product(sample.whitened, core::as_vector(term.directions.row_span(m))));
        put_spline(statistics::within_class_scores(along, sample.label, sample.classes),
                   m * statistics::spline_columns);
      }
      break;
  }
  if (term.class_label)
    for (std::int64_t i = 0; i < sample.size(); ++i)
      if (sample.label[static_cast<std::size_t>(i)] != *term.class_label) std::ranges::fill(columns.row_span(i), 0.0);
  return columns;
}

FAULTLINE_INLINE Matrix<double> design(std::span<const Term> terms, const ConditionSample& sample) {
  std::int64_t width = 0;
  for (const Term& term : terms) width += column_count(term);
  Matrix<double> columns(sample.size(), width);
  std::int64_t first = 0;
  for (const Term& term : terms) {
    columns.middleCols(first, column_count(term)) = term_columns(term, sample);
    first += column_count(term);
  }
  return columns;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
