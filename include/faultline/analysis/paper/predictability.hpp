// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How well failure can be predicted from a space of codes: the number behind a picture of z, w or s (method section 12,
// figure 3).

#include <faultline/analysis/confirm/auc_interval.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/statistics/discriminant.hpp>
#include <faultline/statistics/rank.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Columns with class means and within-class standard deviations of a first sample, applied to it and to others. A
/// column that does not vary becomes 0.
class ClassStandard {
 public:
  ClassStandard(const Matrix<float>& x, std::span<const std::int64_t> labels, std::int64_t classes)
      : means_(classes, x.cols()), scale_(static_cast<std::size_t>(x.cols()), 0.0) {
    std::vector<double> count(static_cast<std::size_t>(classes), 0.0), largest(scale_.size(), 0.0);
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      const std::int64_t label = labels[static_cast<std::size_t>(i)];
      require_label("predictability", label, classes);
      count[static_cast<std::size_t>(label)] += 1.0;
      for (std::int64_t k = 0; k < x.cols(); ++k) {
        means_(label, k) += static_cast<double>(x(i, k));
        largest[static_cast<std::size_t>(k)] =
            std::max(largest[static_cast<std::size_t>(k)], std::abs(static_cast<double>(x(i, k))));
      }
    }
    for (std::int64_t c = 0; c < classes; ++c)
      for (double& mean : means_.row_span(c)) mean /= std::max(1.0, count[static_cast<std::size_t>(c)]);
    for (std::int64_t k = 0; k < x.cols(); ++k) {
      double sum = 0.0;
      for (std::int64_t i = 0; i < x.rows(); ++i) {
        const double away = static_cast<double>(x(i, k)) - means_(labels[static_cast<std::size_t>(i)], k);
        sum += away * away;
      }
      const double deviation = std::sqrt(sum / static_cast<double>(x.rows()));
      // Less is the rounding of float
      if (deviation > 1e-6 * largest[static_cast<std::size_t>(k)])
        scale_[static_cast<std::size_t>(k)] = 1.0 / deviation;
    }
  }

  [[nodiscard]] Matrix<double> operator()(const Matrix<float>& x, std::span<const std::int64_t> labels) const {
    Matrix<double> out(x.rows(), x.cols());
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      const std::int64_t label = labels[static_cast<std::size_t>(i)];
      require_label("predictability", label, means_.rows());
      for (std::int64_t k = 0; k < x.cols(); ++k)
        out(i, k) = (static_cast<double>(x(i, k)) - means_(label, k)) * scale_[static_cast<std::size_t>(k)];
    }
    return out;
  }

 private:
  Matrix<double> means_;
  std::vector<double> scale_;
};

}  // namespace detail

/// How well one linear rule in the columns of `x`, fitted on one population, ranks failures above successes on another,
/// within classes.
///
/// **Shapes**: `x` and `fresh_x` `[N, d]`, rows as in the populations; d may exceed N, and columns may depend on each
/// other (styles do: s = A w + b). **Formula**: columns standardised within class on the first population, the ridge
/// discriminant of `fit_discriminant` (λ = d / n_eff in unit variances), stratified AUC with DeLong's 95 % interval and
/// a one-sided p against ½. Without failures or without successes in the first population the AUC is ½.
/// **Throws** `shape_mismatch`, `label_out_of_range`; `empty_input` without rows or columns. **Cost**: N d² + d³ / 3
/// multiplications.
/// Example: `predictability(styles, discovery, fresh_styles, confirmation, 10).auc`
[[nodiscard]] inline Omnibus predictability(const Matrix<float>& x, const Population& population,
                                            const Matrix<float>& fresh_x, const Population& fresh, std::int64_t classes,
                                            double alpha = 0.05) {
  constexpr const char* where = "predictability";
  if (x.empty() || fresh_x.empty())
    throw Error(ErrorCode::empty_input, where, "expected at least one row and one column in each half");
  if (x.cols() != fresh_x.cols())
    throw Error(ErrorCode::shape_mismatch, where,
                "the halves have " + std::to_string(x.cols()) + " and " + std::to_string(fresh_x.cols()) + " columns");
  detail::require_outcomes(where, x.rows(), population.label, population.failed);
  detail::require_outcomes(where, fresh_x.rows(), fresh.label, fresh.failed);
  const detail::ClassStandard standard(x, population.label, classes);
  const Discriminant rule = fit_discriminant(standard(x, population.label), population.label, population.failed,
                                             count_outcomes(population.label, population.failed, classes));
  const Strata strata = count_outcomes(fresh.label, fresh.failed, classes);
  const std::vector<double> scores = detail::matrix_vector(standard(fresh_x, fresh.label), rule.direction);
  const RankTest test = stratified_auc(scores, fresh.label, fresh.failed, strata);
  if (!(strata.effective_failures > 0.0)) return {};
  const Interval interval = detail::stratified_auc_interval(test.auc, scores, fresh.label, fresh.failed, strata);
  return {test.auc, interval.lower, interval.upper, test.p, test.p <= alpha};
}

}  // namespace v1
}  // namespace faultline
