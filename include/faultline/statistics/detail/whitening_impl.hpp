// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/whitening.hpp.

#include <faultline/statistics/whitening.hpp>

#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE Whitening make_whitening(const Matrix<double>& covariance, Matrix<double> class_means, double drop) {
  constexpr const char* where = "make_whitening";
  const std::int64_t d = covariance.rows();
  if (covariance.cols() != d || class_means.cols() != d)
    throw Error(ErrorCode::shape_mismatch, where, "expected a square covariance and class means of the same dimension");
  const double trace = covariance.trace();
  if (!(trace > 0.0) || !std::isfinite(trace)) {
    throw Error(ErrorCode::degenerate_statistics, where,
                "the latent vectors do not vary within classes (or are not finite); does the generator map every z to "
                "the same w?");
  }
  const detail::Eigenpairs axes = detail::symmetric_eigenpairs(covariance);
  Eigen::Index rank = 0;  // the values are in descending order
  while (rank < axes.values.size() && axes.values[rank] >= drop * trace) ++rank;
  Whitening result;
  result.class_means = std::move(class_means);
  result.to_white = detail::rows_of(axes.vectors, 0, rank);
  result.from_white = result.to_white;
  double kept = 0.0;
  for (Eigen::Index i = 0; i < rank; ++i) {
    const double value = axes.values[i];
    result.eigenvalues.push_back(value);
    kept += value;
    core::as_vector(result.to_white.row_span(i)) /= std::sqrt(value);
    core::as_vector(result.from_white.row_span(i)) *= std::sqrt(value);
  }
  result.dropped_share = std::max(0.0, 1.0 - kept / trace);
  return result;
}

FAULTLINE_INLINE Whitening fit_whitening(const Matrix<float>& w, std::span<const std::int64_t> labels,
                                         std::int64_t classes, double drop) {
  constexpr const char* where = "fit_whitening";
  if (static_cast<std::int64_t>(labels.size()) != w.rows())
    throw Error(ErrorCode::shape_mismatch, where, "expected one label per row of w");
  if (classes < 1) throw Error(ErrorCode::invalid_argument, where, "expected at least one class");
  GroupMeans means = group_means(where, w, labels, classes);
  if (!(means.freedom() > 0.0))
    throw Error(ErrorCode::degenerate_statistics, where,
                "expected more samples than classes, got " + std::to_string(w.rows()));
  const Matrix<double> covariance = within_covariance(w, labels, means);
  const Eigen::VectorXd grand = detail::transposed_product(means.mean, core::as_vector(means.count)) / means.rows();
  for (std::int64_t c = 0; c < classes; ++c)
    if (means.count[static_cast<std::size_t>(c)] == 0.0) core::as_vector(means.mean.row_span(c)) = grand;
  return make_whitening(covariance, std::move(means.mean), drop);
}

FAULTLINE_INLINE Matrix<double> whiten(const Whitening& whitening, const Matrix<float>& w,
                                       std::span<const std::int64_t> labels) {
  if (w.cols() != whitening.dimension() || static_cast<std::int64_t>(labels.size()) != w.rows()) {
    throw Error(ErrorCode::shape_mismatch, "whiten",
                "expected w of dimension " + std::to_string(whitening.dimension()) +
                    " with one label per row, got dimension " + std::to_string(w.cols()) + " and " +
                    std::to_string(labels.size()) + " labels for " + std::to_string(w.rows()) + " rows");
  }
  for (const std::int64_t label : labels) require_label("whiten", label, whitening.classes());
  Matrix<double> out(w.rows(), whitening.rank());
  for (std::int64_t first = 0; first < w.rows(); first += fixed_sum_rows) {  // bounds the double copy of w
    const std::int64_t count = std::min(fixed_sum_rows, w.rows() - first);
    const Matrix<double> centred = centred_rows(w, labels, whitening.class_means, first, count);
    detail::rows_of(out, first, count) = detail::product_transposed(centred, whitening.to_white);
  }
  return out;
}

FAULTLINE_INLINE Matrix<double> unwhiten_directions(const Whitening& whitening, const Matrix<double>& directions) {
  if (directions.cols() != whitening.rank())
    throw Error(ErrorCode::shape_mismatch, "unwhiten_directions",
                "expected directions of dimension " + std::to_string(whitening.rank()));
  return detail::product(directions, whitening.from_white);
}

FAULTLINE_INLINE Matrix<double> whiten_steps(const Whitening& whitening, const Matrix<double>& steps) {
  if (steps.cols() != whitening.dimension())
    throw Error(ErrorCode::shape_mismatch, "whiten_steps",
                "expected steps of dimension " + std::to_string(whitening.dimension()));
  return detail::product_transposed(steps, whitening.to_white);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
