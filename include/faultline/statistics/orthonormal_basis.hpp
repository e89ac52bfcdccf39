// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Orthonormal directions: what is left of a direction off others, the basis of a span, the orthonormal rows nearest to
// given ones.

#include <faultline/core/matrix.hpp>

#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// x − (x·v) v: what is left of x off the unit vector v.
void project_off(std::span<double> x, std::span<const double> v) noexcept;

/// What is left of x off all directions of an orthonormal basis.
///
/// Done twice, which is enough for orthogonality to rounding (Giraud, Langou and Rozložník 2005).
void project_off(std::span<double> x, std::span<const std::vector<double>> basis) noexcept;

/// Orthonormal basis of what the directions span, in their order: each adds what is left of it off those before (Gram
/// and Schmidt), unless that is shorter than `least`.
[[nodiscard]] std::vector<std::vector<double>> orthonormal_basis(std::span<const std::vector<double>> directions,
                                                                 double least);

/// (W Wᵀ)^-½ W: the orthonormal rows nearest to those of W, none preferred to another (Löwdin 1950).
///
/// **Cost**: one eigenproblem of as many rows.
[[nodiscard]] Matrix<double> nearest_orthonormal(const Matrix<double>& w);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/orthonormal_basis_impl.hpp>
#endif
