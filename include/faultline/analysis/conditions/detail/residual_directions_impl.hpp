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
[[nodiscard]] inline Matrix<double> off_span(const statistics::detail::Rows& rows, const Matrix<double>& held) {
  Matrix<double> off = rows;
  if (held.rows() > 0) off -= statistics::detail::product(statistics::detail::product_transposed(rows, held), held);
  return off;
}

/// For each column e of `weights` the largest size of an eigenvalue of Σ e_i x_i x_iᵀ, by 24 steps of Lanczos'
/// algorithm (1950; exact up to 24 coordinates, beyond that within a hundredth or so), all columns side by side.
[[nodiscard]] inline std::vector<double> largest_eigenvalues(const Matrix<double>& x, const Matrix<double>& weights,
                                                             std::int64_t seed) {
  const std::int64_t r = x.cols(), columns = weights.cols(), steps = std::min<std::int64_t>(r, 24);
  std::vector<Matrix<double>> basis;  // rows: vectors of the columns of `weights`
  std::vector<Matrix<double>> small(static_cast<std::size_t>(columns), Matrix<double>(steps, steps));
  core::CounterRandom random(seed, core::Stream::permutations, core::pilot_first);
  Matrix<double> next(columns, r);
  for (std::int64_t i = 0; i < r; ++i) {
    const double start = random.normal();
    for (std::int64_t c = 0; c < columns; ++c) next(c, i) = start;
  }
  for (std::int64_t step = 0; step < steps; ++step) {
    for (Eigen::Index c = 0; c < columns; ++c) {
      const double length = core::as_vector(next.row_span(c)).norm();
      const bool more = length > 1e-12 * (1.0 + std::abs(small[static_cast<std::size_t>(c)](0, 0)));
      core::as_vector(next.row_span(c)) *= more ? 1.0 / length : 0.0;
      if (step > 0) {
        Matrix<double>& own = small[static_cast<std::size_t>(c)];
        own(step, step - 1) = own(step - 1, step) = more ? length : 0.0;
      }
    }
    basis.push_back(next);
    Matrix<double> along = statistics::detail::product_transposed(x, next);
    for (std::size_t i = 0; i < along.values().size(); ++i) along.values()[i] *= weights.values()[i];
    next = statistics::detail::transposed_product(along, x);
    for (Eigen::Index c = 0; c < columns; ++c)
      small[static_cast<std::size_t>(c)](step, step) = core::dot(basis.back().row_span(c), next.row_span(c));
    for (int twice = 0; twice < 2; ++twice)  // orthogonal to rounding
      for (const Matrix<double>& earlier : basis)
        for (Eigen::Index c = 0; c < columns; ++c) statistics::project_off(next.row_span(c), earlier.row_span(c));
  }
  std::vector<double> largest;
  for (const Matrix<double>& own : small) {
    const Eigen::VectorXd values = statistics::detail::symmetric_eigenpairs(own).values;  // descending
    largest.push_back(std::max(std::abs(values[0]), std::abs(values[steps - 1])));
  }
  return largest;
}

}  // namespace detail

FAULTLINE_INLINE Matrix<double> spanned_by(std::span<const Term> terms, const ReadingVectors& reading_vectors) {
  const std::int64_t r = reading_vectors.vectors.cols();
  std::vector<std::vector<double>> directions;
  const auto list_of = [](std::span<const double> row) { return std::vector<double>(row.begin(), row.end()); };
  const auto add = [&](std::int64_t property) {
    if (property < 0 || reading_vectors.r_squared[static_cast<std::size_t>(property)] < least_r_squared) return;
    directions.push_back(list_of(reading_vectors.vectors.row_span(property)));
    core::as_vector(directions.back()).normalize();
  };
  for (const Term& term : terms) {
    add(term.property);
    add(term.other);
    for (std::int64_t m = 0; m < term.directions.rows(); ++m)
      directions.push_back(list_of(term.directions.row_span(m)));
  }
  const auto rows = statistics::orthonormal_basis(directions, 1e-6);
  Matrix<double> basis(static_cast<std::int64_t>(rows.size()), r);
  for (std::size_t k = 0; k < rows.size(); ++k)
    std::ranges::copy(rows[k], basis.row_span(static_cast<std::int64_t>(k)).begin());
  return basis;
}

