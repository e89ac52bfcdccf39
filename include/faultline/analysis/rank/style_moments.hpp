// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// First and second moments of every style channel from those of w: s = A w + b is affine, so no style is ever formed
// (method section 5).

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/detail/dense.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Standard deviations and mean differences of all D style channels.
struct StyleMoments {
  std::vector<double> sigma_total;        ///< over all samples, unbiased
  std::vector<double> sigma_within;       ///< pooled within classes
  std::vector<double> sigma_failures;     ///< over the failures, unbiased; 0 with fewer than two
  std::vector<double> pooled_difference;  ///< mean of failures - mean of successes; 0 when either is empty
  std::vector<double> stratified_difference;
};

/// Moments of w that the moments of s follow from.
struct LatentMoments {
  Matrix<double> total, within, failures;  ///< covariances `[d, d]`
  std::vector<double> pooled_difference, stratified_difference;
};

/// **Shapes**: w `[N, d]`. One pass for the means, one for the covariances, which are centred before they are squared.
[[nodiscard]] inline LatentMoments latent_moments(const Population& population, const Strata& strata) {
  const std::int64_t n = population.size();
  const std::int64_t d = population.w.cols();
  const std::int64_t classes = strata.classes();
  const auto width = static_cast<std::size_t>(d);
  const auto label = [&](std::int64_t i) { return population.label[static_cast<std::size_t>(i)]; };
  const auto failed = [&](std::int64_t i) { return population.failed[static_cast<std::size_t>(i)] != 0; };

  Matrix<double> class_mean(classes, d);      // sums at first
  Matrix<double> class_failures(classes, d);  // sums of the failures
  std::vector<double> mean(width, 0.0);
  std::vector<double> failure_mean(width, 0.0);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) {
      const auto value = static_cast<double>(population.w(i, j));
      class_mean(label(i), j) += value;
      if (failed(i)) class_failures(label(i), j) += value;
    }
  }
  const double failures = static_cast<double>(strata.total_failures());
  const double successes = static_cast<double>(n) - failures;
  LatentMoments moments;
  moments.pooled_difference.assign(width, 0.0);
  moments.stratified_difference.assign(width, 0.0);
  double present = 0.0;
  for (std::int64_t c = 0; c < classes; ++c) {
    const auto at = static_cast<std::size_t>(c);
    const auto m = static_cast<double>(strata.failures[at]);
    const auto size = m + static_cast<double>(strata.successes[at]);
    present += size > 0.0 ? 1.0 : 0.0;
    for (std::size_t j = 0; j < width; ++j) {
      double& sum = class_mean.row_span(c)[j];
      const double failing = class_failures.row_span(c)[j];
      mean[j] += sum;
      failure_mean[j] += failing;
      if (strata.weights[at] > 0.0)
        moments.stratified_difference[j] +=
            strata.weights[at] / strata.effective_failures * (failing / m - (sum - failing) / (size - m));
      if (size > 0.0) sum /= size;
    }
  }
  for (std::size_t j = 0; j < width; ++j) {
    if (failures > 0.0 && successes > 0.0)
      moments.pooled_difference[j] = failure_mean[j] / failures - (mean[j] - failure_mean[j]) / successes;
    mean[j] /= std::max(1.0, static_cast<double>(n));
    failure_mean[j] /= std::max(1.0, failures);
  }

  moments.total.resize(d, d);
  moments.within.resize(d, d);
  moments.failures.resize(d, d);
  constexpr std::int64_t block = 512;  // turns rank-one updates into matrix products
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t size = std::min(block, n - first);
    Matrix<double> centred(size, d);
    Matrix<double> centred_by_class(size, d);
    Matrix<double> failing(size, d);  // rows of successes stay zero
    for (std::int64_t k = 0; k < size; ++k) {
      const std::int64_t i = first + k;
      for (std::int64_t j = 0; j < d; ++j) {
        const auto value = static_cast<double>(population.w(i, j));
        centred(k, j) = value - mean[static_cast<std::size_t>(j)];
        centred_by_class(k, j) = value - class_mean(label(i), j);
        if (failed(i)) failing(k, j) = value - failure_mean[static_cast<std::size_t>(j)];
      }
    }
    add_gram(centred, moments.total);
    add_gram(centred_by_class, moments.within);
    add_gram(failing, moments.failures);
  }
  for (double& value : moments.total.values()) value /= std::max(1.0, static_cast<double>(n) - 1.0);
  for (double& value : moments.within.values()) value /= std::max(1.0, static_cast<double>(n) - present);
  for (double& value : moments.failures.values()) value /= std::max(1.0, failures - 1.0);
  return moments;
}

/// Standard deviations of the readings a w: √(a_k Σ a_kᵀ).
[[nodiscard]] inline std::vector<double> reading_deviations(const Matrix<double>& a, const Matrix<double>& covariance) {
  double trace = 0.0;
  for (std::int64_t j = 0; j < covariance.rows(); ++j) trace += covariance(j, j);
  std::vector<double> sigma = quadratic_forms(a, covariance);
  for (std::int64_t k = 0; k < a.rows(); ++k) {
    // What is left of a reading that cannot vary is rounding, and must not become a divisor.
    double& value = sigma[static_cast<std::size_t>(k)];
    value = value > 1e-14 * dot(a.row_span(k), a.row_span(k)) * trace ? std::sqrt(value) : 0.0;
  }
  return sigma;
}

/// **Formula**: difference of s_k = a_k · difference of w, variance of s_k = a_k Σ a_kᵀ. **Cost**: D d² multiplications
/// per covariance.
[[nodiscard]] inline StyleMoments style_moments(const Problem& problem, const Population& population,
                                                const Strata& strata) {
  const LatentMoments latent = latent_moments(population, strata);
  const Matrix<double>& a = problem.style_matrix;
  return {reading_deviations(a, latent.total), reading_deviations(a, latent.within),
          reading_deviations(a, latent.failures), matrix_vector(a, latent.pooled_difference),
          matrix_vector(a, latent.stratified_difference)};
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
