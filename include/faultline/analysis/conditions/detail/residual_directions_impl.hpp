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

/// Σ weight_i x_i x_iᵀ in fixed parts: half of it is calculated, positive and negative weights by themselves.
[[nodiscard]] inline Matrix<double> weighted_squares(const Matrix<double>& x, const Eigen::VectorXd& weight) {
  const auto part = [&](std::int64_t first, std::int64_t count) -> Matrix<double> {
    Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(x.cols(), x.cols());
    for (const double side : {1.0, -1.0}) {
      Matrix<double> rows(count, x.cols());
      std::int64_t used = 0;
      for (std::int64_t i = first; i < first + count; ++i)
        if (side * weight[i] > 0.0) rows.row(used++) = std::sqrt(side * weight[i]) * x.row(i);
      if (used > 0) lower.selfadjointView<Eigen::Lower>().rankUpdate(rows.topRows(used).transpose(), side);
    }
    return Matrix<double>(lower);
  };
  Eigen::MatrixXd sum = statistics::fixed_sum(x.rows(), Matrix<double>(x.cols(), x.cols()), part);
  sum.triangularView<Eigen::StrictlyUpper>() = sum.transpose();
  return Matrix<double>(sum);
}

/// For each column e of `weights` the largest size of an eigenvalue of Σ e_i x_i x_iᵀ, by 24 steps of Lanczos'
/// algorithm (1950; exact up to 24 coordinates, beyond that within a hundredth or so), all columns side by side.
[[nodiscard]] inline std::vector<double> largest_eigenvalues(const Matrix<double>& x, const Matrix<double>& weights,
                                                             std::int64_t seed) {
  const std::int64_t r = x.cols(), columns = weights.cols(), steps = std::min<std::int64_t>(r, 24);
  std::vector<Eigen::MatrixXd> basis;
  std::vector<Matrix<double>> small(static_cast<std::size_t>(columns), Matrix<double>(steps, steps));
  core::CounterRandom random(seed, core::Stream::permutations, core::pilot_first);
  Eigen::MatrixXd next(r, columns);
  for (std::int64_t i = 0; i < r; ++i) next.row(i).setConstant(random.normal());
  for (std::int64_t step = 0; step < steps; ++step) {
    for (Eigen::Index c = 0; c < columns; ++c) {
      const double length = next.col(c).norm();
      const bool more = length > 1e-12 * (1.0 + std::abs(small[static_cast<std::size_t>(c)](0, 0)));
      next.col(c) *= more ? 1.0 / length : 0.0;
      if (step > 0) {
        Matrix<double>& own = small[static_cast<std::size_t>(c)];
        own(step, step - 1) = own(step - 1, step) = more ? length : 0.0;
      }
    }
    basis.push_back(next);
    const Matrix<double> along = Matrix<double>(x * basis.back()).cwiseProduct(weights);
    next = x.transpose() * along;
    for (Eigen::Index c = 0; c < columns; ++c)
      small[static_cast<std::size_t>(c)](step, step) = basis.back().col(c).dot(next.col(c));
    for (int twice = 0; twice < 2; ++twice)  // orthogonal to rounding
      for (const Eigen::MatrixXd& earlier : basis)
        next -= earlier * earlier.cwiseProduct(next).colwise().sum().asDiagonal();
  }
  std::vector<double> largest;
  for (const Matrix<double>& own : small)
    largest.push_back(statistics::detail::symmetric_eigenpairs(own).values.cwiseAbs().maxCoeff());
  return largest;
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
  // where a linear logit would point, by one Newton step from the fit: under latents of elliptical distribution that is
  // the right direction whatever the shape along it, up to noise (Li and Duan 1989)
  const std::vector<double> unexplained = detail::residuals_of(sample, fit);
  const auto solve = [&](const Eigen::VectorXd& weight, const Eigen::VectorXd& score) -> Eigen::VectorXd {
    Eigen::MatrixXd information = detail::weighted_squares(w, weight);
    information.diagonal().array() += 1e-3 * information.trace() / static_cast<double>(w.cols()) + 1e-9;
    return information.selfadjointView<Eigen::Lower>().ldlt().solve(score);
  };
  const auto probability = core::as_vector(fit.probability).segment(rows.first, rows.count).array();
  Eigen::VectorXd direction = solve((probability * (1.0 - probability)).matrix(),
                                    w.transpose() * core::as_vector(unexplained).segment(rows.first, rows.count));
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
      const double p_now = model.probability[at];
      weight[i] = p_now * (1.0 - p_now) * slope[i] * slope[i];
      rest[i] = ((sample.failed[at] != 0 ? 1.0 : 0.0) - p_now) * slope[i];
    }
    const Eigen::VectorXd change = solve(weight, w.transpose() * rest);
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
  double largest = 0.0;
  if (dimension == 0) {
    Matrix<double> weights(rows.count, permutations + 1);
    weights.col(0) = residual;
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
      weights.col(b + 1) = permuted;
    }
    const std::vector<double> sizes = detail::largest_eigenvalues(w, weights, seed);
    largest = *std::max_element(sizes.begin() + 1, sizes.end());
    if (!(sizes.front() > largest)) return std::nullopt;
  }
  const statistics::detail::Eigenpairs pairs =
      statistics::detail::symmetric_eigenpairs(detail::weighted_squares(w, residual));
  std::vector<std::int64_t> order(static_cast<std::size_t>(r));
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = static_cast<std::int64_t>(k);
  std::sort(order.begin(), order.end(),
            [&](std::int64_t a, std::int64_t b) { return std::abs(pairs.values[a]) > std::abs(pairs.values[b]); });
  std::int64_t kept = dimension;
  if (dimension == 0)
    while (kept < r && std::abs(pairs.values[order[static_cast<std::size_t>(kept)]]) > largest) ++kept;
  if (kept == 0) return std::nullopt;
  Term term{.kind = TermKind::subspace, .class_label = class_label, .directions = Matrix<double>(kept, r)};
  for (std::int64_t m = 0; m < kept; ++m)
    term.directions.row(m) = pairs.vectors.row(order[static_cast<std::size_t>(m)]);
  return term;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
