// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How well failure can be predicted from a space of latents: the number behind a picture of z, w or s (method section
// 12, figure 3).

#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

/// Columns with class means and within-class standard deviations of a first sample, applied to it and to others. A
/// column that does not vary becomes 0.
class ClassStandard {
 public:
  ClassStandard(const Matrix<float>& x, std::span<const std::int64_t> labels, std::int64_t classes)
      : means_(statistics::group_means("predictability", x, labels, classes)),
        // Less is the rounding of float
        deviations_(statistics::within_deviations(x, labels, means_, means_.rows(), 1e-6)) {}

  [[nodiscard]] Matrix<double> operator()(const Matrix<float>& x, std::span<const std::int64_t> labels) const {
    for (const std::int64_t label : labels) statistics::require_label("predictability", label, means_.mean.rows());
    Matrix<double> standard = statistics::centred_rows(x, labels, means_.mean, 0, x.rows());
    for (std::int64_t i = 0; i < standard.rows(); ++i)
      for (std::size_t j = 0; j < deviations_.size(); ++j)
        standard.row_span(i)[j] *= deviations_[j] > 0.0 ? 1.0 / deviations_[j] : 0.0;
    return standard;
  }

 private:
  statistics::GroupMeans means_;
  std::vector<double> deviations_;
};

/// How well a linear rule tells failures on samples that it was not fitted on.
struct Predictability {
  double auc = 0.5;
  double lower = 0.0;  ///< 95 % interval
  double upper = 1.0;
  double p = 1.0;
  bool significant = false;
};
FAULTLINE_MEMBERS(Predictability, auc, lower, upper, p, significant)

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
[[nodiscard]] Predictability predictability(const Matrix<float>& x, const Population& population,
                                            const Matrix<float>& fresh_x, const Population& fresh, std::int64_t classes,
                                            double alpha = 0.05);

}  // namespace paper
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/paper/detail/predictability_impl.hpp>
#endif
