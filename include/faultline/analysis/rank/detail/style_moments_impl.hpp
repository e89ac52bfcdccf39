// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/rank/style_moments.hpp.

#include <faultline/analysis/rank/style_moments.hpp>

#include <faultline/statistics/within_class_moments.hpp>

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
    core::as_vector(moments.pooled_difference) = by_outcome.mean.row(0) - by_outcome.mean.row(1);
  return moments;
}

FAULTLINE_INLINE std::vector<double> reading_variances(const Matrix<double>& a, const Matrix<double>& covariance) {
  const Matrix<double> product = a * covariance;
  return core::to_list(product.cwiseProduct(a).rowwise().sum());
}

FAULTLINE_INLINE std::vector<double> reading_deviations(const Matrix<double>& a, const Matrix<double>& covariance) {
  std::vector<double> variance = reading_variances(a, covariance);
  auto v = core::as_vector(variance);
  // What is left of a reading that cannot vary is rounding, and must not become a divisor.
  v = (v.array() > 1e-14 * covariance.trace() * a.rowwise().squaredNorm().array()).select(v.cwiseSqrt(), 0.0);
  return variance;
}

FAULTLINE_INLINE StyleMoments style_moments(const Problem& problem, const Population& population,
                                            const statistics::Strata& strata) {
  const LatentMoments latent = latent_moments(population, strata);
  const Matrix<double>& a = problem.style_matrix;
  return {reading_deviations(a, latent.total), reading_deviations(a, latent.within),
          reading_deviations(a, latent.failures), core::to_list(a * core::as_vector(latent.pooled_difference)),
          core::to_list(a * core::as_vector(latent.stratified_difference))};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