FAULTLINE_INLINE std::optional<Term> residual_direction(const ConditionSample& sample, const Matrix<double>& x,
                                                        const statistics::LogisticFit& fit, const Matrix<double>& held,
                                                        std::optional<std::int64_t> class_label) {
  const detail::RowRange rows = detail::rows_of_class(sample, class_label);
  if (rows.count == 0 || sample.whitened.cols() <= held.rows()) return std::nullopt;
  const Matrix<double> w = detail::off_span(statistics::detail::rows_of(sample.whitened, rows.first, rows.count), held);
  // where a linear logit would point, by one Newton step from the fit: under latents of elliptical distribution that is
  // the right direction whatever the shape along it, up to noise (Li and Duan 1989)
  const std::vector<double> unexplained = detail::residuals_of(sample, fit);
  const auto solve = [&](const Eigen::VectorXd& weight, const Eigen::VectorXd& score) -> Eigen::VectorXd {
    Matrix<double> information = statistics::detail::weighted_squares(w, weight);
    statistics::detail::add_to_diagonal(information, 1e-3 * information.trace() / static_cast<double>(w.cols()) + 1e-9);
    return statistics::detail::solve_symmetric(information, score);
  };
  Eigen::VectorXd variance(rows.count);
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const double probability = fit.probability[static_cast<std::size_t>(rows.first + i)];
    variance[i] = probability * (1.0 - probability);
  }
  Eigen::VectorXd direction = solve(variance, statistics::detail::transposed_product(
                                                  w, core::as_vector(unexplained).segment(rows.first, rows.count)));
  if (!(direction.norm() > 0.0)) return std::nullopt;
  direction.normalize();

  Term term{.kind = TermKind::direction, .class_label = class_label, .directions = Matrix<double>(1, w.cols())};
  core::as_vector(term.directions.row_span(0)) = direction;
  const auto fitted = [&](const Term& with, const statistics::LogisticFit* start) {
    Matrix<double> columns(sample.size(), x.cols() + statistics::spline_columns);
    columns.leftCols(x.cols()) = x;
    columns.rightCols(statistics::spline_columns) = term_columns(with, sample);
    return statistics::fit_logistic(columns, sample.label, sample.failed, sample.classes, {}, start);
  };
  statistics::LogisticFit model = fitted(term, &fit);
  for (int step = 0; step < 6; ++step) {
    const std::vector<double> along =
        core::to_list(statistics::detail::product(sample.whitened, core::as_vector(term.directions.row_span(0))));
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
    const Eigen::VectorXd change = solve(weight, statistics::detail::transposed_product(w, rest));
    bool better = false;
    double length = 1.0;
    for (int halving = 0; halving < 4 && !better; ++halving, length *= 0.5) {
      Term trial = term;
      Eigen::VectorXd moved = core::as_vector(term.directions.row_span(0));
      moved += length * change;
      if (held.rows() > 0)
        moved -= statistics::detail::transposed_product(held, statistics::detail::product(held, moved));
      if (!(moved.norm() > 0.0)) break;
      core::as_vector(trial.directions.row_span(0)) = moved.normalized();
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
  const Matrix<double> w = detail::off_span(statistics::detail::rows_of(sample.whitened, rows.first, rows.count), held);
  const std::vector<double> all = detail::residuals_of(sample, fit);
  Eigen::VectorXd residual = core::as_vector(all).segment(rows.first, rows.count);
  double largest = 0.0;
  if (dimension == 0) {
    Matrix<double> weights(rows.count, permutations + 1);
    for (std::int64_t i = 0; i < rows.count; ++i) weights(i, 0) = residual[i];
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
      for (std::int64_t i = 0; i < rows.count; ++i) weights(i, b + 1) = permuted[i];
    }
    const std::vector<double> sizes = detail::largest_eigenvalues(w, weights, seed);
    largest = *std::max_element(sizes.begin() + 1, sizes.end());
    if (!(sizes.front() > largest)) return std::nullopt;
  }
  const statistics::detail::Eigenpairs pairs =
      statistics::detail::symmetric_eigenpairs(statistics::detail::weighted_squares(w, residual));
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
    std::ranges::copy(pairs.vectors.row_span(order[static_cast<std::size_t>(m)]), term.directions.row_span(m).begin());
  return term;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
