// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definition of statistics/frechet_distance.hpp.

#include <faultline/statistics/frechet_distance.hpp>

#include <faultline/statistics/decompositions.hpp>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE double frechet_distance(const FeatureMoments& first, const FeatureMoments& second) {
  if (first.count() < 2 || second.count() < 2)
    throw Error(ErrorCode::empty_input, "frechet_distance", "expected at least two feature vectors on either side");
  if (first.mean().size() != second.mean().size())
    throw Error(ErrorCode::shape_mismatch, "frechet_distance", "feature vectors differ in length");
  const Eigen::MatrixXd a = first.covariance(), b = second.covariance();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_a(a);
  const Eigen::MatrixXd root =
      of_a.eigenvectors() * of_a.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal() * of_a.eigenvectors().transpose();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_product(root * b * root, Eigen::EigenvaluesOnly);
  return (first.mean() - second.mean()).squaredNorm() + a.trace() + b.trace() -
         2.0 * of_product.eigenvalues().cwiseMax(0.0).cwiseSqrt().sum();
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
