// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/linear_algebra.hpp.

#include <faultline/statistics/linear_algebra.hpp>

#include <faultline/statistics/fixed_sums.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

FAULTLINE_INLINE Rows rows_of(Matrix<double>& x, std::int64_t first, std::int64_t count) {
  return {x.data() + first * x.cols(), count, x.cols()};
}
FAULTLINE_INLINE const Rows rows_of(const Matrix<double>& x, std::int64_t first, std::int64_t count) {
  return {const_cast<double*>(x.data()) + first * x.cols(), count, x.cols()};  // nobody writes to a const map
}

FAULTLINE_INLINE Matrix<double> product(const Rows& a, const Rows& b) { return a * b; }
FAULTLINE_INLINE Matrix<double> transposed_product(const Rows& a, const Rows& b) { return a.transpose() * b; }
FAULTLINE_INLINE Matrix<double> product_transposed(const Rows& a, const Rows& b) { return a * b.transpose(); }

FAULTLINE_INLINE Eigen::VectorXd product(const Rows& a, const Vector& x) { return a * x; }
FAULTLINE_INLINE Eigen::VectorXd transposed_product(const Rows& a, const Vector& x) { return a.transpose() * x; }

FAULTLINE_INLINE Matrix<double> as_row(const Vector& x) {
  Matrix<double> row(1, x.size());
  core::as_vector(row.row_span(0)) = x;
  return row;
}
FAULTLINE_INLINE Matrix<double> transposed(const Rows& a) { return a.transpose(); }

FAULTLINE_INLINE Matrix<double> scaled_rows(const Vector& factors, const Rows& x) {
  Matrix<double> scaled = x;
  for (std::int64_t i = 0; i < scaled.rows(); ++i)
    for (double& value : scaled.row_span(i)) value *= factors[i];
  return scaled;
}

FAULTLINE_INLINE void add_to_diagonal(Matrix<double>& m, double c) {
  for (std::int64_t i = 0; i < m.rows(); ++i) m(i, i) += c;
}

FAULTLINE_INLINE void add_scaled(std::span<double> y, double c, std::span<const double> x) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += c * x[i];
}

FAULTLINE_INLINE Matrix<double> weighted_squares(const Matrix<double>& x, const Vector& weight) {
  const std::int64_t d = x.cols();
  Matrix<double> sum =
      fixed_sum(x.rows(), Matrix<double>(d, d), [&](std::int64_t first, std::int64_t count) -> Matrix<double> {
        Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(d, d);
        for (const double side : {1.0, -1.0}) {
          Matrix<double> rows(0, d);
          std::int64_t used = 0;
          for (std::int64_t i = first; i < first + count; ++i) {
            if (!(side * weight[i] > 0.0)) continue;
            if (used == 0) rows.resize(count, d);
            add_scaled(rows.row_span(used++), std::sqrt(side * weight[i]), x.row_span(i));
          }
          if (used > 0) lower.selfadjointView<Eigen::Lower>().rankUpdate(rows_of(rows, 0, used).transpose(), side);
        }
        return Matrix<double>(lower);
      });
  for (std::int64_t i = 0; i < d; ++i)
    for (std::int64_t j = i + 1; j < d; ++j) sum(i, j) = sum(j, i);
  return sum;
}

}  // namespace detail
}  // namespace statistics
}  // namespace v1
}  // namespace faultline
