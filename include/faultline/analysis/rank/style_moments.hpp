// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// First and second moments of every style channel from those of w: s = A w + b is affine, so no style is ever formed
// (paper.md).

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/statistics/stratified.hpp>

#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

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

/// **Shapes**: w `[N, d]`. **Cost**: three passes for means, 3 N d² multiplications.
[[nodiscard]] LatentMoments latent_moments(const Population& population, const statistics::Strata& strata);

/// Variances of the projections a w: a_k Σ a_kᵀ.
[[nodiscard]] std::vector<double> projection_variances(const Matrix<double>& a, const Matrix<double>& covariance);

/// Standard deviations of the projections a w: √(a_k Σ a_kᵀ).
[[nodiscard]] std::vector<double> projection_deviations(const Matrix<double>& a, const Matrix<double>& covariance);

/// **Formula**: difference of s_k = a_k · difference of w, variance of s_k = a_k Σ a_kᵀ. **Cost**: D d² multiplications
/// per covariance.
[[nodiscard]] StyleMoments style_moments(const Problem& problem, const Population& population,
                                         const statistics::Strata& strata);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/rank/detail/style_moments_impl.hpp>
#endif
