// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Coordinates in which directions are compared: w with its class means removed and its within-class covariance made the
// identity (method section 5.1).

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
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

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
  /// `[r, d]` = Λ^½ Uᵀ; row i is the move of one standard deviation along coordinate i
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
[[nodiscard]] inline Whitening make_whitening(const Matrix<double>& covariance, Matrix<double> class_means,
                                              double drop = 1e-4) {
  constexpr const char* where = "make_whitening";
  const std::int64_t d = covariance.rows();
  if (covariance.cols() != d || class_means.cols() != d)
    throw Error(ErrorCode::shape_mismatch, where, "expected a square covariance and class means of the same dimension");
  double trace = 0.0;
  for (std::int64_t i = 0; i < d; ++i) trace += covariance(i, i);
  if (!(trace > 0.0) || !std::isfinite(trace)) {
    throw Error(ErrorCode::degenerate_statistics, where,
                "the latent vectors do not vary within classes (or are not finite); does the generator map every z to "
                "the same w?");
  }
  const auto eigen = detail::symmetric_eigen(covariance);
  Whitening result;
  result.class_means = std::move(class_means);
  double kept = 0.0;
  for (const double value : eigen.values) {
    if (value < drop * trace) break;
    result.eigenvalues.push_back(value);
    kept += value;
  }
  const auto rank = static_cast<std::int64_t>(result.eigenvalues.size());
  result.to_white.resize(rank, d);
  result.from_white.resize(rank, d);
  for (std::int64_t i = 0; i < rank; ++i) {
    const double root = std::sqrt(result.eigenvalues[static_cast<std::size_t>(i)]);
    for (std::int64_t j = 0; j < d; ++j) {
      result.to_white(i, j) = eigen.vectors(i, j) / root;
      result.from_white(i, j) = eigen.vectors(i, j) * root;
    }
  }
  result.dropped_share = std::max(0.0, 1.0 - kept / trace);
  return result;
}

/// Fits the whitening to samples.
///
/// **Shapes**: w `[N, d]`, labels `[N]` in 0 .. classes − 1.
/// **Formula**: Σ = Σ_i (w_i − mean of its class)(…)ᵀ / (N − classes present), in double.
/// **Throws** `shape_mismatch`, `label_out_of_range`; `degenerate_statistics` with no more samples than classes or
/// without variation. **Cost**: N d² + O(d³).
/// Example: `Whitening white = fit_whitening(discovery.w, discovery.labels, 10); Matrix<double> x = whiten(white,
/// confirmation.w, confirmation.labels);`
[[nodiscard]] inline Whitening fit_whitening(const Matrix<float>& w, std::span<const std::int64_t> labels,
                                             std::int64_t classes, double drop = 1e-4) {
  constexpr const char* where = "fit_whitening";
  if (static_cast<std::int64_t>(labels.size()) != w.rows())
    throw Error(ErrorCode::shape_mismatch, where, "expected one label per row of w");
  if (classes < 1) throw Error(ErrorCode::invalid_argument, where, "expected at least one class");
  const std::int64_t d = w.cols();
  Matrix<double> means(classes, d);
  std::vector<double> counts(static_cast<std::size_t>(classes), 0.0);
  std::vector<double> grand(static_cast<std::size_t>(d), 0.0);
  for (std::int64_t i = 0; i < w.rows(); ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    detail::require_label(where, label, classes);
    counts[static_cast<std::size_t>(label)] += 1.0;
    for (std::int64_t j = 0; j < d; ++j) means(label, j) += static_cast<double>(w(i, j));
  }
  double present = 0.0;
  for (std::int64_t c = 0; c < classes; ++c) {
    const double count = counts[static_cast<std::size_t>(c)];
    present += count > 0.0 ? 1.0 : 0.0;
    for (std::int64_t j = 0; j < d; ++j) {
      grand[static_cast<std::size_t>(j)] += means(c, j) / static_cast<double>(w.rows());
      if (count > 0.0) means(c, j) /= count;
    }
  }
  const double freedom = static_cast<double>(w.rows()) - present;
  if (!(freedom > 0.0))
    throw Error(ErrorCode::degenerate_statistics, where,
                "expected more samples than classes, got " + std::to_string(w.rows()));
  for (std::int64_t c = 0; c < classes; ++c) {
    if (counts[static_cast<std::size_t>(c)] == 0.0) {
      for (std::int64_t j = 0; j < d; ++j) means(c, j) = grand[static_cast<std::size_t>(j)];
    }
  }
  Matrix<double> covariance(d, d);
  constexpr std::int64_t block = 2048;  // bounds the double copy of w
  for (std::int64_t first = 0; first < w.rows(); first += block) {
    Matrix<double> centred(std::min(block, w.rows() - first), d);
    for (std::int64_t i = 0; i < centred.rows(); ++i) {
      for (std::int64_t j = 0; j < d; ++j)
        centred(i, j) = static_cast<double>(w(first + i, j)) - means(labels[static_cast<std::size_t>(first + i)], j);
    }
    detail::add_gram(centred, covariance);
  }
  for (double& value : covariance.values()) value /= freedom;
  return make_whitening(covariance, std::move(means), drop);
}

