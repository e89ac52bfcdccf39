// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/logistic_regression.hpp.

#include <faultline/statistics/logistic_regression.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/fixed_sums.hpp>
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
namespace statistics {
namespace detail {

/// log(1 + e^t) without overflow.
[[nodiscard]] inline double softplus(double t) noexcept {
  return t > 0.0 ? t + std::log1p(std::exp(-t)) : std::log1p(std::exp(t));
}
[[nodiscard]] inline double logistic(double t) noexcept { return 1.0 / (1.0 + std::exp(-t)); }

/// The penalised likelihood of one data set, and its Newton steps.
class LogisticProblem {
 public:
  LogisticProblem(const Matrix<double>& x, std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed,
                  std::int64_t classes, const LogisticOptions& options)
      : x_(x), labels_(labels), failed_(failed), classes_(classes), options_(options) {
    double failures = 0.0;
    for (const std::uint8_t f : failed) failures += f != 0 ? 1.0 : 0.0;
    pooled_rate_ = (failures + 0.5) / (static_cast<double>(failed.size()) + 1.0);
  }

  [[nodiscard]] double pooled_rate() const noexcept { return pooled_rate_; }

  /// Linear predictor into `eta`; returns half the penalised deviance.
  double evaluate(const Eigen::VectorXd& intercepts, const Eigen::VectorXd& coefficients, Eigen::VectorXd& eta) const {
    eta = product(x_, coefficients);
    const auto part = [&](std::int64_t first, std::int64_t count) -> double {
      double sum = 0.0;
      for (std::int64_t i = first; i < first + count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        eta[i] = std::clamp(eta[i] + intercepts[labels_[at]], -options_.clip, options_.clip);
        sum += softplus(failed_[at] != 0 ? -eta[i] : eta[i]);
      }
      return sum;
    };
    double objective = fixed_sum(x_.rows(), 0.0, part) + 0.5 * options_.ridge * coefficients.squaredNorm();
    for (Eigen::Index c = 0; c < intercepts.size(); ++c)
      objective += options_.pseudo_samples *
                   (pooled_rate_ * softplus(-intercepts[c]) + (1.0 - pooled_rate_) * softplus(intercepts[c]));
    return objective;
  }

