// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/edit_comparisons.hpp.

#include <faultline/analysis/confirm/edit_comparisons.hpp>

#include <faultline/core/matrix.hpp>
#include <faultline/statistics/decompositions.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<EditComparison> comparisons_of(const ConditionEdit& edit) {
  const std::int64_t rows = edit.steps.rows();
  const auto along = [&](std::int64_t m, double amount) {
    std::vector<double> amounts(static_cast<std::size_t>(rows), 0.0);
    amounts[static_cast<std::size_t>(m)] = amount;
    return amounts;
  };
  const auto both_ends = [&](std::int64_t m, double side) -> EditComparison {
    return {{{along(m, 2.0), {}, 0.5 * side}, {along(m, -2.0), {}, 0.5 * side}, {{}, {}, -side}}};
  };
  switch (edit.shape) {
    case ConditionShape::pair: {
      if (rows != 2) return {both_ends(0, 1.0)};
      EditComparison corners;
      for (const double a : {1.4, -1.4})
        for (const double b : {1.4, -1.4})
          corners.parts.push_back({{a, b}, {}, (a * b > 0.0 ? 0.5 : -0.5) * edit.sign});
      return {corners};
    }
    case ConditionShape::subspace: {
      std::vector<EditComparison> list;
      for (std::int64_t m = 0; m < rows; ++m) {
        list.push_back(both_ends(m, 1.0));
        list.push_back(both_ends(m, -1.0));
      }
      return list;
    }
    case ConditionShape::two_sided: return {both_ends(0, 1.0)};
    case ConditionShape::band: return {{{{{}, edit.worst, 1.0}, {{}, edit.best, -1.0}}}};
    case ConditionShape::one_sided: break;
  }
  const auto side = static_cast<double>(edit.sign);
  return {{{{along(0, 2.0), {}, side}, {along(0, -2.0), {}, -side}}}};
}

FAULTLINE_INLINE Edit edit_of(const EditComparison::Part& part, const ConditionEdit& edit, double now) {
  if (part.level)
    return Edit::in_w(edit.steps.row_span(0),
                      (*part.level - now) / core::dot(edit.directions.row_span(0), edit.reading_vectors.row_span(0)));
  if (part.amounts.empty()) return {};
  std::vector<double> sum(static_cast<std::size_t>(edit.steps.cols()), 0.0);
  for (std::size_t m = 0; m < part.amounts.size(); ++m)
    statistics::detail::add_scaled(sum, part.amounts[m], edit.steps.row_span(static_cast<std::int64_t>(m)));
  return Edit::in_w(sum);
}

FAULTLINE_INLINE double first_projection(const ConditionEdit& edit, const statistics::Whitening& whitening,
                                         const StartLatent& start) {
  Matrix<float> row(1, static_cast<std::int64_t>(start.w.size()));
  std::copy(start.w.begin(), start.w.end(), row.data());
  const Matrix<double> whitened = statistics::whiten(whitening, row, std::span(&start.label, 1));
  return core::dot(edit.reading_vectors.row_span(0), whitened.row_span(0));
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
