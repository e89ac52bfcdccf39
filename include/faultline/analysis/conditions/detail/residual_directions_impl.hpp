// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/residual_directions.hpp.

#include <faultline/analysis/conditions/residual_directions.hpp>

#include <faultline/core/random.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/fixed_sums.hpp>
#include <faultline/statistics/natural_spline.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>
#include <faultline/statistics/within_class_scores.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Rows of one class, or all.
struct RowRange {
  std::int64_t first = 0, count = 0;
};
[[nodiscard]] inline RowRange rows_of_class(const ConditionSample& sample, std::optional<std::int64_t> class_label) {
  if (!class_label) return {0, sample.size()};
  const auto [begin, end] = std::equal_range(sample.label.begin(), sample.label.end(), *class_label);
  return {begin - sample.label.begin(), end - begin};
}

[[nodiscard]] inline std::vector<double> residuals_of(const ConditionSample& sample,
                                                      const statistics::LogisticFit& fit) {
  std::vector<double> residual(sample.failed.size());
  for (std::size_t i = 0; i < residual.size(); ++i)
    residual[i] = (sample.failed[i] != 0 ? 1.0 : 0.0) - fit.probability[i];
  return residual;
}

/// Takes out of each row what lies in the span of the orthonormal rows of `held`.
template <class Rows>
[[nodiscard]] Matrix<double> off_span(const Eigen::MatrixBase<Rows>& rows, const Matrix<double>& held) {
  if (held.rows() == 0) return Matrix<double>(rows);
  return Matrix<double>(rows - (rows * held.transpose()) * held);
}

/// Σ weight_i x_i x_iᵀ in fixed parts.
[[nodiscard]] inline Matrix<double> weighted_squares(const Matrix<double>& x, const Eigen::VectorXd& weight) {
  return statistics::fixed_sum(
      x.rows(), Matrix<double>(x.cols(), x.cols()), [&](std::int64_t first, std::int64_t count) -> Matrix<double> {
        const auto part = x.middleRows(first, count);
        return Matrix<double>(part.transpose() * (weight.segment(first, count).asDiagonal() * part));
      });
}

}  // namespace detail

FAULTLINE_INLINE Matrix<double> spanned_by(std::span<const Term> terms, const PropertyReadings& readings) {
  const std::int64_t r = readings.vectors.cols();
  std::vector<std::vector<double>> directions;
  const auto add = [&](std::int64_t property) {
    if (property < 0 || readings.r_squared[static_cast<std::size_t>(property)] < least_reading) return;
    std::vector<double> vector = core::to_list(readings.vectors.row(property));
    core::as_vector(vector).normalize();
    directions.push_back(std::move(vector));
  };
  for (const Term& term : terms) {
    add(term.property);
    add(term.other);
    for (std::int64_t m = 0; m < term.directions.rows(); ++m)
      directions.push_back(core::to_list(term.directions.row(m)));
  }
  const auto rows = statistics::orthonormal_basis(directions, 1e-6);
  Matrix<double> basis(static_cast<std::int64_t>(rows.size()), r);
  for (std::size_t k = 0; k < rows.size(); ++k)
    basis.row(static_cast<Eigen::Index>(k)) = core::as_vector(rows[k]).transpose();
  return basis;
}

