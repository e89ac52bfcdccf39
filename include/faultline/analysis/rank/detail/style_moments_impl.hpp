// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/rank/style_moments.hpp.

#include <faultline/analysis/rank/style_moments.hpp>

#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE LatentMoments latent_moments(const Population& population, const statistics::Strata& strata) {
  constexpr const char* where = "latent_moments";
  const Matrix<float>& w = population.w;
  const std::vector<std::int64_t> everyone(population.label.size(), 0);
  std::vector<std::int64_t> failures, outcome;
  for (const std::uint8_t failed : population.failed) {
    failures.push_back(failed != 0 ? 0 : -1);
    outcome.push_back(failed != 0 ? 0 : 1);
  }
  const auto covariance = [&](std::span<const std::int64_t> group, std::int64_t groups) {
    return statistics::within_covariance(w, group, statistics::group_means(where, w, group, groups));
  };
  LatentMoments moments{covariance(everyone, 1), covariance(population.label, strata.classes()),
                        covariance(failures, 1), std::vector<double>(static_cast<std::size_t>(w.cols()), 0.0),
                        statistics::stratified_difference(w, population.label, population.failed, strata)};
  const statistics::GroupMeans by_outcome = statistics::group_means(where, w, outcome, 2);
  if (by_outcome.count[0] > 0.0 && by_outcome.count[1] > 0.0)
    core::as_vector(moments.pooled_difference) =
        core::as_vector(by_outcome.mean.row_span(0)) - core::as_vector(by_outcome.mean.row_span(1));
  return moments;
}

FAULTLINE_INLINE std::vector<double> projection_variances(const Matrix<double>& a, const Matrix<double>& covariance) {
  const Matrix<double> product = statistics::detail::product(a, covariance);
  std::vector<double> variances;
  for (std::int64_t k = 0; k < a.rows(); ++k) variances.push_back(core::dot(product.row_span(k), a.row_span(k)));
  return variances;
}

FAULTLINE_INLINE std::vector<double> projection_deviations(const Matrix<double>& a, const Matrix<double>& covariance) {
  std::vector<double> variance = projection_variances(a, covariance);
  // What is left of a projection that cannot vary is rounding, and must not become a divisor.
  const double least = 1e-14 * covariance.trace();
  for (std::size_t k = 0; k < variance.size(); ++k) {
    const std::span<const double> row = a.row_span(static_cast<std::int64_t>(k));
    variance[k] = variance[k] > least * core::dot(row, row) ? std::sqrt(variance[k]) : 0.0;
  }
  return variance;
}

FAULTLINE_INLINE StyleMoments style_moments(const Problem& problem, const Population& population,
                                            const statistics::Strata& strata) {
  const LatentMoments latent = latent_moments(population, strata);
  const Matrix<double>& a = problem.style_matrix;
  return {projection_deviations(a, latent.total), projection_deviations(a, latent.within),
          projection_deviations(a, latent.failures),
          core::to_list(statistics::detail::product(a, core::as_vector(latent.pooled_difference))),
          core::to_list(statistics::detail::product(a, core::as_vector(latent.stratified_difference)))};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
