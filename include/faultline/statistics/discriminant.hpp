// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is failure systematic at all? One linear rule fitted on one half and tested on the other: the ceiling of any ranking
// by linear directions (method section 5.2).

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/detail/cholesky.hpp>
#include <faultline/statistics/detail/dense.hpp>
#include <faultline/statistics/rank.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

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
  double square = 0.0;
  for (const double value : difference) square += value * value;
  return std::max(0.0, square - static_cast<double>(difference.size()) / effective_failures);
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
  detail::require_outcomes("fit_discriminant", whitened.rows(), labels, failed);
  const std::int64_t r = whitened.cols();
  Discriminant rule{std::vector<double>(static_cast<std::size_t>(r), 0.0), 0.0};
  const std::vector<double> difference = stratified_difference(whitened, labels, failed, strata);
  if (!(strata.effective_failures > 0.0) || r == 0) return rule;

  Matrix<double> means(2 * strata.classes(), r);
  const auto group = [&](std::int64_t i) {
    return 2 * labels[static_cast<std::size_t>(i)] + (failed[static_cast<std::size_t>(i)] != 0 ? 0 : 1);
  };
  for (std::int64_t i = 0; i < whitened.rows(); ++i) {
    const std::int64_t g = group(i);
    const auto count = static_cast<double>(g % 2 == 0 ? strata.failures[static_cast<std::size_t>(g / 2)]
                                                      : strata.successes[static_cast<std::size_t>(g / 2)]);
    for (std::int64_t j = 0; j < r; ++j) means(g, j) += whitened(i, j) / std::max(1.0, count);
  }
  Matrix<double> covariance(r, r);
  double freedom = 0.0;
  constexpr std::int64_t block = 2048;
  for (std::int64_t first = 0; first < whitened.rows(); first += block) {
    Matrix<double> centred(std::min(block, whitened.rows() - first), r);
    for (std::int64_t i = 0; i < centred.rows(); ++i) {
      if (!strata.uses(labels[static_cast<std::size_t>(first + i)])) continue;
      freedom += 1.0;
      for (std::int64_t j = 0; j < r; ++j) centred(i, j) = whitened(first + i, j) - means(group(first + i), j);
    }
    detail::add_gram(centred, covariance);
  }
  for (const double weight : strata.weights) freedom -= weight > 0.0 ? 2.0 : 0.0;
  rule.ridge = static_cast<double>(r) / strata.effective_failures;
  for (double& value : covariance.values()) value /= std::max(1.0, freedom);
  for (std::int64_t j = 0; j < r; ++j) covariance(j, j) += rule.ridge;

  rule.direction = detail::solve_positive(std::move(covariance), difference);
  const double square = detail::dot(rule.direction, rule.direction);
  for (double& value : rule.direction) value = square > 0.0 ? value / std::sqrt(square) : 0.0;
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
  std::vector<double> scores(static_cast<std::size_t>(whitened.rows()), 0.0);
  for (std::int64_t i = 0; i < whitened.rows(); ++i) {
    for (std::int64_t j = 0; j < whitened.cols(); ++j)
      scores[static_cast<std::size_t>(i)] += rule.direction[static_cast<std::size_t>(j)] * whitened(i, j);
  }
  return stratified_auc(scores, labels, failed, strata);
}

}  // namespace v1
}  // namespace faultline
