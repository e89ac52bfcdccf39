// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// First and second moments of every style channel from those of w: s = A w + b is affine, so no style is ever formed (method section 5).

#include <faultline/analysis/problem.hpp>
#include <faultline/statistics/detail/dense.hpp>
#include <faultline/statistics/stratified.hpp>

#include <Eigen/Core>

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
  std::vector<double> sigma_total;       ///< over all samples, unbiased
  std::vector<double> sigma_within;      ///< pooled within classes
  std::vector<double> sigma_failures;    ///< over the failures, unbiased; 0 with fewer than two
  std::vector<double> pooled_difference; ///< mean of failures - mean of successes; 0 when either is empty
  std::vector<double> stratified_difference;
};

/// Moments of w that the moments of s follow from.
struct LatentMoments {
  Eigen::MatrixXd total, within, failures;  ///< covariances
  Eigen::VectorXd pooled_difference, stratified_difference;
};

/// **Shapes**: w `[N, d]`. One pass for the means, one for the covariances, which are centred before they are squared.
[[nodiscard]] inline LatentMoments latent_moments(const Population& population, const Strata& strata) {
  const std::int64_t n = population.size();
  const Eigen::Index d = population.w.cols();
  const auto classes = static_cast<Eigen::Index>(strata.classes());
  const auto row = [&](std::int64_t i) { return Eigen::Map<const Eigen::VectorXf>(population.w.row(i).data(), d).cast<double>(); };

  Eigen::MatrixXd class_sum = Eigen::MatrixXd::Zero(d, classes);
  Eigen::MatrixXd class_failures = Eigen::MatrixXd::Zero(d, classes);
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(classes);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto c = static_cast<Eigen::Index>(population.label[static_cast<std::size_t>(i)]);
    class_sum.col(c) += row(i);
    counts(c) += 1.0;
    if (population.failed[static_cast<std::size_t>(i)] != 0) class_failures.col(c) += row(i);
  }
  const double failures = static_cast<double>(strata.total_failures());
  const double successes = static_cast<double>(n) - failures;
  const Eigen::VectorXd failure_sum = class_failures.rowwise().sum();
  const Eigen::VectorXd sum = class_sum.rowwise().sum();

  LatentMoments moments;
  moments.pooled_difference = Eigen::VectorXd::Zero(d);
  moments.stratified_difference = Eigen::VectorXd::Zero(d);
  if (failures > 0.0 && successes > 0.0) moments.pooled_difference = failure_sum / failures - (sum - failure_sum) / successes;
  for (Eigen::Index c = 0; c < classes; ++c) {
    const double weight = strata.weights[static_cast<std::size_t>(c)];
    if (!(weight > 0.0)) continue;
    const auto m = static_cast<double>(strata.failures[static_cast<std::size_t>(c)]);
    const double successes_c = counts(c) - m;
    moments.stratified_difference += weight / strata.effective_failures * (class_failures.col(c) / m - (class_sum.col(c) - class_failures.col(c)) / successes_c);
  }

  const Eigen::VectorXd mean = sum / std::max(1.0, static_cast<double>(n));
  const Eigen::VectorXd failure_mean = failures > 0.0 ? Eigen::VectorXd(failure_sum / failures) : mean;
  moments.total = Eigen::MatrixXd::Zero(d, d);
  moments.within = Eigen::MatrixXd::Zero(d, d);
  moments.failures = Eigen::MatrixXd::Zero(d, d);
  // Blocks of rows turn rank-one updates into matrix products.
  constexpr std::int64_t block = 512;
  Eigen::MatrixXd centred(d, block);
  Eigen::MatrixXd centred_by_class(d, block);
  Eigen::MatrixXd failing(d, block);
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t size = std::min(block, n - first);
    Eigen::Index failing_count = 0;
    for (std::int64_t k = 0; k < size; ++k) {
      const auto i = first + k;
      const auto c = static_cast<Eigen::Index>(population.label[static_cast<std::size_t>(i)]);
      centred.col(k) = row(i) - mean;
      centred_by_class.col(k) = row(i) - class_sum.col(c) / counts(c);
      if (population.failed[static_cast<std::size_t>(i)] != 0) failing.col(failing_count++) = row(i) - failure_mean;
    }
    moments.total.noalias() += centred.leftCols(size) * centred.leftCols(size).transpose();
    moments.within.noalias() += centred_by_class.leftCols(size) * centred_by_class.leftCols(size).transpose();
    moments.failures.noalias() += failing.leftCols(failing_count) * failing.leftCols(failing_count).transpose();
  }
  const double present = static_cast<double>((counts.array() > 0.0).count());
  moments.total /= std::max(1.0, static_cast<double>(n) - 1.0);
  moments.within /= std::max(1.0, static_cast<double>(n) - present);
  moments.failures /= std::max(1.0, failures - 1.0);
  return moments;
}

/// **Formula**: difference of s_k = a_k · difference of w, variance of s_k = a_k Σ a_kᵀ. **Cost**: D d² multiplications per covariance.
[[nodiscard]] inline StyleMoments style_moments(const Problem& problem, const Population& population, const Strata& strata) {
  const LatentMoments latent = latent_moments(population, strata);
  const auto a = as_eigen(problem.style_matrix);
  const auto deviations = [&](const Eigen::MatrixXd& covariance) {
    const Eigen::VectorXd variance = (a * covariance).cwiseProduct(a).rowwise().sum();
    std::vector<double> sigma(static_cast<std::size_t>(variance.size()));
    // What is left of a channel that cannot vary is rounding, and must not become a divisor.
    for (Eigen::Index k = 0; k < variance.size(); ++k) {
      const double floor = 1e-14 * a.row(k).squaredNorm() * covariance.trace();
      sigma[static_cast<std::size_t>(k)] = variance(k) > floor ? std::sqrt(variance(k)) : 0.0;
    }
    return sigma;
  };
  const auto push = [&](const Eigen::VectorXd& difference) {
    const Eigen::VectorXd values = a * difference;
    return std::vector<double>(values.data(), values.data() + values.size());
  };
  return {deviations(latent.total), deviations(latent.within), deviations(latent.failures), push(latent.pooled_difference), push(latent.stratified_difference)};
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
