// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Comparing failures with successes inside each class, so that a difference between classes is never taken for a cause
// of failure (method.md: Whose failures).

#include <faultline/core/matrix.hpp>
#include <faultline/statistics/fixed_sums.hpp>
#include <faultline/statistics/linear_algebra.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Group of a sample in statistics kept per class and outcome.
[[nodiscard]] constexpr std::int64_t outcome_group(std::int64_t label, bool failed) noexcept {
  return 2 * label + (failed ? 0 : 1);
}

/// Failures and successes per class, and the weight each class has in every stratified quantity.
///
/// Formula: weight ω_c = m_c n_c / (m_c + n_c) with m_c failures and n_c successes: inverse to the variance of the
/// class's mean difference, so the weighted mean of class differences has the smallest variance (Cochran 1954). A class
/// with fewer than two of either has weight 0: no variance can be estimated in it.
struct Strata {
  std::vector<std::int64_t> failures;   ///< m_c, `[classes]`
  std::vector<std::int64_t> successes;  ///< n_c, `[classes]`
  std::vector<double> weights;          ///< ω_c, `[classes]`
  /// n_eff = Σ ω_c; the variance of a stratified difference of unit-variance values is 1 / n_eff
  double effective_failures = 0.0;

  [[nodiscard]] std::int64_t classes() const noexcept { return static_cast<std::int64_t>(weights.size()); }
  [[nodiscard]] bool uses(std::int64_t label) const noexcept { return weights[static_cast<std::size_t>(label)] > 0.0; }
  [[nodiscard]] std::int64_t total_failures() const noexcept {
    std::int64_t sum = 0;
    for (const std::int64_t m : failures) sum += m;
    return sum;
  }
  [[nodiscard]] std::int64_t total() const noexcept {
    std::int64_t sum = total_failures();
    for (const std::int64_t n : successes) sum += n;
    return sum;
  }
};

void require_outcomes(const char* where, std::int64_t rows, std::span<const std::int64_t> labels,
                      std::span<const std::uint8_t> failed);

void require_label(const char* where, std::int64_t label, std::int64_t classes);

void weigh(Strata& strata);

/// Strata from the counts of failures and successes of each class.
///
/// **Throws** `shape_mismatch` when the two lists differ in length, `invalid_argument` for a negative count.
[[nodiscard]] Strata make_strata(std::vector<std::int64_t> failures, std::vector<std::int64_t> successes);

/// Counts outcomes per class. `failed[i]` is 0 for a success, anything else for a failure.
///
/// **Throws** `shape_mismatch` when the lists differ in length, `label_out_of_range` for a label outside 0 .. classes −
/// 1.
/// Example: `Strata strata = count_outcomes(labels, failed, 10); if (strata.effective_failures < 50) { ... }`
[[nodiscard]] Strata count_outcomes(std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed,
                                    std::int64_t classes);

/// The same counts with every class but one weighted 0: strata for a class-specific question.
[[nodiscard]] Strata only_class(const Strata& strata, std::int64_t label);

/// Samples that would be needed to reach `wanted` effective failures at the rates seen; 0 when none was seen, so that
/// no size can be named.
[[nodiscard]] std::int64_t samples_for_effective_failures(const Strata& strata, double wanted = 50.0);

/// Stratified mean difference between failures and successes in every coordinate.
///
/// **Shapes**: x `[N, d]`, any Eigen expression, labels and failed `[N]` -> `[d]`.
/// **Formula**: Δ = Σ_c ω_c (mean_MIS,c − mean_WELL,c) / Σ_c ω_c; zeros when no class is used.
/// **Throws** `shape_mismatch`, `label_out_of_range`. **Cost**: N d additions.
template <class Values>
[[nodiscard]] std::vector<double> stratified_difference(const Eigen::MatrixBase<Values>& x,
                                                        std::span<const std::int64_t> labels,
                                                        std::span<const std::uint8_t> failed, const Strata& strata) {
  require_outcomes("stratified_difference", x.rows(), labels, failed);
  // ω_c (F_c / m_c − W_c / n_c) = F_c − m_c / (m_c + n_c) · (F_c + W_c): one weighted sum, no class means needed.
  Matrix<double> factor(x.rows(), 1);
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    require_label("stratified_difference", label, strata.classes());
    if (!strata.uses(label)) continue;
    const auto m = static_cast<double>(strata.failures[static_cast<std::size_t>(label)]);
    const auto n = static_cast<double>(strata.successes[static_cast<std::size_t>(label)]);
    factor(i, 0) = failed[static_cast<std::size_t>(i)] != 0 ? n / (m + n) : -m / (m + n);
  }
  Matrix<double> difference =
      fixed_sum(x.rows(), Matrix<double>(x.cols(), 1), [&](std::int64_t first, std::int64_t count) -> Matrix<double> {
        const Matrix<double> part = x.middleRows(first, count).template cast<double>();
        return detail::transposed_product(part, detail::rows_of(factor, first, count));
      });
  if (strata.effective_failures > 0.0) difference /= strata.effective_failures;
  const auto list = difference.values();
  return {list.begin(), list.end()};
}

/// A stratified difference with its studentised size.
struct WelchStatistic {
  double difference = 0.0;      ///< Σ ω_c (mean_MIS,c − mean_WELL,c) / Σ ω_c
  double standard_error = 0.0;  ///< estimated with separate variances of failures and successes
  double t = 0.0;               ///< difference / standard_error; 0 / 0 is 0, otherwise ±∞ without variation
};

/// t = a / √v with the conventions of WelchStatistic.
[[nodiscard]] double studentise(double numerator, double variance) noexcept;

/// Stratified Welch statistic of one score: positive when failures have the larger values.
///
/// **Formula**: T = Σ ω_c (x̄_MIS,c − x̄_WELL,c), V = Σ ω_c² (s²_MIS,c / m_c + s²_WELL,c / n_c), t = T / √V (Welch
/// 1938, by class). Studentised because permuting a plain mean difference also rejects when only the variances differ
/// (Janssen 1997).
/// **Shapes**: values, labels, failed `[N]`. **Throws** `shape_mismatch`, `label_out_of_range`.
[[nodiscard]] WelchStatistic stratified_welch(std::span<const double> values, std::span<const std::int64_t> labels,
                                              std::span<const std::uint8_t> failed, const Strata& strata);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/stratified_impl.hpp>
#endif
