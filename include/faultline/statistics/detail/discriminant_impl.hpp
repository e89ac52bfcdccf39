// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/discriminant.hpp.

#include <faultline/statistics/discriminant.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE double mahalanobis_squared(std::span<const double> difference, double effective_failures) noexcept {
  if (!(effective_failures > 0.0)) return 0.0;
  return std::max(
      0.0, core::as_vector(difference).squaredNorm() - static_cast<double>(difference.size()) / effective_failures);
}

FAULTLINE_INLINE Discriminant fit_discriminant(const Matrix<double>& whitened, std::span<const std::int64_t> labels,
                                               std::span<const std::uint8_t> failed, const Strata& strata) {
  require_outcomes("fit_discriminant", whitened.rows(), labels, failed);
  const std::int64_t r = whitened.cols();
  Discriminant rule{std::vector<double>(static_cast<std::size_t>(r), 0.0), 0.0};
  const std::vector<double> difference = stratified_difference(whitened, labels, failed, strata);
  if (!(strata.effective_failures > 0.0) || r == 0) return rule;

  const std::vector<std::int64_t> group = outcome_groups(labels, failed, strata);
  const GroupMeans means = group_means("fit_discriminant", whitened, group, 2 * strata.classes());
  rule.ridge = static_cast<double>(r) / strata.effective_failures;
  Matrix<double> covariance = within_covariance(whitened, group, means);
  detail::add_to_diagonal(covariance, rule.ridge);
  const Eigen::VectorXd direction = detail::solve_symmetric(covariance, core::as_vector(difference));
  if (!covariance.allFinite() || !(direction.dot(core::as_vector(difference)) >= 0.0))
    throw Error(ErrorCode::degenerate_statistics, "fit_discriminant",
                "the covariance within classes is not positive definite; are all coordinates finite?");
  rule.direction = core::to_list(direction.normalized());
  return rule;
}

FAULTLINE_INLINE RankTest test_discriminant(const Discriminant& rule, const Matrix<double>& whitened,
                                            std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed,
                                            const Strata& strata) {
  if (static_cast<std::int64_t>(rule.direction.size()) != whitened.cols())
    throw Error(ErrorCode::shape_mismatch, "test_discriminant",
                "expected coordinates of dimension " + std::to_string(rule.direction.size()));
  const std::vector<double> scores = core::to_list(detail::product(whitened, core::as_vector(rule.direction)));
  return stratified_auc(scores, labels, failed, strata);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
