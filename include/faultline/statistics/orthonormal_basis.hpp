// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Orthonormal directions: what is left of a direction off others, the basis of a span, the orthonormal rows nearest to
// given ones.

#include <faultline/core/matrix.hpp>
#include <faultline/statistics/decompositions.hpp>

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// x − (x·v) v: what is left of x off the unit vector v.
inline void project_off(std::span<double> x, std::span<const double> v) noexcept {
  const auto unit = core::as_vector(v);
  auto rest = core::as_vector(x);
  rest -= rest.dot(unit) * unit;
}

/// What is left of x off all directions of an orthonormal basis.
///
/// Done twice, which is enough for orthogonality to rounding (Giraud, Langou and Rozložník 2005).
inline void project_off(std::span<double> x, std::span<const std::vector<double>> basis) noexcept {
  for (int pass = 0; pass < 2; ++pass)
    for (const auto& v : basis) project_off(x, std::span<const double>(v));
}

/// Orthonormal basis of what the directions span, in their order: each adds what is left of it off those before (Gram
/// and Schmidt), unless that is shorter than `least`.
[[nodiscard]] inline std::vector<std::vector<double>> orthonormal_basis(std::span<const std::vector<double>> directions,
                                                                        double least) {
  std::vector<std::vector<double>> basis;
  for (std::vector<double> v : directions) {
    project_off(v, std::span<const std::vector<double>>(basis));
    const double length = core::as_vector(v).norm();
    if (length < least) continue;
    core::as_vector(v) /= length;
    basis.push_back(std::move(v));
  }
  return basis;
}

/// (W Wᵀ)^-½ W: the orthonormal rows nearest to those of W, none preferred to another (Löwdin 1950).
///
/// **Cost**: one eigenproblem of as many rows.
[[nodiscard]] inline Matrix<double> nearest_orthonormal(const Matrix<double>& w) {
  const Matrix<double> root =
      detail::spectral_function(w * w.transpose(), 1e-12, [](double value) { return 1.0 / std::sqrt(value); });
  return root * w;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
