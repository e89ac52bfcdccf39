// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/paper/predictability.hpp.

#include <faultline/analysis/paper/predictability.hpp>

#include <faultline/analysis/confirm/auc_interval.hpp>
#include <faultline/statistics/discriminant.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/rank.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

FAULTLINE_INLINE Predictability predictability(const Matrix<float>& x, const Population& population,
                                               const Matrix<float>& fresh_x, const Population& fresh,
                                               std::int64_t classes, double alpha) {
  constexpr const char* where = "predictability";
  if (x.empty() || fresh_x.empty())
    throw Error(ErrorCode::empty_input, where, "expected at least one row and one column in each split");
  if (x.cols() != fresh_x.cols())
    throw Error(ErrorCode::shape_mismatch, where,
                "the splits have " + std::to_string(x.cols()) + " and " + std::to_string(fresh_x.cols()) + " columns");
  statistics::require_outcomes(where, x.rows(), population.label, population.failed);
  statistics::require_outcomes(where, fresh_x.rows(), fresh.label, fresh.failed);
  const ClassStandard standard(x, population.label, classes);
  const statistics::Discriminant rule =
      statistics::fit_discriminant(standard(x, population.label), population.label, population.failed,
                                   statistics::count_outcomes(population.label, population.failed, classes));
  const statistics::Strata strata = statistics::count_outcomes(fresh.label, fresh.failed, classes);
  const std::vector<double> scores =
      core::to_list(statistics::detail::product(standard(fresh_x, fresh.label), core::as_vector(rule.direction)));
  const statistics::RankTest test = statistics::stratified_auc(scores, fresh.label, fresh.failed, strata);
  if (!(strata.effective_failures > 0.0)) return {};
  const statistics::Interval interval =
      analysis::stratified_auc_interval(test.auc, scores, fresh.label, fresh.failed, strata);
  return {test.auc, interval.lower, interval.upper, test.p, test.p <= alpha};
}

}  // namespace paper
}  // namespace v1
}  // namespace faultline
