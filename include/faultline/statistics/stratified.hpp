// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Comparing failures with successes inside each class, so that a difference between classes is never taken for a cause
// of failure (method section 4).

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/fixed_sums.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
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

inline void require_outcomes(const char* where, std::int64_t rows, std::span<const std::int64_t> labels,
                             std::span<const std::uint8_t> failed) {
  if (static_cast<std::int64_t>(labels.size()) != rows || static_cast<std::int64_t>(failed.size()) != rows) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected one label and one outcome for each of " + std::to_string(rows) + " samples, got " +
                    std::to_string(labels.size()) + " and " + std::to_string(failed.size()));
  }
}

inline void require_label(const char* where, std::int64_t label, std::int64_t classes) {
  if (label < 0 || label >= classes) {
    throw Error(ErrorCode::label_out_of_range, where,
                "expected labels in 0 .. " + std::to_string(classes - 1) + ", got " + std::to_string(label));
  }
}

inline void weigh(Strata& strata) {
  strata.weights.assign(strata.failures.size(), 0.0);
  strata.effective_failures = 0.0;
  for (std::size_t c = 0; c < strata.failures.size(); ++c) {
    const auto m = static_cast<double>(strata.failures[c]);
    const auto n = static_cast<double>(strata.successes[c]);
    if (strata.failures[c] < 2 || strata.successes[c] < 2) continue;
    strata.weights[c] = m * n / (m + n);
    strata.effective_failures += strata.weights[c];
  }
}

/// Strata from the counts of failures and successes of each class.
///
/// **Throws** `shape_mismatch` when the two lists differ in length, `invalid_argument` for a negative count.
[[nodiscard]] inline Strata make_strata(std::vector<std::int64_t> failures, std::vector<std::int64_t> successes) {
  if (failures.size() != successes.size())
    throw Error(ErrorCode::shape_mismatch, "make_strata", "expected as many failure counts as success counts");
  for (std::size_t c = 0; c < failures.size(); ++c) {
    if (failures[c] < 0 || successes[c] < 0)
      throw Error(ErrorCode::invalid_argument, "make_strata", "expected counts that are not negative");
  }
  Strata strata{std::move(failures), std::move(successes), {}, 0.0};
  weigh(strata);
  return strata;
}

/// Counts outcomes per class. `failed[i]` is 0 for a success, anything else for a failure.
///
/// **Throws** `shape_mismatch` when the lists differ in length, `label_out_of_range` for a label outside 0 .. classes −
/// 1.
/// Example: `Strata strata = count_outcomes(labels, failed, 10); if (strata.effective_failures < 50) { ... }`
[[nodiscard]] inline Strata count_outcomes(std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed,
                                           std::int64_t classes) {
  require_outcomes("count_outcomes", static_cast<std::int64_t>(labels.size()), labels, failed);
  if (classes < 1) throw Error(ErrorCode::invalid_argument, "count_outcomes", "expected at least one class");
  std::vector<std::int64_t> failures(static_cast<std::size_t>(classes), 0);
  std::vector<std::int64_t> successes(static_cast<std::size_t>(classes), 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require_label("count_outcomes", labels[i], classes);
    ++(failed[i] != 0 ? failures : successes)[static_cast<std::size_t>(labels[i])];
  }
  return make_strata(std::move(failures), std::move(successes));
}

/// The same counts with every class but one weighted 0: strata for a class-specific question.
[[nodiscard]] inline Strata only_class(const Strata& strata, std::int64_t label) {
  require_label("only_class", label, strata.classes());
  Strata one = strata;
  for (double& weight : one.weights) weight = 0.0;
  const auto c = static_cast<std::size_t>(label);
  one.weights[c] = strata.weights[c];
  one.effective_failures = strata.weights[c];
  return one;
}

/// Samples that would be needed to reach `wanted` effective failures at the rates seen; 0 when none was seen, so that
/// no size can be named.
[[nodiscard]] inline std::int64_t samples_for_effective_failures(const Strata& strata, double wanted = 50.0) {
  if (!(strata.effective_failures > 0.0)) return 0;
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(strata.total()) * wanted / strata.effective_failures));
}

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
        const Matrix<double> weights = factor.middleRows(first, count);
        return part.transpose() * weights;
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
[[nodiscard]] inline double studentise(double numerator, double variance) noexcept {
  if (variance > 0.0) return numerator / std::sqrt(variance);
  return numerator == 0.0 ? 0.0 : std::copysign(std::numeric_limits<double>::infinity(), numerator);
}

/// Stratified Welch statistic of one score: positive when failures have the larger values.
///
/// **Formula**: T = Σ ω_c (x̄_MIS,c − x̄_WELL,c), V = Σ ω_c² (s²_MIS,c / m_c + s²_WELL,c / n_c), t = T / √V (Welch
/// 1938, by class). Studentised because permuting a plain mean difference also rejects when only the variances differ
/// (Janssen 1997).
/// **Shapes**: values, labels, failed `[N]`. **Throws** `shape_mismatch`, `label_out_of_range`.
[[nodiscard]] inline WelchStatistic stratified_welch(std::span<const double> values,
                                                     std::span<const std::int64_t> labels,
                                                     std::span<const std::uint8_t> failed, const Strata& strata) {
  require_outcomes("stratified_welch", static_cast<std::int64_t>(values.size()), labels, failed);
  const auto classes = static_cast<std::size_t>(strata.classes());
  std::vector<double> mean(2 * classes, 0.0);
  std::vector<double> squares(2 * classes, 0.0);
  const auto group = [&](std::size_t i) {
    return 2 * static_cast<std::size_t>(labels[i]) + (failed[i] != 0 ? 0U : 1U);
  };
  const auto count = [&](std::size_t g) {
    return static_cast<double>(g % 2 == 0 ? strata.failures[g / 2] : strata.successes[g / 2]);
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    require_label("stratified_welch", labels[i], strata.classes());
    mean[group(i)] += values[i];
  }
  for (std::size_t g = 0; g < mean.size(); ++g) mean[g] /= std::max(1.0, count(g));
  for (std::size_t i = 0; i < values.size(); ++i)
    squares[group(i)] += (values[i] - mean[group(i)]) * (values[i] - mean[group(i)]);
  double numerator = 0.0;
  double variance = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    const double weight = strata.weights[c];
    if (!(weight > 0.0)) continue;
    const double m = count(2 * c);
    const double n = count(2 * c + 1);
    numerator += weight * (mean[2 * c] - mean[2 * c + 1]);
    variance += weight * weight * (squares[2 * c] / (m * (m - 1.0)) + squares[2 * c + 1] / (n * (n - 1.0)));
  }
  const double total = strata.effective_failures;
  if (!(total > 0.0)) return {};
  return {numerator / total, std::sqrt(variance) / total, studentise(numerator, variance)};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
