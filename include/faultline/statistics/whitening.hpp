// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Coordinates in which directions are compared: w with its class means removed and its within-class covariance made the
// identity (method.md: Conditions).

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/linear_algebra.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Whitened coordinates of w, fitted once and then frozen.
///
/// With the pooled within-class covariance Σ = U Λ Uᵀ (eigenvalues descending, those below `drop` times the trace left
/// out) the coordinates are w̃ = Λ^-½ Uᵀ (w − class mean): the eigen-basis, not the symmetric root, so that w̃ has as
/// many entries as eigenvalues are kept. The two differ by a rotation, which changes no norm, angle, effect or test. A
/// unit vector v in w̃ moves w by U Λ^½ v per standard deviation, written Σ^½ v elsewhere: v·w̃ grows by one, and what
/// is uncorrelated with v·w̃ stays where it is on average.
struct Whitening {
  Matrix<double> class_means;       ///< `[classes, d]`; a class without samples has the mean of all
  std::vector<double> eigenvalues;  ///< `[r]`, kept, descending
  Matrix<double> to_white;          ///< `[r, d]` = Λ^-½ Uᵀ
  /// `[r, d]` = Λ^½ Uᵀ; row i is the step of one standard deviation along coordinate i
  Matrix<double> from_white;
  double dropped_share = 0.0;  ///< share of the trace in the eigenvalues left out

  [[nodiscard]] std::int64_t dimension() const noexcept { return to_white.cols(); }  ///< d, of w
  [[nodiscard]] std::int64_t rank() const noexcept { return to_white.rows(); }       ///< r, of w̃
  [[nodiscard]] std::int64_t classes() const noexcept { return class_means.rows(); }
};

/// Whitening from a covariance and class means that are known already (for example from merged moments).
///
/// **Shapes**: covariance `[d, d]`, class_means `[classes, d]`.
/// **Throws** `shape_mismatch`; `degenerate_statistics` when the covariance is zero or not finite. **Cost**: one
/// eigenproblem, O(d³).
[[nodiscard]] Whitening make_whitening(const Matrix<double>& covariance, Matrix<double> class_means,
                                       double drop = 1e-4);

/// Fits the whitening to samples.
///
/// **Shapes**: w `[N, d]`, labels `[N]` in 0 .. classes − 1.
/// **Formula**: Σ = Σ_i (w_i − mean of its class)(…)ᵀ / (N − classes present), in double.
/// **Throws** `shape_mismatch`, `label_out_of_range`; `degenerate_statistics` with no more samples than classes or
/// without variation. **Cost**: N d² + O(d³).
/// Example: `Whitening white = fit_whitening(discovery.w, discovery.labels, 10); Matrix<double> x = whiten(white,
/// confirmation.w, confirmation.labels);`
[[nodiscard]] Whitening fit_whitening(const Matrix<float>& w, std::span<const std::int64_t> labels,
                                      std::int64_t classes, double drop = 1e-4);

/// Whitened coordinates of samples: `[N, d]` -> `[N, r]`.
///
/// **Throws** `shape_mismatch`, `label_out_of_range`. **Cost**: N d r.
[[nodiscard]] Matrix<double> whiten(const Whitening& whitening, const Matrix<float>& w,
                                    std::span<const std::int64_t> labels);

/// The step of w by one standard deviation along each direction: rows v `[K, r]` in w̃ -> rows Σ^½ v `[K, d]` in w.
///
/// **Throws** `shape_mismatch`. Example: `w + t · unwhiten_directions(white, v).row_span(0)` is t standard deviations
/// along the first direction.
[[nodiscard]] Matrix<double> unwhiten_directions(const Whitening& whitening, const Matrix<double>& directions);

/// Steps of w as vectors in w̃: rows `[K, d]` -> `[K, r]`; the inverse of `unwhiten_directions` on what it returns.
/// Parts in dropped eigenvectors vanish.
///
/// **Throws** `shape_mismatch`.
[[nodiscard]] Matrix<double> whiten_steps(const Whitening& whitening, const Matrix<double>& steps);

/// Projections of w expressed in w̃, as unit directions with their spread.
struct ProjectionDirections {
  Matrix<double> directions;       ///< `[K, r]` unit vectors; a zero row where the projection does not vary
  std::vector<double> deviations;  ///< `[K]` within-class standard deviation of each projection
};

/// Directions of linear functions of w, above all of style channels: a·w + b equals deviation · (v·w̃) plus a constant
/// per class.
///
/// **Shapes**: rows a `[K, d]` (the style matrix A for all channels) -> directions `[K, r]`.
/// **Formula**: v ∝ Λ^½ Uᵀ a, deviation its norm: the correlation of two projections within classes is the scalar
/// product of their directions.
/// **Throws** `shape_mismatch`. **Cost**: K d r.
template <class Real>
[[nodiscard]] ProjectionDirections projection_directions(const Whitening& whitening, const Matrix<Real>& rows) {
  if (rows.cols() != whitening.dimension())
    throw Error(ErrorCode::shape_mismatch, "projection_directions",
                "expected rows of dimension " + std::to_string(whitening.dimension()));
  const Matrix<double> a = rows.template cast<double>();
  ProjectionDirections result{detail::product_transposed(a, whitening.from_white), {}};
  for (std::int64_t k = 0; k < a.rows(); ++k) {
    auto direction = core::as_vector(result.directions.row_span(k));
    result.deviations.push_back(direction.norm());
    direction.normalize();  // leaves zeros as they are
  }
  return result;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/whitening_impl.hpp>
#endif
