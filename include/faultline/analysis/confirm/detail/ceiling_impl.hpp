// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/ceiling.hpp.

#include <faultline/analysis/confirm/ceiling.hpp>

#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/logistic_regression.hpp>
#include <faultline/statistics/natural_spline.hpp>
#include <faultline/statistics/within_class_moments.hpp>
#include <faultline/statistics/within_class_scores.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Two normal distributions in w̃, of failures and of successes; the log of the ratio of their densities is quadratic.
class QuadraticRule {
 public:
  /// Learns from the samples of which `left_out(i)` is false.
  template <class LeftOut>
  QuadraticRule(const ConditionSample& sample, const LeftOut& left_out) {
    const Eigen::Index r = sample.whitened.cols();
    for (const int outcome : {0, 1}) {
      Normal& own = normals_[outcome];
      std::vector<std::int64_t> group(sample.failed.size(), -1);
      for (std::int64_t i = 0; i < sample.size(); ++i)
        if (!left_out(i) && (sample.failed[static_cast<std::size_t>(i)] != 0) == (outcome == 1))
          group[static_cast<std::size_t>(i)] = 0;
      const statistics::GroupMeans means = statistics::group_means("systematic_share", sample.whitened, group, 1);
      const double n = means.rows();
      own.mean = core::as_vector(means.mean.row_span(0));
      // shrunk towards the whole population, whose covariance is the identity, as if 2 r samples had come from there
      const double weight = n / (n + 2.0 * static_cast<double>(r));
      Matrix<double> covariance = statistics::within_covariance(sample.whitened, group, means);
      if (n > 0.0) covariance *= weight * std::max(1.0, n - 1.0) / n;
      statistics::detail::add_to_diagonal(covariance, 1.0 - weight);
      statistics::detail::Eigenpairs pairs = statistics::detail::symmetric_eigenpairs(covariance);
      own.log_determinant = 0.0;
      for (std::int64_t k = 0; k < r; ++k) {
        const double variance = std::max(pairs.values[k], 1e-6);
        own.log_determinant += std::log(variance);
        pairs.values[k] = std::sqrt(1.0 / variance);
      }
      own.inverse_root = statistics::detail::scaled_rows(pairs.values, pairs.vectors);
    }
  }

  [[nodiscard]] double operator()(std::span<const double> w) const {
    const auto distance = [&](const Normal& normal) {
      const Eigen::VectorXd away = core::as_vector(w) - normal.mean;
      return statistics::detail::product(normal.inverse_root, away).squaredNorm() + normal.log_determinant;
    };
    return 0.5 * (distance(normals_[0]) - distance(normals_[1]));
  }

 private:
  struct Normal {
    Eigen::VectorXd mean;
    Matrix<double> inverse_root;
    double log_determinant = 0.0;
  };
  Normal normals_[2];
};

/// Splines of the admitted properties and of one more score, side by side.
[[nodiscard]] inline Matrix<double> ceiling_columns(const ConditionSample& sample,
                                                    std::span<const std::uint8_t> admitted, std::span<const Term> terms,
                                                    std::span<const double> quadratic) {
  std::vector<std::vector<double>> scores;
  for (std::int64_t p = 0; p < sample.properties(); ++p)
    if (admitted.empty() || admitted[static_cast<std::size_t>(p)] != 0)
      scores.emplace_back(sample.scores.row_span(p).begin(), sample.scores.row_span(p).end());
  if (!quadratic.empty()) scores.push_back(statistics::within_class_scores(quadratic, sample.label, sample.classes));
  constexpr std::int64_t width = statistics::spline_columns;
  const Matrix<double> selected = design(terms, sample);
  Matrix<double> columns(sample.size(), width * static_cast<std::int64_t>(scores.size()) + selected.cols());
  columns.rightCols(selected.cols()) = selected;
  for (std::size_t k = 0; k < scores.size(); ++k)
    columns.middleCols(width * static_cast<Eigen::Index>(k), width) = statistics::natural_spline_columns(scores[k]);
  return columns;
}

}  // namespace detail

FAULTLINE_INLINE statistics::DevianceGain systematic_share(const ConditionSample& discovery,
                                                           const ConditionSample& confirmation,
                                                           std::span<const std::uint8_t> admitted,
                                                           std::span<const Term> terms) {
  std::vector<double> own, fresh;
  if (discovery.whitened.cols() > 0) {
    constexpr std::int64_t folds = 5;
    own.resize(static_cast<std::size_t>(discovery.size()));
    for (std::int64_t fold = 0; fold < folds; ++fold) {
      const auto left_out = [fold](std::int64_t i) { return i % folds == fold; };  // sorted by class: alike in all
      const detail::QuadraticRule rule(discovery, left_out);
      for (std::int64_t i = fold; i < discovery.size(); i += folds)
        own[static_cast<std::size_t>(i)] = rule(discovery.whitened.row_span(i));
    }
    const detail::QuadraticRule rule(discovery, [](std::int64_t) { return false; });
    for (std::int64_t i = 0; i < confirmation.size(); ++i) fresh.push_back(rule(confirmation.whitened.row_span(i)));
  }
  const Matrix<double> x = detail::ceiling_columns(discovery, admitted, terms, own);
  const statistics::LogisticFit fit = statistics::fit_logistic(x, discovery.label, discovery.failed, discovery.classes);
  const Matrix<double> value = statistics::detail::product(
      detail::ceiling_columns(confirmation, admitted, terms, fresh), core::as_vector(fit.coefficients));
  const auto deviance_of = [&](const Matrix<double>& columns) {
    const statistics::LogisticFit refit =
        statistics::fit_logistic(columns, confirmation.label, confirmation.failed, confirmation.classes);
    return statistics::deviances(statistics::linear_predictor(refit, columns, confirmation.label), confirmation.failed);
  };
  const std::vector<double> null = deviance_of(Matrix<double>(confirmation.size(), 0));
  return statistics::deviance_gain(null, deviance_of(value), null);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
