// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Eigen's decompositions, and the symmetric eigenproblem in the form in which the statistics want it.

#include <faultline/core/eigen.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/statistics/linear_algebra.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

/// Turns a direction so that its largest entry, the first of equals, is positive: ± v are the same direction, and this
/// makes the choice reproducible.
void fix_sign(std::span<double> direction);

/// Eigenvalues, descending, and unit eigenvectors as rows, each with its largest entry positive so that the same matrix
/// always gives the same signs.
struct Eigenpairs {
  Eigen::VectorXd values;  ///< `[n]`
  Matrix<double> vectors;  ///< `[n, n]`, row i belongs to values[i]
};

/// **Throws** not_converged when an entry is not finite.
[[nodiscard]] Eigenpairs symmetric_eigenpairs(const Matrix<double>& symmetric);

/// Σ f(λ_i) u_i u_iᵀ over the eigenvalues above `floor` times the largest: the pseudoinverse for f = 1/λ, the inverse
/// root for f = λ^-½. **Throws** not_converged when an entry is not finite.
[[nodiscard]] Matrix<double> spectral_function(const Matrix<double>& symmetric, double floor, double (*f)(double));

/// S⁻¹ b of a symmetric S that is positive definite, or nearly; its lower triangle is read (L D Lᵀ).
[[nodiscard]] Eigen::VectorXd solve_symmetric(const Matrix<double>& symmetric, const Vector& b);
/// S⁻¹ of such an S.
[[nodiscard]] Matrix<double> symmetric_inverse(const Matrix<double>& symmetric);

/// (G Gᵀ)⁻¹ G: rows that move along one row of G each and leave the others where they are. Eigenvalues of G Gᵀ below
/// 1e-6 of the largest count as zero.
[[nodiscard]] Matrix<double> dual_rows(const Matrix<double>& g);

/// A⁺ = (Aᵀ A)⁺ Aᵀ, which gives the solution of least squares of least norm. Singular values below 1e-6 of the largest
/// count as zero.
[[nodiscard]] Matrix<double> pseudoinverse(const Matrix<double>& a);

}  // namespace detail
}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/decompositions_impl.hpp>
#endif