/// Whitened coordinates of samples: `[N, d]` -> `[N, r]`.
///
/// **Throws** `shape_mismatch`, `label_out_of_range`. **Cost**: N d r.
[[nodiscard]] inline Matrix<double> whiten(const Whitening& whitening, const Matrix<float>& w,
                                           std::span<const std::int64_t> labels) {
  if (w.cols() != whitening.dimension() || static_cast<std::int64_t>(labels.size()) != w.rows()) {
    throw Error(ErrorCode::shape_mismatch, "whiten",
                "expected w of dimension " + std::to_string(whitening.dimension()) +
                    " with one label per row, got dimension " + std::to_string(w.cols()) + " and " +
                    std::to_string(labels.size()) + " labels for " + std::to_string(w.rows()) + " rows");
  }
  Matrix<double> out(w.rows(), whitening.rank());
  constexpr std::int64_t block = 2048;
  for (std::int64_t first = 0; first < w.rows(); first += block) {
    Matrix<double> centred(std::min(block, w.rows() - first), w.cols());
    for (std::int64_t i = 0; i < centred.rows(); ++i) {
      const std::int64_t label = labels[static_cast<std::size_t>(first + i)];
      detail::require_label("whiten", label, whitening.classes());
      for (std::int64_t j = 0; j < w.cols(); ++j)
        centred(i, j) = static_cast<double>(w(first + i, j)) - whitening.class_means(label, j);
    }
    detail::add_product<double>(centred, whitening.to_white, out.row_span(first).data());
  }
  return out;
}

/// The move of w by one standard deviation along each direction: rows v `[K, r]` in w̃ -> rows Σ^½ v `[K, d]` in w.
///
/// **Throws** `shape_mismatch`. Example: `w + t · unwhiten_directions(white, v).row_span(0)` is t standard deviations
/// along the first direction.
[[nodiscard]] inline Matrix<double> unwhiten_directions(const Whitening& whitening, const Matrix<double>& directions) {
  if (directions.cols() != whitening.rank())
    throw Error(ErrorCode::shape_mismatch, "unwhiten_directions",
                "expected directions of dimension " + std::to_string(whitening.rank()));
  return detail::multiply(directions, whitening.from_white);
}

/// Moves of w as vectors in w̃: rows `[K, d]` -> `[K, r]`; the inverse of `unwhiten_directions` on what it returns.
/// Parts in dropped eigenvectors vanish.
///
/// **Throws** `shape_mismatch`.
[[nodiscard]] inline Matrix<double> whiten_moves(const Whitening& whitening, const Matrix<double>& moves) {
  if (moves.cols() != whitening.dimension())
    throw Error(ErrorCode::shape_mismatch, "whiten_moves",
                "expected moves of dimension " + std::to_string(whitening.dimension()));
  return detail::multiply_transposed(moves, whitening.to_white);
}

/// Linear readings of w expressed in w̃, as unit directions with their spread.
struct ReadingDirections {
  Matrix<double> directions;       ///< `[K, r]` unit vectors; a zero row where the reading does not vary
  std::vector<double> deviations;  ///< `[K]` within-class standard deviation of each reading
};

/// Directions of linear functions of w, above all of style channels: a·w + b equals deviation · (v·w̃) plus a constant
/// per class.
///
/// **Shapes**: rows a `[K, d]` (the style matrix A for all channels) -> directions `[K, r]`.
/// **Formula**: v ∝ Λ^½ Uᵀ a, deviation its norm: the correlation of two readings within classes is the scalar product
/// of their directions.
/// **Throws** `shape_mismatch`. **Cost**: K d r.
template <class Real>
[[nodiscard]] ReadingDirections reading_directions(const Whitening& whitening, const Matrix<Real>& readings) {
  if (readings.cols() != whitening.dimension())
    throw Error(ErrorCode::shape_mismatch, "reading_directions",
                "expected rows of dimension " + std::to_string(whitening.dimension()));
  ReadingDirections result{detail::multiply_transposed(detail::converted<double>(readings), whitening.from_white),
                           std::vector<double>(static_cast<std::size_t>(readings.rows()), 0.0)};
  for (std::int64_t k = 0; k < readings.rows(); ++k) {
    double square = 0.0;
    for (const double value : result.directions.row_span(k)) square += value * value;
    const double deviation = std::sqrt(square);
    result.deviations[static_cast<std::size_t>(k)] = deviation;
    for (double& value : result.directions.row_span(k)) value = deviation > 0.0 ? value / deviation : 0.0;
  }
  return result;
}

}  // namespace v1
}  // namespace faultline
