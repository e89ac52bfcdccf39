// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The products and sums in which the statistics are written, for one kind of matrix and one of vector. Eigen makes its
// kernels anew for every kind of expression, and whoever uses Faultline from headers alone compiles each of them; as
// plain functions there is one.

#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

/// A row-major matrix without gaps: a `Matrix<double>` is one, consecutive rows of it are another.
using Rows = faultline::detail::MatrixMap<double>;
/// A column vector without gaps: an Eigen::VectorXd, a segment of it, a list through `core::as_vector`.
using Vector = Eigen::Ref<const Eigen::VectorXd>;

/// Rows first .. first + count − 1 without a copy, valid as long as the matrix is.
[[nodiscard]] Rows rows_of(Matrix<double>& x, std::int64_t first, std::int64_t count);
[[nodiscard]] const Rows rows_of(const Matrix<double>& x, std::int64_t first, std::int64_t count);

/// A B.
[[nodiscard]] Matrix<double> product(const Rows& a, const Rows& b);
/// Aᵀ B.
[[nodiscard]] Matrix<double> transposed_product(const Rows& a, const Rows& b);
/// A Bᵀ.
[[nodiscard]] Matrix<double> product_transposed(const Rows& a, const Rows& b);

/// A x.
[[nodiscard]] Eigen::VectorXd product(const Rows& a, const Vector& x);
/// Aᵀ x.
[[nodiscard]] Eigen::VectorXd transposed_product(const Rows& a, const Vector& x);

/// A vector as a matrix of one row.
[[nodiscard]] Matrix<double> as_row(const Vector& x);
/// Aᵀ.
[[nodiscard]] Matrix<double> transposed(const Rows& a);
/// D X for the diagonal matrix D of the factors: row i times factor i.
[[nodiscard]] Matrix<double> scaled_rows(const Vector& factors, const Rows& x);
/// M + c I, for a square M.
void add_to_diagonal(Matrix<double>& m, double c);
/// y + c x.
void add_scaled(std::span<double> y, double c, std::span<const double> x);

/// Σ weight_i x_i x_iᵀ over the rows of x, in the parts of `fixed_sum`. Half of it is calculated, positive and negative
/// weights by themselves; rows of weight 0 are left out.
[[nodiscard]] Matrix<double> weighted_squares(const Matrix<double>& x, const Vector& weight);

}  // namespace detail
}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/linear_algebra_impl.hpp>
#endif
