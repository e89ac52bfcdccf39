// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/confirm_conditions.hpp.

#include <faultline/analysis/confirm/confirm_conditions.hpp>

#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/logistic_regression.hpp>
#include <faultline/statistics/multiplicity.hpp>
#include <faultline/statistics/permutation.hpp>
#include <faultline/statistics/score_tail.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Terms of every condition, then of every interaction.
[[nodiscard]] inline std::vector<std::vector<Term>> term_groups(const Conditions& found) {
  std::vector<std::vector<Term>> groups;
  for (const Condition& condition : found.conditions) groups.push_back(condition.terms);
  for (const Interaction& interaction : found.interactions) groups.push_back({interaction.term});
  return groups;
}

/// One-sided p-value of a value under outcomes permuted within classes.
[[nodiscard]] inline double permutation_tail(const ConditionSample& sample, std::span<const double> value,
                                             std::int64_t seed, std::int64_t permutations) {
  const statistics::Strata strata = statistics::count_outcomes(sample.label, sample.failed, sample.classes);
  Matrix<double> column(sample.size(), 1);
  core::as_vector(column.values()) = core::as_vector(value);
  const std::vector<double> observed = statistics::stratified_difference(column, sample.label, sample.failed, strata);
  const Matrix<double> null = statistics::permuted_differences(column, sample.label, sample.failed, strata,
                                                               {.replicates = permutations, .seed = seed});
  return statistics::permutation_p(observed.front(), null.values());
}

/// One-sided p-value of a value given columns that are in the model already.
[[nodiscard]] inline double score_tail(const ConditionSample& sample, const Matrix<double>& x,
                                       std::span<const double> value) {
  const statistics::LogisticFit fit = statistics::fit_logistic(x, sample.label, sample.failed, sample.classes);
  const auto n = static_cast<Eigen::Index>(value.size());
  Eigen::VectorXd weight(n), residual(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const double p = fit.probability[static_cast<std::size_t>(i)];
    weight[i] = p * (1.0 - p);
    residual[i] = (sample.failed[static_cast<std::size_t>(i)] != 0 ? 1.0 : 0.0) - p;
  }
  // orthogonal, in the weights of the fit, to the intercepts first and then to the columns
  Matrix<double> columns = x;
  Eigen::VectorXd h = core::as_vector(value);
  for (Eigen::Index first = 0; first < n;) {
    Eigen::Index last = first;
    while (last < n && sample.label[static_cast<std::size_t>(last)] == sample.label[static_cast<std::size_t>(first)])
      ++last;
    double total = 0.0, sum = 0.0;
    for (Eigen::Index i = first; i < last; ++i) total += weight[i], sum += weight[i] * h[i];
    total = std::max(total, 1e-300);
    const Eigen::VectorXd mean =
        statistics::detail::transposed_product(statistics::detail::rows_of(columns, first, last - first),
                                               weight.segment(first, last - first)) /
        total;
    for (; first < last; ++first) {
      h[first] -= sum / total;
      core::as_vector(columns.row_span(first)) -= mean;
    }
  }
  if (x.cols() > 0) {
    const Matrix<double> weighted = statistics::detail::scaled_rows(weight, columns);
    Matrix<double> information = statistics::detail::transposed_product(columns, weighted);
    statistics::detail::add_to_diagonal(information, 1e-9 * std::max(1e-9, information.trace()));
    h -= statistics::detail::product(
        columns, statistics::detail::solve_symmetric(information, statistics::detail::transposed_product(weighted, h)));
  }
  const std::vector<double> frozen = core::to_list(h);
  return statistics::score_upper_tail(fit.probability, frozen, h.dot(residual));
}

}  // namespace detail

FAULTLINE_INLINE FrozenShapes freeze_shapes(const ConditionSample& discovery, const Conditions& found) {
  const std::vector<std::vector<Term>> groups = detail::term_groups(found);
  std::vector<Term> all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  const statistics::LogisticFit fit =
      statistics::fit_logistic(design(all, discovery), discovery.label, discovery.failed, discovery.classes);
  FrozenShapes shapes;
  shapes.intercepts = fit.intercepts;
  std::size_t first = 0;
  for (const auto& group : groups) {
    std::size_t width = 0;
    for (const Term& term : group) width += static_cast<std::size_t>(column_count(term));
    shapes.coefficients.emplace_back(fit.coefficients.begin() + static_cast<std::ptrdiff_t>(first),
                                     fit.coefficients.begin() + static_cast<std::ptrdiff_t>(first + width));
    first += width;
  }
  return shapes;
}

FAULTLINE_INLINE ConditionTests confirm_conditions(const ConditionSample& confirmation, const Conditions& found,
                                                   const FrozenShapes& shapes, std::int64_t seed,
                                                   std::int64_t permutations) {
  const std::vector<std::vector<Term>> groups = detail::term_groups(found);
  ConditionTests result;
  if (groups.empty()) return result;
  const std::int64_t n = confirmation.size();
  Matrix<double> earlier(n, 0), values(n, 0);
  const auto deviance_of = [&](const Matrix<double>& x) {
    const statistics::LogisticFit fit =
        statistics::fit_logistic(x, confirmation.label, confirmation.failed, confirmation.classes);
    return statistics::deviances(statistics::linear_predictor(fit, x, confirmation.label), confirmation.failed);
  };
  const std::vector<double> null = deviance_of(values);
  const bool several_classes = !confirmation.label.empty() && confirmation.label.front() != confirmation.label.back();
  std::vector<double> before = null;
  std::vector<double> p;
  std::vector<ConditionTest> tests;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Matrix<double> columns = design(groups[g], confirmation);
    const std::vector<double> value =
        core::to_list(statistics::detail::product(columns, core::as_vector(shapes.coefficients[g])));
    ConditionTest test;
    test.p = g == 0 ? detail::permutation_tail(confirmation, value, seed, permutations)
                    : detail::score_tail(confirmation, earlier, value);
    Matrix<double> grown(n, values.cols() + 1);
    grown.leftCols(values.cols()) = values;
    grown.rightCols(1) = core::as_vector(value);
    values = std::move(grown);
    const std::vector<double> after = deviance_of(values);
    test.gain = statistics::deviance_gain(before, after, null);
    test.class_gains.assign(static_cast<std::size_t>(confirmation.classes), 0.0);
    double total = 0.0;
    for (std::size_t i = 0; i < after.size(); ++i) {
      test.class_gains[static_cast<std::size_t>(confirmation.label[i])] += before[i] - after[i];
      total += before[i] - after[i];
    }
    const auto most = std::max_element(test.class_gains.begin(), test.class_gains.end());
    if (several_classes && total > 0.0 && *most >= 0.8 * total) test.class_label = most - test.class_gains.begin();
    before = after;
    Matrix<double> wider(n, earlier.cols() + columns.cols());
    wider.leftCols(earlier.cols()) = earlier;
    wider.rightCols(columns.cols()) = columns;
    earlier = std::move(wider);
    p.push_back(test.p);
    tests.push_back(std::move(test));
  }
  const std::vector<double> adjusted = statistics::holm(p);
  for (std::size_t g = 0; g < tests.size(); ++g) {
    tests[g].p_adjusted = adjusted[g];
    (g < found.conditions.size() ? result.conditions : result.interactions).push_back(std::move(tests[g]));
  }
  result.together = statistics::deviance_gain(null, before, null);
  return result;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
