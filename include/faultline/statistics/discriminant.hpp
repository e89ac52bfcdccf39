// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is failure systematic at all? One linear rule fitted on one half and tested on the other: the ceiling of any ranking
// by linear directions (method section 5.2).

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/rank.hpp>
#include <faultline/statistics/stratified.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// A linear rule: v·w̃ is large where failure is likely.
struct Discriminant {
  std::vector<double> direction;  ///< `[r]`, unit length, towards failure; zeros when no class is used
  double ridge = 0.0;             ///< the amount that was added to the covariance
};

/// Squared Mahalanobis distance between failures and successes with its upward bias removed: what all linear directions
/// together can explain.
///
/// **Formula**: d² = max(0, ‖Δ‖² − r / n_eff) for the stratified difference Δ `[r]` in whitened coordinates; without
/// any effect ‖Δ‖² is r / n_eff on average. The share of a direction is (v·Δ)² over it.
[[nodiscard]] inline double mahalanobis_squared(std::span<const double> difference,
                                                double effective_failures) noexcept {
  if (!(effective_failures > 0.0)) return 0.0;
  return std::max(
      0.0, core::as_vector(difference).squaredNorm() - static_cast<double>(difference.size()) / effective_failures);
}

/// Fits the discriminant to whitened samples.
///
/// **Shapes**: whitened `[N, r]`, labels and failed `[N]`.
/// **Formula**: v ∝ (S + λ I)⁻¹ Δ, Δ the stratified difference, S the covariance within class and outcome of the
/// classes used (Friedman 1989), λ = r / n_eff: the expected squared length of Δ from noise alone, in the unit variance
/// of whitened coordinates, so the fewer failures, the less is trusted to small differences of variance.
/// **Throws** `shape_mismatch`, `label_out_of_range`. **Cost**: N r² + r³ / 3.
[[nodiscard]] inline Discriminant fit_discriminant(const Matrix<double>& whitened, std::span<const std::int64_t> labels,
                                                   std::span<const std::uint8_t> failed, const Strata& strata) {
  require_outcomes("fit_discriminant", whitened.rows(), labels, failed);
  const std::int64_t r = whitened.cols();
  Discriminant rule{std::vector<double>(static_cast<std::size_t>(r), 0.0), 0.0};
  const std::vector<double> difference = stratified_difference(whitened, labels, failed, strata);
  if (!(strata.effective_failures > 0.0) || r == 0) return rule;

  const std::vector<std::int64_t> group = outcome_groups(labels, failed, strata);
  const GroupMeans means = group_means("fit_discriminant", whitened, group, 2 * strata.classes());
  rule.ridge = static_cast<double>(r) / strata.effective_failures;
  Eigen::MatrixXd covariance = within_covariance(whitened, group, means);
  covariance.diagonal().array() += rule.ridge;
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  if (factor.info() != Eigen::Success || !covariance.allFinite())
    throw Error(ErrorCode::degenerate_statistics, "fit_discriminant",
                "the covariance within classes is not positive definite; are all coordinates finite?");
  Eigen::VectorXd direction = core::as_vector(difference);
  factor.solveInPlace(direction);
  rule.direction = core::to_list(direction.normalized());
  return rule;
}

/// Projects samples on the rule and tests whether failures score higher, within classes: an AUC and its one-sided
/// p-value (see `stratified_auc` for its error rate).
///
/// The p-value is valid only on samples the rule was not fitted to.
/// **Throws** `shape_mismatch`, `label_out_of_range`.
/// Example: `RankTest omnibus = test_discriminant(fit_discriminant(x, y.label, y.failed, s), x2, y2.label, y2.failed,
/// s2);`
[[nodiscard]] inline RankTest test_discriminant(const Discriminant& rule, const Matrix<double>& whitened,
                                                std::span<const std::int64_t> labels,
                                                std::span<const std::uint8_t> failed, const Strata& strata) {
  if (static_cast<std::int64_t>(rule.direction.size()) != whitened.cols())
    throw Error(ErrorCode::shape_mismatch, "test_discriminant",
                "expected coordinates of dimension " + std::to_string(rule.direction.size()));
  const std::vector<double> scores = core::to_list(whitened * core::as_vector(rule.direction));
  return stratified_auc(scores, labels, failed, strata);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
