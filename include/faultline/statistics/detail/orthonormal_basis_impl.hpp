// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/orthonormal_basis.hpp.

#include <faultline/statistics/orthonormal_basis.hpp>

#include <faultline/statistics/decompositions.hpp>

#include <cmath>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE void project_off(std::span<double> x, std::span<const double> v) noexcept {
  detail::add_scaled(x, -core::dot(x, v), v);
}

FAULTLINE_INLINE void project_off(std::span<double> x, std::span<const std::vector<double>> basis) noexcept {
  for (int pass = 0; pass < 2; ++pass)
    for (const auto& v : basis) project_off(x, std::span<const double>(v));
}

FAULTLINE_INLINE std::vector<std::vector<double>> orthonormal_basis(std::span<const std::vector<double>> directions,
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

FAULTLINE_INLINE Matrix<double> nearest_orthonormal(const Matrix<double>& w) {
  const Matrix<double> root = detail::spectral_function(detail::product_transposed(w, w), 1e-12,
                                                        [](double value) { return 1.0 / std::sqrt(value); });
  return detail::product(root, w);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
