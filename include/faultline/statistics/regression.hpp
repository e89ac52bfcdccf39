// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Directions that move one measured property and hold the others: the property family of candidates (method section
// 5.1).

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/detail/dense.hpp>
#include <faultline/statistics/detail/symmetric_eigen.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

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

namespace detail {

/// Columns minus their class means, over their pooled within-class deviation; a column that does not vary becomes zero.
[[nodiscard]] inline Matrix<double> standardise_within(const Matrix<float>& values,
                                                       std::span<const std::int64_t> labels, std::int64_t classes,
                                                       std::vector<double>& deviations) {
  const std::int64_t p = values.cols();
  Matrix<double> means(classes, p);
  std::vector<double> counts(static_cast<std::size_t>(classes), 0.0);
  for (std::int64_t i = 0; i < values.rows(); ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    require_label("regress_on_properties", label, classes);
    counts[static_cast<std::size_t>(label)] += 1.0;
    for (std::int64_t j = 0; j < p; ++j) means(label, j) += static_cast<double>(values(i, j));
  }
  double present = 0.0;
  for (std::int64_t c = 0; c < classes; ++c) {
    const double count = counts[static_cast<std::size_t>(c)];
    if (!(count > 0.0)) continue;
    present += 1.0;
    for (std::int64_t j = 0; j < p; ++j) means(c, j) /= count;
  }
  Matrix<double> out(values.rows(), p);
  deviations.assign(static_cast<std::size_t>(p), 0.0);
  for (std::int64_t j = 0; j < p; ++j) {
    double squares = 0.0;
    double size = 0.0;
    for (std::int64_t i = 0; i < values.rows(); ++i) {
      const double raw = static_cast<double>(values(i, j));
      out(i, j) = raw - means(labels[static_cast<std::size_t>(i)], j);
      squares += out(i, j) * out(i, j);
      size = std::max(size, std::abs(raw));
    }
    const double deviation = std::sqrt(squares / std::max(1.0, static_cast<double>(values.rows()) - present));
    // Below the resolution of the float it came in, a difference is rounding.
    const bool varies = deviation > 1e-7 * size;
    deviations[static_cast<std::size_t>(j)] = varies ? deviation : 0.0;
    for (std::int64_t i = 0; i < values.rows(); ++i) out(i, j) = varies ? out(i, j) / deviation : 0.0;
  }
  return out;
}

}  // namespace detail

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
[[nodiscard]] inline PropertyRegression regress_on_properties(const Matrix<double>& whitened,
                                                              const Matrix<float>& properties,
                                                              std::span<const std::int64_t> labels,
                                                              std::int64_t classes) {
  constexpr const char* where = "regress_on_properties";
  const std::int64_t n = whitened.rows();
  const std::int64_t r = whitened.cols();
  const std::int64_t p = properties.cols();
  if (properties.rows() != n || static_cast<std::int64_t>(labels.size()) != n)
    throw Error(ErrorCode::shape_mismatch, where,
                "expected a row of properties and a label for each of " + std::to_string(n) + " samples");
  if (classes < 1) throw Error(ErrorCode::invalid_argument, where, "expected at least one class");
  if (n - classes <= r)
    throw Error(ErrorCode::degenerate_statistics, where,
                "expected more samples than coordinates and classes together, got " + std::to_string(n));
  for (const float value : properties.values()) {
    if (!std::isfinite(value))
      throw Error(ErrorCode::invalid_argument, where,
                  "expected finite properties; leave out one that some images do not have");
  }
  PropertyRegression fit;
  const Matrix<double> m = detail::standardise_within(properties, labels, classes, fit.deviations);
  fit.directions.resize(p, r);
  fit.slopes.assign(static_cast<std::size_t>(p), 0.0);
  fit.r_squared.assign(static_cast<std::size_t>(p), 0.0);
  if (p == 0) return fit;

  const Matrix<double> cross = detail::transposed_multiply(m, whitened);  // [P, r]
  const auto invert = [](double value) { return 1.0 / value; };
  const Matrix<double> property_inverse =
      detail::spectral_function(detail::symmetric_eigen(detail::transposed_multiply(m, m)), 1e-8, invert);
  fit.directions = detail::multiply(property_inverse, cross);
  const Matrix<double> coordinate_inverse =
      detail::spectral_function(detail::symmetric_eigen(detail::transposed_multiply(whitened, whitened)), 1e-8, invert);
  for (std::int64_t j = 0; j < p; ++j) {
    const auto at = static_cast<std::size_t>(j);
    if (!(fit.deviations[at] > 0.0)) {
      std::fill(fit.directions.row_span(j).begin(), fit.directions.row_span(j).end(), 0.0);
      continue;
    }
    double square = 0.0;
    for (const double value : fit.directions.row_span(j)) square += value * value;
    fit.slopes[at] = std::sqrt(square);
    for (double& value : fit.directions.row_span(j)) value = square > 0.0 ? value / fit.slopes[at] : 0.0;

    const double explained =
        detail::dot(detail::matrix_vector(coordinate_inverse, cross.row_span(j)), cross.row_span(j));
    double total = 0.0;
    for (std::int64_t i = 0; i < n; ++i) total += m(i, j) * m(i, j);
    const auto freedom = static_cast<double>(n - classes);
    fit.r_squared[at] = 1.0 - (1.0 - explained / total) * freedom / (freedom - static_cast<double>(r));
  }
  return fit;
}

}  // namespace v1
}  // namespace faultline