FAULTLINE_INLINE std::optional<Term> residual_direction(const ConditionSample& sample, const Matrix<double>& x,
                                                        const statistics::LogisticFit& fit, const Matrix<double>& held,
                                                        std::optional<std::int64_t> class_label) {
  const detail::RowRange rows = detail::rows_of_class(sample, class_label);
  if (rows.count == 0 || sample.whitened.cols() <= held.rows()) return std::nullopt;
  const Matrix<double> w = detail::off_span(sample.whitened.middleRows(rows.first, rows.count), held);
  // where a linear logit would point: under latents of elliptical distribution that is the right direction whatever the
  // shape along it, up to noise (Li and Duan 1989)
  Matrix<double> linear(sample.size(), x.cols() + w.cols());
  linear.leftCols(x.cols()) = x;
  linear.rightCols(w.cols()).middleRows(rows.first, rows.count) = w;
  const statistics::LogisticFit straight =
      statistics::fit_logistic(linear, sample.label, sample.failed, sample.classes, {}, &fit);
  Eigen::VectorXd direction = core::as_vector(straight.coefficients).tail(static_cast<Eigen::Index>(w.cols()));
  if (!(direction.norm() > 0.0)) return std::nullopt;
  direction.normalize();

  Term term{.kind = TermKind::direction, .class_label = class_label, .directions = Matrix<double>(1, w.cols())};
  term.directions.row(0) = direction.transpose();
  const auto fitted = [&](const Term& with, const statistics::LogisticFit* start) {
    Matrix<double> columns(sample.size(), x.cols() + statistics::spline_columns);
    columns.leftCols(x.cols()) = x;
    columns.rightCols(statistics::spline_columns) = term_columns(with, sample);
    return statistics::fit_logistic(columns, sample.label, sample.failed, sample.classes, {}, start);
  };
  statistics::LogisticFit model = fitted(term, &fit);
  for (int step = 0; step < 6; ++step) {
    const std::vector<double> along = core::to_list(sample.whitened * term.directions.row(0).transpose());
    const std::vector<double> scores = statistics::within_class_scores(along, sample.label, sample.classes);
    Eigen::VectorXd slope(rows.count), weight(rows.count), rest(rows.count);
    const std::size_t p = model.coefficients.size() - static_cast<std::size_t>(statistics::spline_columns);
    for (std::int64_t i = 0; i < rows.count; ++i) {
      const auto at = static_cast<std::size_t>(rows.first + i);
      const statistics::SplineRow basis = statistics::natural_spline_slope(scores[at]);
      slope[i] = 0.0;
      for (std::size_t k = 0; k < basis.size(); ++k) slope[i] += basis[k] * model.coefficients[p + k];
      const double probability = model.probability[at];
      weight[i] = probability * (1.0 - probability) * slope[i] * slope[i];
      rest[i] = ((sample.failed[at] != 0 ? 1.0 : 0.0) - probability) * slope[i];
    }
    Eigen::MatrixXd information = detail::weighted_squares(w, weight);
    information.diagonal().array() += 1e-3 * information.trace() / static_cast<double>(w.cols()) + 1e-9;
    const Eigen::VectorXd change = information.selfadjointView<Eigen::Lower>().ldlt().solve(w.transpose() * rest);
    bool better = false;
    double length = 1.0;
    for (int halving = 0; halving < 4 && !better; ++halving, length *= 0.5) {
      Term trial = term;
      Eigen::VectorXd moved = term.directions.row(0).transpose() + length * change;
      if (held.rows() > 0) moved -= held.transpose() * (held * moved);
      if (!(moved.norm() > 0.0)) break;
      trial.directions.row(0) = moved.normalized().transpose();
      statistics::LogisticFit next = fitted(trial, &model);
      better = next.deviance < model.deviance;
      if (!better) continue;
      const double gained = model.deviance - next.deviance;
      term = std::move(trial);
      model = std::move(next);
      if (gained < 0.01) return term;
    }
    if (!better) break;
  }
  return term;
}

FAULTLINE_INLINE std::optional<Term> residual_subspace(const ConditionSample& sample,
                                                       const statistics::LogisticFit& fit, const Matrix<double>& held,
                                                       std::int64_t seed, std::optional<std::int64_t> class_label,
                                                       std::int64_t dimension, std::int64_t permutations) {
  const detail::RowRange rows = detail::rows_of_class(sample, class_label);
  const std::int64_t r = sample.whitened.cols();
  if (rows.count == 0 || r <= held.rows()) return std::nullopt;
  const Matrix<double> w = detail::off_span(sample.whitened.middleRows(rows.first, rows.count), held);
  const std::vector<double> all = detail::residuals_of(sample, fit);
  Eigen::VectorXd residual = core::as_vector(all).segment(rows.first, rows.count);
  const statistics::detail::Eigenpairs pairs =
      statistics::detail::symmetric_eigenpairs(detail::weighted_squares(w, residual));
  std::vector<std::int64_t> order(static_cast<std::size_t>(r));
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = static_cast<std::int64_t>(k);
  std::sort(order.begin(), order.end(),
            [&](std::int64_t a, std::int64_t b) { return std::abs(pairs.values[a]) > std::abs(pairs.values[b]); });
  std::int64_t kept = dimension;
  if (dimension == 0) {
    double largest = 0.0;
    for (std::int64_t b = 0; b < permutations; ++b) {
      core::CounterRandom random(seed, core::Stream::permutations, b);
      Eigen::VectorXd permuted = residual;
      for (std::int64_t first = 0; first < rows.count;) {  // within each class: Fisher and Yates
        std::int64_t last = first;
        const auto label = [&](std::int64_t i) { return sample.label[static_cast<std::size_t>(rows.first + i)]; };
        while (last < rows.count && label(last) == label(first)) ++last;
        for (std::int64_t i = first; i + 1 < last; ++i) std::swap(permuted[i], permuted[i + random.below(last - i)]);
        first = last;
      }
      const auto values = statistics::detail::symmetric_eigenpairs(detail::weighted_squares(w, permuted)).values;
      largest = std::max(largest, values.cwiseAbs().maxCoeff());
    }
    while (kept < r && std::abs(pairs.values[order[static_cast<std::size_t>(kept)]]) > largest) ++kept;
  }
  if (kept == 0) return std::nullopt;
  Term term{.kind = TermKind::subspace, .class_label = class_label, .directions = Matrix<double>(kept, r)};
  for (std::int64_t m = 0; m < kept; ++m)
    term.directions.row(m) = pairs.vectors.row(order[static_cast<std::size_t>(m)]);
  return term;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
