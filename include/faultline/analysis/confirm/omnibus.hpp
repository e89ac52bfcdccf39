// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The omnibus test: can failure be predicted from w at all? One linear rule, fitted on discovery, tested once on
// confirmation (method section 5.2).

#include <faultline/analysis/conditions/candidates.hpp>
#include <faultline/analysis/confirm/auc_interval.hpp>
#include <faultline/statistics/discriminant.hpp>
#include <faultline/statistics/rank.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How well one linear rule in w, fitted on discovery, ranks failures above successes on confirmation, within classes:
/// the ceiling of any linear ranking.
///
/// **Shapes**: both halves in the coordinates fitted on discovery, `[N, r]`. **Formula**: ridge discriminant
/// (`fit_discriminant`); stratified AUC with DeLong's 95 % interval; one-sided p.
/// **Error rate**: `significant` (p ≤ alpha) occurs with probability about alpha when failure cannot be predicted; it
/// decides no verdict. **Cost**: N r² multiplications.
[[nodiscard]] inline Omnibus test_omnibus(const Problem& problem, const Matrix<double>& whitened,
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
