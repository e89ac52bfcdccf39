// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/decompositions.hpp.

#include <faultline/statistics/decompositions.hpp>

#include <faultline/core/eigen.hpp>
#include <faultline/error.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

FAULTLINE_INLINE void fix_sign(std::span<double> direction) {
  if (direction.empty()) return;
  Eigen::Index largest = 0;
  auto v = core::as_vector(direction);
  v.cwiseAbs().maxCoeff(&largest);
  if (v[largest] < 0.0) v = -v;
}

FAULTLINE_INLINE Eigenpairs symmetric_eigenpairs(const Matrix<double>& symmetric) {
  constexpr const char* where = "symmetric_eigenpairs";
  if (!symmetric.allFinite())
    throw Error(ErrorCode::not_converged, where, "the matrix has an entry that is not finite");
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{Eigen::MatrixXd(symmetric)};
  if (solver.info() != Eigen::Success)
    throw Error(ErrorCode::not_converged, where, "the eigenvalue iteration did not converge");
  const Eigen::Index n = symmetric.rows();
  Eigenpairs pairs{Eigen::VectorXd(n), Matrix<double>(n, n)};
  for (Eigen::Index i = 0; i < n; ++i) {  // the solver's are ascending, its vectors columns
    pairs.values[i] = solver.eigenvalues()[n - 1 - i];
    for (Eigen::Index j = 0; j < n; ++j) pairs.vectors(i, j) = solver.eigenvectors()(j, n - 1 - i);
    fix_sign(pairs.vectors.row_span(i));
  }
  return pairs;
}

FAULTLINE_INLINE Matrix<double> spectral_function(const Matrix<double>& symmetric, double floor, double (*f)(double)) {
  const Eigenpairs pairs = symmetric_eigenpairs(symmetric);
  Eigen::Index kept = 0;
  while (kept < pairs.values.size() && pairs.values[kept] > 0.0 && pairs.values[kept] > floor * pairs.values[0]) ++kept;
  const Rows u = rows_of(pairs.vectors, 0, kept);
  Eigen::VectorXd factors(kept);
  for (Eigen::Index i = 0; i < kept; ++i) factors[i] = f(pairs.values[i]);
  return transposed_product(u, scaled_rows(factors, u));
}

FAULTLINE_INLINE Eigen::VectorXd solve_symmetric(const Matrix<double>& symmetric, const Vector& b) {
  const Eigen::LDLT<Eigen::MatrixXd> factors{Eigen::MatrixXd(symmetric)};
  return factors.solve(Eigen::VectorXd(b));
}

FAULTLINE_INLINE Matrix<double> symmetric_inverse(const Matrix<double>& symmetric) {
  const Eigen::LDLT<Eigen::MatrixXd> factors{Eigen::MatrixXd(symmetric)};
  const Eigen::Index n = symmetric.rows();
  Matrix<double> inverse(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Eigen::VectorXd column = factors.solve(Eigen::VectorXd(Eigen::VectorXd::Unit(n, i)));
    core::as_vector(inverse.row_span(i)) = column;
  }
  return inverse;
}

FAULTLINE_INLINE Matrix<double> dual_rows(const Matrix<double>& g) {
  const auto inverse = [](double value) { return 1.0 / value; };
  return product(spectral_function(product_transposed(g, g), 1e-6, inverse), g);
}

FAULTLINE_INLINE Matrix<double> pseudoinverse(const Matrix<double>& a) {
  const auto inverse = [](double value) { return 1.0 / value; };
  return product_transposed(spectral_function(transposed_product(a, a), 1e-12, inverse), a);
}

}  // namespace detail
}  // namespace statistics
}  // namespace v1
}  // namespace faultline
