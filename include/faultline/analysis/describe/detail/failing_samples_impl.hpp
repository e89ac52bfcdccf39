// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/failing_samples.hpp.

#include <faultline/analysis/describe/failing_samples.hpp>

#include <faultline/core/matrix.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/whitening.hpp>
#include <faultline/statistics/within_class_scores.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Columns of the properties of a condition.
[[nodiscard]] inline std::vector<std::int64_t> property_columns(const Problem& problem, const Finding& condition) {
  std::vector<std::int64_t> columns;
  for (const std::string& name : condition.condition.properties) {
    const auto found = std::ranges::find(problem.property_names, name);
    if (found == problem.property_names.end())
      throw Error(ErrorCode::invalid_argument, "failing_samples",
                  "the condition \"" + condition.title + "\" is of the property \"" + name +
                      "\", which was not measured of these samples");
    columns.push_back(found - problem.property_names.begin());
  }
  return columns;
}

/// Coordinates of both splits along the condition, [N]: normal scores of a property, or standard deviations of w.
[[nodiscard]] inline std::vector<double> condition_coordinates(const Problem& problem, const Finding& condition,
                                                               std::span<const std::int64_t> columns,
                                                               std::span<const std::int64_t> labels) {
  const Population &first = problem.discovery, &second = problem.confirmation;
  const auto n = static_cast<std::size_t>(first.size() + second.size());
  const bool summed = columns.size() > 1 && condition.condition.kind != ConditionKind::pair;
  if (!columns.empty() && !summed) {
    std::vector<double> product(n, 1.0);
    for (const std::int64_t column : columns) {
      std::vector<double> values;
      for (const Population* split : {&first, &second})
        for (std::int64_t i = 0; i < split->size(); ++i)
          values.push_back(static_cast<double>(split->properties(i, column)));
      const std::vector<double> scores = statistics::within_class_scores(values, labels, problem.classes);
      for (std::size_t i = 0; i < n; ++i) product[i] *= scores[i];
    }
    for (double& value : product) value *= condition.condition.sign;
    return product;
  }
  const std::vector<double>& direction = condition.direction.w;
  if (static_cast<std::int64_t>(direction.size()) != first.w.cols())
    throw Error(ErrorCode::invalid_argument, "failing_samples",
                "the condition \"" + condition.title +
                    "\" has no direction in w, so nothing says how far a sample is "
                    "along it; export the failures of its class instead");
  Matrix<float> w(first.w.rows() + second.w.rows(), first.w.cols());
  w.topRows(first.w.rows()) = first.w;
  w.bottomRows(second.w.rows()) = second.w;
  const statistics::Whitening whitening = statistics::fit_whitening(w, labels, problem.classes, 1e-12);
  const Matrix<double> whitened = statistics::whiten(whitening, w, labels);
  Matrix<double> step(1, w.cols());
  std::ranges::copy(direction, step.row_span(0).begin());
  const Matrix<double> along = statistics::whiten_steps(whitening, step);
  return core::to_list(statistics::detail::product(whitened, core::as_vector(along.row_span(0)).normalized()));
}

[[nodiscard]] inline double towards_failure(ConditionShape shape, double coordinate) {
  switch (shape) {
    case ConditionShape::two_sided:
    case ConditionShape::subspace: return std::abs(coordinate);
    case ConditionShape::band: return 1.0 - std::abs(coordinate);
    case ConditionShape::one_sided:
    case ConditionShape::pair: break;
  }
  return coordinate;
}

}  // namespace detail

FAULTLINE_INLINE std::vector<FailingSample> failing_samples(const Problem& problem, const Finding& condition,
                                                            const FailingSampleOptions& options) {
  core::require_in("failing_samples", "count", options.count, 0, std::numeric_limits<std::int64_t>::max());
  const std::vector<std::int64_t> columns = detail::property_columns(problem, condition);
  std::vector<std::int64_t> labels = problem.discovery.label;
  labels.insert(labels.end(), problem.confirmation.label.begin(), problem.confirmation.label.end());
  const std::vector<double> coordinates = detail::condition_coordinates(problem, condition, columns, labels);
  const ConditionShape shape = condition.condition.shape.value_or(ConditionShape::one_sided);
  std::vector<FailingSample> samples;
  std::size_t at = 0;
  for (const Population* split : {&problem.discovery, &problem.confirmation})
    for (std::size_t i = 0; i < split->index.size(); ++i, ++at) {
      const double score = detail::towards_failure(shape, coordinates[at]);
      const auto& own_class = condition.condition.class_label;
      if (split->failed[i] == 0 || !split->is_valid(i) || !(score >= options.least_score)) continue;
      if (own_class && split->label[i] != *own_class) continue;
      FailingSample& sample = samples.emplace_back();
      sample.index = split->index[i];
      sample.label = split->label[i];
      sample.prediction = split->prediction[i];
      sample.probability = static_cast<double>(split->probability[i]);
      sample.score = score;
      for (const std::int64_t column : columns)
        sample.properties.push_back(static_cast<double>(split->properties(static_cast<std::int64_t>(i), column)));
    }
  std::ranges::stable_sort(samples, [](const auto& a, const auto& b) { return a.score > b.score; });
  if (options.count > 0 && static_cast<std::int64_t>(samples.size()) > options.count)
    samples.resize(static_cast<std::size_t>(options.count));
  return samples;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
