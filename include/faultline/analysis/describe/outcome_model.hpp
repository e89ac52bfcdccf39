// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the failures of generated images say about other images: a model of the outcome by properties, which real images
// are put through (labelled_images.md).

#include <faultline/analysis/problem/labelled_table.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/logistic_regression.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// P(failure) of an image by its class and some properties, as the valid samples of a problem have it.
///
/// **Formula**: logistic regression with an intercept for each class, a natural spline of each property and the product
/// of every two, all of normal scores within classes; a value has the score of its place among the generated images of
/// its class, and the score of the outermost one beyond them.
class OutcomeModel {
 public:
  /// Fits to the valid samples of both splits.
  ///
  /// **Throws** `invalid_argument` for a property that the problem has not, `empty_input` without valid samples.
  OutcomeModel(const Problem& problem, std::vector<std::string> properties);

  /// P(failure) of every image of a table.
  ///
  /// **Throws** `invalid_argument` for a property that the table has not, `incompatible_models` for a label that is no
  /// class of the problem; what `check_table` throws.
  /// Example: `OutcomeModel(problem, {"blur", "noise level"}).predict(photos)`
  [[nodiscard]] std::vector<double> predict(const LabelledTable& table) const;

 private:
  /// Columns of the model for values `[N, properties]` with labels.
  [[nodiscard]] Matrix<double> columns(const Matrix<double>& values, std::span<const std::int64_t> labels) const;

  std::vector<std::string> properties_;
  std::int64_t classes_ = 0;
  std::vector<std::vector<std::vector<double>>> sorted_;  // [class][property] values, ascending
  statistics::LogisticFit fit_;
};

}  // namespace analysis

using analysis::OutcomeModel;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/outcome_model_impl.hpp>
#endif
