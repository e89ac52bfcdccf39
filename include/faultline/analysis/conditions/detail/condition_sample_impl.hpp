// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/condition_sample.hpp.

#include <faultline/analysis/conditions/condition_sample.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/within_class_moments.hpp>
#include <faultline/statistics/within_class_scores.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE ReadingVectors fit_reading_vectors(const Matrix<double>& whitened, const Matrix<float>& properties,
                                                    std::span<const std::int64_t> labels, std::int64_t classes) {
  constexpr const char* where = "fit_reading_vectors";
  const std::int64_t n = properties.rows(), count = properties.cols(), r = whitened.cols();
  if (whitened.rows() != n && r > 0)
    throw Error(ErrorCode::shape_mismatch, where, "expected one row of coordinates for each row of properties");
  const statistics::GroupMeans means = statistics::group_means(where, properties, labels, classes);
  ReadingVectors reading_vectors{
      Matrix<double>(count, r), std::vector<double>(static_cast<std::size_t>(count), 0.0), {}};
  // below the resolution of the float it came in, a difference is rounding
  reading_vectors.deviations = statistics::within_deviations(properties, labels, means, means.freedom(), 1e-7);
  const double freedom = means.freedom();
  if (count == 0 || r == 0 || !(freedom > static_cast<double>(r))) return reading_vectors;
  // ranks, so that a long tail of the property does not decide where it grows
  Matrix<double> scores(n, count);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < count; ++k) {
    if (!(reading_vectors.deviations[static_cast<std::size_t>(k)] > 0.0)) continue;
    for (std::int64_t i = 0; i < n; ++i) values[static_cast<std::size_t>(i)] = static_cast<double>(properties(i, k));
    values = statistics::within_class_scores(values, labels, classes);
    for (std::int64_t i = 0; i < n; ++i) scores(i, k) = values[static_cast<std::size_t>(i)];
  }
  Matrix<double> cross(count, r);
  std::vector<double> spread(static_cast<std::size_t>(count), 0.0);
  for (std::int64_t first = 0; first < n; first += statistics::fixed_sum_rows) {
    const std::int64_t rows = std::min(statistics::fixed_sum_rows, n - first);
    const auto m = statistics::detail::rows_of(scores, first, rows);
    cross += statistics::detail::transposed_product(m, statistics::detail::rows_of(whitened, first, rows));
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t k = 0; k < count; ++k) spread[static_cast<std::size_t>(k)] += m(i, k) * m(i, k);
  }
  const Matrix<double> squares =
      statistics::detail::weighted_squares(whitened, Eigen::VectorXd(Eigen::VectorXd::Ones(n)));
  const Matrix<double> inverse =
      statistics::detail::spectral_function(squares, 1e-10, [](double value) { return 1.0 / value; });
  reading_vectors.vectors = statistics::detail::product(cross, inverse);
  for (std::int64_t k = 0; k < count; ++k) {
    const double all = spread[static_cast<std::size_t>(k)];
    const double explained = all > 0.0 ? core::dot(reading_vectors.vectors.row_span(k), cross.row_span(k)) / all : 0.0;
    if (reading_vectors.deviations[static_cast<std::size_t>(k)] > 0.0)
      reading_vectors.r_squared[static_cast<std::size_t>(k)] =
          1.0 - (1.0 - explained) * freedom / (freedom - static_cast<double>(r));
  }
  return reading_vectors;
}

FAULTLINE_INLINE ConditionSample make_condition_sample(const Population& population, const Matrix<double>& whitened,
                                                       std::span<const std::int64_t> rows,
                                                       const ReadingVectors& reading_vectors, std::int64_t classes) {
  ConditionSample sample;
  sample.classes = classes;
  sample.row.assign(rows.begin(), rows.end());
  const auto label_of = [&](std::int64_t row) { return population.label[static_cast<std::size_t>(row)]; };
  std::stable_sort(sample.row.begin(), sample.row.end(),
                   [&](std::int64_t a, std::int64_t b) { return label_of(a) < label_of(b); });
  const auto n = static_cast<std::int64_t>(sample.row.size());
  const std::int64_t count = population.properties.cols(), r = whitened.cols();
  sample.whitened.resize(n, r);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t row = sample.row[static_cast<std::size_t>(i)];
    sample.label.push_back(label_of(row));
    sample.failed.push_back(population.failed[static_cast<std::size_t>(row)]);
    std::ranges::copy(whitened.row_span(row), sample.whitened.row_span(i).begin());
  }
  sample.scores.resize(count, n);
  sample.projections.resize(count, n);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t i = 0; i < n; ++i)
      values[static_cast<std::size_t>(i)] =
          static_cast<double>(population.properties(sample.row[static_cast<std::size_t>(i)], k));
    const std::vector<double> scores = statistics::within_class_scores(values, sample.label, classes);
    std::copy(scores.begin(), scores.end(), sample.scores.row_span(k).begin());
    if (r == 0 || reading_vectors.r_squared[static_cast<std::size_t>(k)] < least_r_squared) continue;
    values = core::to_list(
        statistics::detail::product(sample.whitened, core::as_vector(reading_vectors.vectors.row_span(k))));
    const std::vector<double> read = statistics::within_class_scores(values, sample.label, classes);
    std::copy(read.begin(), read.end(), sample.projections.row_span(k).begin());
  }
  return sample;
}

FAULTLINE_INLINE ConditionSample subset(const ConditionSample& sample, std::span<const std::int64_t> positions) {
  ConditionSample part;
  part.classes = sample.classes;
  const auto n = static_cast<std::int64_t>(positions.size());
  part.scores.resize(sample.scores.rows(), n);
  part.projections.resize(sample.projections.rows(), n);
  part.whitened.resize(n, sample.whitened.cols());
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t at = positions[static_cast<std::size_t>(i)];
    part.row.push_back(sample.row[static_cast<std::size_t>(at)]);
    part.label.push_back(sample.label[static_cast<std::size_t>(at)]);
    part.failed.push_back(sample.failed[static_cast<std::size_t>(at)]);
    std::ranges::copy(sample.whitened.row_span(at), part.whitened.row_span(i).begin());
    for (std::int64_t k = 0; k < sample.scores.rows(); ++k) part.scores(k, i) = sample.scores(k, at);
    for (std::int64_t k = 0; k < sample.projections.rows(); ++k) part.projections(k, i) = sample.projections(k, at);
  }
  return part;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
