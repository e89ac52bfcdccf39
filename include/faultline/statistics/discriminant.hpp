// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is failure systematic at all? One linear rule fitted on one split and tested on the other: the ceiling of any ranking
// by linear directions (method.md: Conditions).

#include <faultline/core/matrix.hpp>
#include <faultline/statistics/rank.hpp>
#include <faultline/statistics/stratified.hpp>

#include <cstdint>
#include <span>
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
[[nodiscard]] double mahalanobis_squared(std::span<const double> difference, double effective_failures) noexcept;

/// Fits the discriminant to whitened samples.
///
/// **Shapes**: whitened `[N, r]`, labels and failed `[N]`.
/// **Formula**: v ∝ (S + λ I)⁻¹ Δ, Δ the stratified difference, S the covariance within class and outcome of the
/// classes used (Friedman 1989), λ = r / n_eff: the expected squared length of Δ from noise alone, in the unit variance
/// of whitened coordinates, so the fewer failures, the less is trusted to small differences of variance.
/// **Throws** `shape_mismatch`, `label_out_of_range`. **Cost**: N r² + r³ / 3.
[[nodiscard]] Discriminant fit_discriminant(const Matrix<double>& whitened, std::span<const std::int64_t> labels,
                                            std::span<const std::uint8_t> failed, const Strata& strata);

/// Projects samples on the rule and tests whether failures score higher, within classes: an AUC and its one-sided
/// p-value (see `stratified_auc` for its error rate).
///
/// The p-value is valid only on samples the rule was not fitted to.
/// **Throws** `shape_mismatch`, `label_out_of_range`.
/// Example: `RankTest omnibus = test_discriminant(fit_discriminant(x, y.label, y.failed, s), x2, y2.label, y2.failed,
/// s2);`
[[nodiscard]] RankTest test_discriminant(const Discriminant& rule, const Matrix<double>& whitened,
                                         std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed,
                                         const Strata& strata);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/discriminant_impl.hpp>
#endif
