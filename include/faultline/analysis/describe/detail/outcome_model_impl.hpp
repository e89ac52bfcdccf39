// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/outcome_model.hpp.

#include <faultline/analysis/describe/outcome_model.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/natural_spline.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Columns in which properties of these names lie.
[[nodiscard]] inline std::vector<std::int64_t> columns_named(std::span<const std::string> wanted,
                                                             std::span<const std::string> names, const char* whose) {
  std::vector<std::int64_t> columns;
  for (const std::string& name : wanted) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw Error(ErrorCode::invalid_argument, "OutcomeModel",
                  std::string(whose) + " were not measured for \"" + name + "\"; measure both by the same properties");
    columns.push_back(found - names.begin());
  }
  return columns;
}

[[nodiscard]] inline double score_among(std::span<const double> sorted, double value) {
  if (sorted.empty()) return 0.0;
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
  const auto n = static_cast<double>(sorted.size());
  const double place = 0.5 * static_cast<double>((first - sorted.begin()) + (last - sorted.begin())) / n;
  return statistics::normal_quantile(std::clamp(place, 0.5 / n, 1.0 - 0.5 / n));
}

}  // namespace detail

FAULTLINE_INLINE OutcomeModel::OutcomeModel(const Problem& problem, std::vector<std::string> properties)
    : properties_(std::move(properties)), classes_(problem.classes) {
  const std::vector<std::int64_t> own =
      detail::columns_named(properties_, problem.property_names, "the generated images");
  const auto p = static_cast<std::int64_t>(own.size());
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> failed;
  std::vector<double> rows;
  for (const Population* split : {&problem.discovery, &problem.confirmation})
    for (std::int64_t i = 0; i < split->size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!split->is_valid(at)) continue;
      labels.push_back(split->label[at]);
      failed.push_back(split->failed[at]);
      for (const std::int64_t k : own) rows.push_back(static_cast<double>(split->properties(i, k)));
    }
  if (labels.empty()) throw Error(ErrorCode::empty_input, "OutcomeModel", "there are no valid samples");
  Matrix<double> values(static_cast<std::int64_t>(labels.size()), p);
  std::copy(rows.begin(), rows.end(), values.data());
  sorted_.assign(static_cast<std::size_t>(classes_), std::vector<std::vector<double>>(own.size()));
  for (std::int64_t i = 0; i < values.rows(); ++i)
    for (std::int64_t k = 0; k < p; ++k)
      sorted_[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])][static_cast<std::size_t>(k)].push_back(
          values(i, k));
  for (auto& of_class : sorted_)
    for (std::vector<double>& list : of_class) std::sort(list.begin(), list.end());
  fit_ = statistics::fit_logistic(columns(values, labels), labels, failed, classes_);
}

FAULTLINE_INLINE Matrix<double> OutcomeModel::columns(const Matrix<double>& values,
                                                      std::span<const std::int64_t> labels) const {
  const std::int64_t p = values.cols(), splines = p * statistics::spline_columns;
  Matrix<double> x(values.rows(), splines + p * (p - 1) / 2);
  for (std::int64_t i = 0; i < values.rows(); ++i) {
    const auto& of_class = sorted_[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
    std::vector<double> scores;
    for (std::int64_t k = 0; k < p; ++k) {
      scores.push_back(detail::score_among(of_class[static_cast<std::size_t>(k)], values(i, k)));
      const statistics::SplineRow spline = statistics::natural_spline(scores.back());
      for (std::int64_t j = 0; j < statistics::spline_columns; ++j)
        x(i, k * statistics::spline_columns + j) = spline[static_cast<std::size_t>(j)];
    }
    std::int64_t at = splines;
    for (std::size_t a = 0; a < scores.size(); ++a)
      for (std::size_t b = a + 1; b < scores.size(); ++b) x(i, at++) = scores[a] * scores[b];
  }
  return x;
}

FAULTLINE_INLINE std::vector<double> OutcomeModel::predict(const LabelledTable& table) const {
  check_table(table, "OutcomeModel");
  const std::vector<std::int64_t> own = detail::columns_named(properties_, table.property_names, "the real images");
  for (const std::int64_t label : table.label)
    if (label >= classes_)
      throw Error(ErrorCode::incompatible_models, "OutcomeModel",
                  "the real images have class " + std::to_string(label) + ", the generated ones have " +
                      std::to_string(classes_) + " classes");
  Matrix<double> values(table.size(), static_cast<std::int64_t>(own.size()));
  for (std::int64_t i = 0; i < table.size(); ++i)
    for (std::size_t k = 0; k < own.size(); ++k)
      values(i, static_cast<std::int64_t>(k)) = static_cast<double>(table.properties(i, own[k]));
  std::vector<double> rates = statistics::linear_predictor(fit_, columns(values, table.label), table.label);
  for (double& rate : rates) rate = 1.0 / (1.0 + std::exp(-rate));
  return rates;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
