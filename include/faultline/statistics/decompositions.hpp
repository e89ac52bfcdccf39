// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Eigen's decompositions, and the symmetric eigenproblem in the form in which the statistics want it.

#include <faultline/core/eigen.hpp>
#include <faultline/core/matrix.hpp>

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

}  // namespace detail
}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/decompositions_impl.hpp>
#endif
