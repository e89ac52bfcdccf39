// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The Fréchet distance between two sets of feature vectors.

#include <faultline/core/eigen.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Mean and covariance of feature vectors, gathered batch by batch.
class FeatureMoments {
 public:
  /// Adds the rows of `[N, F]`.
  void add(const Matrix<float>& rows) {
    const Eigen::MatrixXd x = rows.cast<double>();
    if (count_ == 0) {
      sum_ = Eigen::VectorXd::Zero(rows.cols());
      products_ = Eigen::MatrixXd::Zero(rows.cols(), rows.cols());
    }
    sum_ += x.colwise().sum().transpose();
    products_.noalias() += x.transpose() * x;
    count_ += rows.rows();
  }
  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  [[nodiscard]] Eigen::VectorXd mean() const { return sum_ / static_cast<double>(count_); }
  /// Unbiased covariance.
  [[nodiscard]] Eigen::MatrixXd covariance() const {
    const Eigen::VectorXd m = mean();
    return (products_ - static_cast<double>(count_) * (m * m.transpose())) / static_cast<double>(count_ - 1);
  }

 private:
  std::int64_t count_ = 0;
  Eigen::VectorXd sum_;
  Eigen::MatrixXd products_;
};

/// Squared Fréchet distance between the normal distributions of two sets of features (Dowson & Landau 1982; Heusel et
/// al. 2017).
///
/// **Formula**: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½). Throws empty_input with fewer than two vectors on either
/// side, shape_mismatch for different lengths.
[[nodiscard]] double frechet_distance(const FeatureMoments& first, const FeatureMoments& second);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/frechet_distance_impl.hpp>
#endif