  /// The Newton step at a point; returns the decrement (squared length of the step in the metric of the information).
  double step(const Eigen::VectorXd& intercepts, const Eigen::VectorXd& coefficients, const Eigen::VectorXd& eta,
              Eigen::VectorXd& intercept_step, Eigen::VectorXd& coefficient_step) const {
    const Eigen::Index p = x_.cols();
    Eigen::VectorXd gradient_c = Eigen::VectorXd::Zero(classes_), weight_c = Eigen::VectorXd::Zero(classes_);
    Matrix<double> cross(classes_, p);  // Σ w x by class
    Eigen::VectorXd weight(x_.rows()), residual(x_.rows());
    for (std::int64_t i = 0; i < x_.rows(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double probability = logistic(eta[i]);
      residual[i] = (failed_[at] != 0 ? 1.0 : 0.0) - probability;
      weight[i] = std::max(probability * (1.0 - probability), 1e-12);
      gradient_c[labels_[at]] += residual[i];
      weight_c[labels_[at]] += weight[i];
      add_scaled(cross.row_span(labels_[at]), weight[i], x_.row_span(i));
    }
    for (Eigen::Index c = 0; c < classes_; ++c) {
      const double q = logistic(intercepts[c]);
      gradient_c[c] += options_.pseudo_samples * (pooled_rate_ - q);
      weight_c[c] += options_.pseudo_samples * q * (1.0 - q) + 1e-12;
    }
    if (p == 0) {
      intercept_step = gradient_c.cwiseQuotient(weight_c);
      return intercept_step.dot(gradient_c);
    }
    Matrix<double> information = weighted_squares(x_, weight);
    const auto gradient_part = [&](std::int64_t first, std::int64_t count) {
      return transposed_product(rows_of(x_, first, count), residual.segment(first, count));
    };
    Eigen::VectorXd gradient = fixed_sum(x_.rows(), Eigen::VectorXd(Eigen::VectorXd::Zero(p)), gradient_part);
    gradient -= options_.ridge * coefficients;
    // eliminate the intercepts: their block is diagonal
    const Matrix<double> scaled = scaled_rows(weight_c.cwiseInverse(), cross);
    information -= transposed_product(cross, scaled);
    add_to_diagonal(information, options_.ridge);
    const Eigen::VectorXd rest = gradient - transposed_product(scaled, gradient_c);
    coefficient_step = solve_symmetric(information, rest);
    intercept_step = (gradient_c - product(cross, coefficient_step)).cwiseQuotient(weight_c);
    return coefficient_step.dot(gradient) + intercept_step.dot(gradient_c);
  }

 private:
  const Matrix<double>& x_;
  std::span<const std::int64_t> labels_;
  std::span<const std::uint8_t> failed_;
  std::int64_t classes_;
  const LogisticOptions& options_;
  double pooled_rate_ = 0.5;
};

}  // namespace detail

FAULTLINE_INLINE LogisticFit fit_logistic(const Matrix<double>& x, std::span<const std::int64_t> labels,
                                          std::span<const std::uint8_t> failed, std::int64_t classes,
                                          const LogisticOptions& options, const LogisticFit* start) {
  constexpr const char* where = "fit_logistic";
  require_outcomes(where, x.rows(), labels, failed);
  if (x.rows() == 0) throw Error(ErrorCode::empty_input, where, "expected at least one sample");
  if (!(options.ridge > 0.0) || !(options.clip > 0.0) || !(options.tolerance > 0.0) || options.steps < 1 ||
      !(options.pseudo_samples > 0.0))
    throw Error(ErrorCode::invalid_argument, where, "expected positive options");
  for (const std::int64_t label : labels) require_label(where, label, classes);
  if (!x.allFinite()) throw Error(ErrorCode::invalid_argument, where, "expected finite columns");

  const detail::LogisticProblem problem(x, labels, failed, classes, options);
  const double middle = std::log(problem.pooled_rate() / (1.0 - problem.pooled_rate()));
  Eigen::VectorXd intercepts = Eigen::VectorXd::Constant(classes, middle);
  Eigen::VectorXd coefficients = Eigen::VectorXd::Zero(x.cols());
  if (start != nullptr) {
    if (static_cast<std::int64_t>(start->intercepts.size()) != classes ||
        static_cast<std::int64_t>(start->coefficients.size()) > x.cols())
      throw Error(ErrorCode::shape_mismatch, where, "the start values belong to other columns");
    intercepts = core::as_vector(start->intercepts);
    coefficients.head(static_cast<Eigen::Index>(start->coefficients.size())) = core::as_vector(start->coefficients);
  }
  LogisticFit fit;
  Eigen::VectorXd eta, next_eta, intercept_step, coefficient_step;
  double objective = problem.evaluate(intercepts, coefficients, eta);
  fit.converged = false;
  const double tolerance = options.tolerance * static_cast<double>(x.rows());
  for (std::int64_t step = 0; step < options.steps && !fit.converged; ++step) {
    const double decrement = problem.step(intercepts, coefficients, eta, intercept_step, coefficient_step);
    fit.converged = !(decrement > tolerance);
    double length = 1.0;
    bool better = false;
    for (int halving = 0; halving < 30 && !better; ++halving, length *= 0.5) {
      const Eigen::VectorXd trial_intercepts = intercepts + length * intercept_step;
      Eigen::VectorXd trial = coefficients;
      if (x.cols() > 0) trial += length * coefficient_step;
      const double next = problem.evaluate(trial_intercepts, trial, next_eta);
      better = next <= objective;
      if (!better) continue;
      objective = next;
      intercepts = trial_intercepts;
      coefficients = trial;
      eta.swap(next_eta);
    }
    if (!better) break;  // at the limit of rounding, or the clip
  }
  fit.intercepts = core::to_list(intercepts);
  fit.coefficients = core::to_list(coefficients);
  fit.probability.resize(failed.size());
  for (std::size_t i = 0; i < failed.size(); ++i) {
    const double t = eta[static_cast<Eigen::Index>(i)];
    fit.probability[i] = detail::logistic(t);
    fit.deviance += 2.0 * detail::softplus(failed[i] != 0 ? -t : t);
  }
  return fit;
}

FAULTLINE_INLINE std::vector<double> linear_predictor(const LogisticFit& fit, const Matrix<double>& x,
                                                      std::span<const std::int64_t> labels, double clip) {
  constexpr const char* where = "linear_predictor";
  if (x.cols() != static_cast<std::int64_t>(fit.coefficients.size()) ||
      x.rows() != static_cast<std::int64_t>(labels.size()))
    throw Error(ErrorCode::shape_mismatch, where, "expected the columns of the fit and one label for each row");
  std::vector<double> predictor = core::to_list(detail::product(x, core::as_vector(fit.coefficients)));
  for (std::size_t i = 0; i < predictor.size(); ++i) {
    require_label(where, labels[i], static_cast<std::int64_t>(fit.intercepts.size()));
    predictor[i] = std::clamp(predictor[i] + fit.intercepts[static_cast<std::size_t>(labels[i])], -clip, clip);
  }
  return predictor;
}

FAULTLINE_INLINE std::vector<double> deviances(std::span<const double> predictor,
                                               std::span<const std::uint8_t> failed) {
  if (predictor.size() != failed.size())
    throw Error(ErrorCode::shape_mismatch, "deviances", "expected one outcome for each predictor");
  std::vector<double> result(predictor.size());
  for (std::size_t i = 0; i < predictor.size(); ++i)
    result[i] = 2.0 * detail::softplus(failed[i] != 0 ? -predictor[i] : predictor[i]);
  return result;
}

FAULTLINE_INLINE ScoreScreen::ScoreScreen(const LogisticFit& fit, const Matrix<double>& x,
                                          std::span<const std::int64_t> labels, std::span<const std::uint8_t> failed,
                                          std::int64_t classes, double ridge)
    : centred_(x), ridge_(ridge) {
  constexpr const char* where = "ScoreScreen";
  require_outcomes(where, x.rows(), labels, failed);
  if (fit.probability.size() != failed.size())
    throw Error(ErrorCode::shape_mismatch, where, "the fit belongs to other samples");
  if (!std::is_sorted(labels.begin(), labels.end()))
    throw Error(ErrorCode::invalid_argument, where, "expected samples sorted by class");
  const auto n = static_cast<std::size_t>(x.rows());
  root_weight_.resize(n);
  residual_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double p = fit.probability[i];
    root_weight_[i] = std::sqrt(std::max(p * (1.0 - p), 1e-12));
    residual_[i] = (failed[i] != 0 ? 1.0 : 0.0) - p;
  }
  first_.assign(static_cast<std::size_t>(classes) + 1, 0);
  for (const std::int64_t label : labels) {
    require_label(where, label, classes);
    ++first_[static_cast<std::size_t>(label) + 1];
  }
  for (std::size_t c = 0; c < static_cast<std::size_t>(classes); ++c) first_[c + 1] += first_[c];
  const auto root = core::as_vector(std::as_const(root_weight_));
  Matrix<double> information(x.cols(), x.cols());
  for (std::size_t c = 0; c < static_cast<std::size_t>(classes); ++c) {
    const std::int64_t first = first_[c], count = first_[c + 1] - first_[c];
    if (count == 0 || x.cols() == 0) continue;
    const Eigen::VectorXd weight = root.segment(first, count).cwiseAbs2();
    const Eigen::VectorXd mean = detail::transposed_product(detail::rows_of(x, first, count), weight) / weight.sum();
    detail::Rows part = detail::rows_of(centred_, first, count);
    for (std::int64_t i = first; i < first + count; ++i) core::as_vector(centred_.row_span(i)) -= mean;
    part = detail::scaled_rows(root.segment(first, count), part);
    information += detail::transposed_product(part, part);
  }
  detail::add_to_diagonal(information, ridge_);
  if (x.cols() > 0) inverse_ = detail::symmetric_inverse(information);
}

FAULTLINE_INLINE std::vector<ScoreScreen::ClassSums> ScoreScreen::sums(const Matrix<double>& columns) const {
  if (columns.rows() != centred_.rows())
    throw Error(ErrorCode::shape_mismatch, "ScoreScreen", "expected one row for each sample of the fit");
  const std::int64_t p = centred_.cols(), q = columns.cols();
  std::vector<ClassSums> result(first_.size() - 1);
  for (std::size_t c = 0; c + 1 < first_.size(); ++c) {
    ClassSums& sums = result[c];
    sums.cross.resize(p, q);
    sums.information.resize(q, q);
    sums.score.assign(static_cast<std::size_t>(q), 0.0);
    const std::int64_t first = first_[c], count = first_[c + 1] - first_[c];
    if (count == 0) continue;
    const auto root = core::as_vector(root_weight_).segment(first, count);
    const detail::Rows block = detail::rows_of(columns, first, count);
    const Matrix<double> weighted = detail::scaled_rows(root, block);
    const std::vector<double> total = core::to_list(detail::transposed_product(weighted, root));
    const double weight = root.squaredNorm();
    if (p > 0) sums.cross = detail::transposed_product(detail::rows_of(centred_, first, count), weighted);
    sums.information = detail::transposed_product(weighted, weighted);
    for (std::int64_t a = 0; a < q; ++a)
      detail::add_scaled(sums.information.row_span(a), -total[static_cast<std::size_t>(a)] / weight, total);
    sums.score = core::to_list(detail::transposed_product(block, core::as_vector(residual_).segment(first, count)));
  }
  return result;
}

FAULTLINE_INLINE ScoreTest ScoreScreen::test(const ClassSums& sums) const {
  const Eigen::Index q = sums.information.rows();
  Matrix<double> information = sums.information;
  const double own = information.trace();
  if (sums.cross.rows() > 0)
    information -= detail::transposed_product(sums.cross, detail::product(inverse_, sums.cross));
  // What the model has already leaves nothing but rounding.
  if (!(information.trace() > 1e-9 * own)) return {};
  detail::add_to_diagonal(information, ridge_);
  const Eigen::VectorXd score = core::as_vector(sums.score);
  const double statistic = score.dot(detail::solve_symmetric(information, score));
  return {statistic, chi_squared_upper_tail(static_cast<double>(q), statistic)};
}

FAULTLINE_INLINE ScoreTest ScoreScreen::test(std::span<const ClassSums> sums) const {
  if (sums.empty()) return {};
  ClassSums total = sums.front();
  for (const ClassSums& part : sums.subspan(1)) {
    total.cross += part.cross;
    total.information += part.information;
    detail::add_scaled(total.score, 1.0, part.score);
  }
  return test(total);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
