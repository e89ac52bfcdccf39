// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/omnibus.hpp.

#include <faultline/analysis/confirm/omnibus.hpp>

#include <faultline/analysis/conditions/candidates.hpp>
#include <faultline/analysis/confirm/auc_interval.hpp>
#include <faultline/statistics/discriminant.hpp>
#include <faultline/statistics/rank.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE Omnibus test_omnibus(const Problem& problem, const Matrix<double>& whitened,
                                      const statistics::Strata& strata, const Matrix<double>& fresh_whitened,
                                      const statistics::Strata& fresh_strata, double alpha) {
  const statistics::Discriminant rule =
      statistics::fit_discriminant(whitened, problem.discovery.label, problem.discovery.failed, strata);
  const auto scores = coordinate(fresh_whitened, rule.direction);
  const statistics::RankTest test =
      statistics::stratified_auc(scores, problem.confirmation.label, problem.confirmation.failed, fresh_strata);
  const statistics::Interval interval =
      stratified_auc_interval(test.auc, scores, problem.confirmation.label, problem.confirmation.failed, fresh_strata);
  return {test.auc, interval.lower, interval.upper, test.p, test.p <= alpha};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
