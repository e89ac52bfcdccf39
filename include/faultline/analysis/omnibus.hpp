// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The omnibus test: can failure be predicted from w at all? One linear rule, fitted on discovery, tested once on confirmation (method section 5.2).

#include <faultline/analysis/candidates.hpp>
#include <faultline/analysis/detail/auc_interval.hpp>
#include <faultline/statistics/detail/dense.hpp>
#include <faultline/statistics/rank.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace detail {

/// Ridge discriminant in whitened coordinates: (S + λ I)^-1 difference, S the covariance within classes and outcomes, λ = r / N of its mean eigenvalue.
[[nodiscard]] inline std::vector<double> ridge_discriminant(const Matrix<double>& whitened, std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed, const Strata& strata) {
  const std::int64_t r = whitened.cols();
  const std::int64_t groups = 2 * strata.classes();
  Matrix<double> means(groups, r);
  std::vector<double> counts(static_cast<std::size_t>(groups), 0.0);
  const auto group_of = [&](std::int64_t i) { return 2 * labels[static_cast<std::size_t>(i)] + (failed[static_cast<std::size_t>(i)] != 0 ? 1 : 0); };
  for (std::int64_t i = 0; i < whitened.rows(); ++i) {
    counts[static_cast<std::size_t>(group_of(i))] += 1.0;
    for (std::int64_t j = 0; j < r; ++j) means(group_of(i), j) += whitened(i, j);
  }
  Matrix<double> centred = whitened;
  for (std::int64_t i = 0; i < whitened.rows(); ++i) {
    for (std::int64_t j = 0; j < r; ++j) centred(i, j) -= means(group_of(i), j) / counts[static_cast<std::size_t>(group_of(i))];
  }
  Matrix<double> covariance = transposed_multiply(centred, centred);
  double trace = 0.0;
  for (double& value : covariance.values()) value /= static_cast<double>(whitened.rows());
  for (std::int64_t j = 0; j < r; ++j) trace += covariance(j, j);
  const double ridge = trace / static_cast<double>(whitened.rows());  // r / N of the mean eigenvalue trace / r
  for (std::int64_t j = 0; j < r; ++j) covariance(j, j) += ridge;
  const Matrix<double> inverse = spectral_function(symmetric_eigen(covariance), 1e-12, [](double value) { return 1.0 / value; });
  const auto difference = stratified_difference(whitened, labels, failed, strata);
  std::vector<double> rule(static_cast<std::size_t>(r));
  for (std::int64_t j = 0; j < r; ++j) rule[static_cast<std::size_t>(j)] = dot(inverse.row(j), difference);
  return rule;
}

}  // namespace detail

/// How well one linear rule in w, fitted on discovery, ranks failures above successes on confirmation, within classes: the ceiling of any linear ranking.
///
/// **Shapes**: both halves in the coordinates fitted on discovery, `[N, r]`. **Formula**: ridge discriminant; stratified AUC with DeLong's 95 % interval; one-sided p.
/// **Error rate**: `significant` (p ≤ alpha) occurs with probability about alpha when failure cannot be predicted; it decides no verdict. **Cost**: N r² multiplications.
[[nodiscard]] inline Omnibus test_omnibus(const Problem& problem, const Matrix<double>& whitened, const Strata& strata, const Matrix<double>& fresh_whitened, const Strata& fresh_strata,
                                          double alpha) {
  const auto rule = detail::ridge_discriminant(whitened, problem.discovery.label, problem.discovery.failed, strata);
  const auto scores = coordinate(fresh_whitened, rule);
  const RankTest test = stratified_auc(scores, problem.confirmation.label, problem.confirmation.failed, fresh_strata);
  const Interval interval = detail::stratified_auc_interval(test.auc, scores, problem.confirmation.label, problem.confirmation.failed, fresh_strata);
  return {test.auc, interval.lower, interval.upper, test.p, test.p <= alpha};
}

}  // namespace v1
}  // namespace faultline
