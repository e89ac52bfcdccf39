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
  Eigenpairs pairs{solver.eigenvalues().reverse(), solver.eigenvectors().rowwise().reverse().transpose()};
  for (Eigen::Index i = 0; i < pairs.values.size(); ++i) fix_sign(pairs.vectors.row_span(i));
  return pairs;
}

FAULTLINE_INLINE Matrix<double> spectral_function(const Matrix<double>& symmetric, double floor, double (*f)(double)) {
  const Eigenpairs pairs = symmetric_eigenpairs(symmetric);
  Eigen::Index kept = 0;
  while (kept < pairs.values.size() && pairs.values[kept] > 0.0 && pairs.values[kept] > floor * pairs.values[0]) ++kept;
  const Matrix<double> u = pairs.vectors.topRows(kept);
  Matrix<double> scaled = u;
  for (Eigen::Index i = 0; i < kept; ++i) scaled.row(i) *= f(pairs.values[i]);
  return u.transpose() * scaled;
}

}  // namespace detail
}  // namespace statistics
}  // namespace v1
}  // namespace faultline
