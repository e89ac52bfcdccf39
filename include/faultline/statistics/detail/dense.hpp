// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The two pieces of linear algebra the statistics need, on plain matrices: products and the symmetric eigenproblem, both by Eigen.
// Everything else (inverse roots, least squares) is made of these, because each further Eigen decomposition costs every user half a second of compile time.

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

template <class T>
using EigenRowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The matrix as Eigen sees it, without a copy.
template <class T>
[[nodiscard]] inline Eigen::Map<const EigenRowMajor<T>> as_eigen(const Matrix<T>& m) {
  return {m.data(), static_cast<Eigen::Index>(m.rows()), static_cast<Eigen::Index>(m.cols())};
}
template <class T>
[[nodiscard]] inline Eigen::Map<EigenRowMajor<T>> as_eigen(Matrix<T>& m) {
  return {m.data(), static_cast<Eigen::Index>(m.rows()), static_cast<Eigen::Index>(m.cols())};
}

/// a bᵀ: `[n, k]` and `[m, k]` -> `[n, m]`.
template <class T>
[[nodiscard]] inline Matrix<T> multiply_transposed(const Matrix<T>& a, const Matrix<T>& b) {
  Matrix<T> out(a.rows(), b.rows());
  if (!a.empty() && !b.empty()) as_eigen(out).noalias() = as_eigen(a) * as_eigen(b).transpose();
  return out;
}

/// aᵀ b: `[n, k]` and `[n, m]` -> `[k, m]`.
template <class T>
[[nodiscard]] inline Matrix<T> transposed_multiply(const Matrix<T>& a, const Matrix<T>& b) {
  Matrix<T> out(a.cols(), b.cols());
  if (!a.empty() && !b.empty()) as_eigen(out).noalias() = as_eigen(a).transpose() * as_eigen(b);
  return out;
}

/// Eigenvalues, descending, and unit eigenvectors as rows, each with its largest entry positive so that the same matrix always gives the same signs.
struct SymmetricEigen {
  std::vector<double> values;  ///< `[n]`
  Matrix<double> vectors;      ///< `[n, n]`, row i belongs to values[i]
};

[[nodiscard]] inline SymmetricEigen symmetric_eigen(const Matrix<double>& symmetric) {
  const std::int64_t n = symmetric.rows();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(as_eigen(symmetric));
  if (solver.info() != Eigen::Success) {
    throw Error(ErrorCode::not_converged, "symmetric_eigen", "the eigenvalue iteration did not converge; are all entries finite?");
  }
  SymmetricEigen result{std::vector<double>(static_cast<std::size_t>(n)), Matrix<double>(n, n)};
  for (std::int64_t i = 0; i < n; ++i) {
    const auto column = solver.eigenvectors().col(n - 1 - i);
    Eigen::Index largest = 0;
    column.cwiseAbs().maxCoeff(&largest);
    const double sign = column(largest) < 0.0 ? -1.0 : 1.0;
    result.values[static_cast<std::size_t>(i)] = solver.eigenvalues()(n - 1 - i);
    for (std::int64_t j = 0; j < n; ++j) result.vectors(i, j) = sign * column(j);
  }
  return result;
}

/// Σ f(λ_i) u_i u_iᵀ over the eigenvalues above `floor` times the largest: the inverse for f = 1/λ, the inverse root for f = λ^-½.
template <class Function>
[[nodiscard]] inline Matrix<double> spectral_function(const SymmetricEigen& eigen, double floor, Function f) {
  const std::int64_t n = eigen.vectors.rows();
  Matrix<double> scaled(n, n);
  Matrix<double> kept(n, n);
  for (std::int64_t i = 0; i < n; ++i) {
    const double value = eigen.values[static_cast<std::size_t>(i)];
    if (!(value > floor * eigen.values.front()) || !(value > 0.0)) break;
    for (std::int64_t j = 0; j < n; ++j) {
      kept(i, j) = eigen.vectors(i, j);
      scaled(i, j) = f(value) * eigen.vectors(i, j);
    }
  }
  return transposed_multiply(kept, scaled);
}

/// Cuts the largest-magnitude entry of a direction positive: ± v are the same direction, and this makes the choice reproducible.
inline void fix_sign(std::span<double> direction) {
  std::size_t largest = 0;
  for (std::size_t j = 1; j < direction.size(); ++j) {
    if (std::abs(direction[j]) > std::abs(direction[largest])) largest = j;
  }
  if (!direction.empty() && direction[largest] < 0.0) {
    for (double& value : direction) value = -value;
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
