// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Directions that move one measured property and hold the others: the property family of candidates (method section
// 5.1).

#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// What a joint least-squares fit says about measured properties.
struct PropertyRegression {
  /// `[P, r]` unit vectors in w̃; a zero row where the property does not vary within classes
  Matrix<double> directions;
  /// `[P]` length of the fitted row: move along the direction, in standard deviations, per standard deviation of the
  /// property
  std::vector<double> slopes;
  /// `[P]` share of the property that w̃ predicts linearly, adjusted for the number of coordinates (so about 0, or
  /// below, for noise)
  std::vector<double> r_squared;
  std::vector<double> deviations;  ///< `[P]` pooled within-class standard deviation of the property
};

/// Regresses w̃ on all properties jointly, and every property on w̃.
///
/// **Shapes**: whitened `[N, r]` with class means zero, as `whiten` gives them on the samples it was fitted to;
/// properties `[N, P]`, finite; labels `[N]`.
/// **Formula**: with M the properties standardised within class, directions are the rows of (MᵀM)⁺ Mᵀ w̃ scaled to
/// length 1: the expected move of w̃ when one property grows and the others stay. R²_j = 1 − (1 − ‖Pm_j‖² / ‖m_j‖²)(N −
/// C) / (N − C − r), P the projection on the columns of w̃ (adjusted R², Ezekiel 1930). The pseudoinverse leaves out
/// eigenvalues below 1e-8 of the largest, so properties that repeat each other share their direction instead of making
/// the fit explode.
/// **Throws** `shape_mismatch`, `label_out_of_range`, `invalid_argument` for a property that is not finite,
/// `degenerate_statistics` unless N − classes > r.
/// **Cost**: N r (r + P) multiplications. Example: `auto fit = regress_on_properties(white, population.properties,
/// population.label, 10); if (fit.r_squared[0] >= .1) ...`
[[nodiscard]] PropertyRegression regress_on_properties(const Matrix<double>& whitened, const Matrix<float>& properties,
                                                       std::span<const std::int64_t> labels, std::int64_t classes);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/regression_impl.hpp>
#endif
