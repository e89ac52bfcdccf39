// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/compare/compare_outcomes.hpp.

#include <faultline/analysis/compare/compare_outcomes.hpp>

#include <faultline/analysis/compare/accuracy_distance.hpp>
#include <faultline/analysis/compare/detail/own_causes.hpp>
#include <faultline/analysis/compare/detail/paired_distances.hpp>
#include <faultline/analysis/compare/detail/paired_fractions.hpp>
#include <faultline/analysis/compare/detail/questions.hpp>
#include <faultline/analysis/compare/detail/separations.hpp>
#include <faultline/analysis/problem/check_options.hpp>
#include <faultline/analysis/problem/check_population.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/statistics/multiplicity.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE void check_comparison_options(std::size_t classifiers, const ComparisonOptions& options) {
  constexpr const char* where = "compare";
  check_options(options.method);
  refuse_budget(where, options.method);
  if (classifiers < 2)
    throw Error(ErrorCode::invalid_argument, where,
                "a comparison needs at least two classifiers, got " + std::to_string(classifiers) +
                    "; characterize() describes a single one");
  core::require_in(where, "accuracy_channels", options.accuracy_channels, 1, limits::directions);
  core::require_in(where, "accuracy_bins", options.accuracy_bins, 1, limits::directions);
  // With fewer there is no 95 % interval
  core::require_in(where, "bootstrap_replicates", options.bootstrap_replicates, 39, limits::permutations);
}

FAULTLINE_INLINE void check_comparison(const ComparisonProblem& problem, const ComparisonOptions& options) {
  constexpr const char* where = "compare";
  check_comparison_options(problem.size(), options);
  if (problem.discovery.size() != problem.size() || problem.confirmation.size() != problem.size())
    throw Error(ErrorCode::shape_mismatch, where, "expected one population per classifier in each split");
  for (const auto* splits : {&problem.discovery, &problem.confirmation}) {
    for (const Population& split : *splits) {
      check_population(problem.common, split, splits == &problem.discovery ? "discovery" : "confirmation");
      if (split.index != splits->front().index || split.label != splits->front().label)
        throw Error(ErrorCode::shape_mismatch, where, "all classifiers must have been given the same samples");
    }
  }
}

FAULTLINE_INLINE std::vector<PairComparison> compare_rates(const ComparisonProblem& problem) {
  std::vector<PairComparison> pairs;
  std::vector<double> p;
  for (std::size_t a = 0; a < problem.size(); ++a) {
    for (std::size_t b = a + 1; b < problem.size(); ++b) {
      statistics::PairedCounts counts =
          statistics::count_pairs(problem.discovery[a].failed, problem.discovery[b].failed);
      const statistics::PairedCounts more =
          statistics::count_pairs(problem.confirmation[a].failed, problem.confirmation[b].failed);
      counts.both_right += more.both_right;
      counts.only_first_fails += more.only_first_fails;
      counts.only_second_fails += more.only_second_fails;
      counts.both_fail += more.both_fail;
      PairComparison pair;
      pair.first = static_cast<std::int64_t>(a);
      pair.second = static_cast<std::int64_t>(b);
      pair.test = statistics::test_pairs(counts);
      p.push_back(pair.test.p);
      pairs.push_back(std::move(pair));
    }
  }
  const std::vector<double> adjusted = statistics::holm(p);
  for (std::size_t k = 0; k < pairs.size(); ++k) pairs[k].p_adjusted = adjusted[k];
  return pairs;
}

FAULTLINE_INLINE ComparisonReport compare_outcomes(const ComparisonProblem& problem, const ComparisonOptions& options) {
  check_comparison(problem, options);
  const MethodOptions& method = options.method;
  const std::size_t classifiers = problem.size();
  ComparisonReport report;
  report.classes = problem.common.classes;
  report.class_names = problem.class_names;
  report.property_names = problem.common.property_names;
  report.pairs = compare_rates(problem);

  // Coordinates and reading vectors look at no outcome, so they are the same for every question.
  Problem common = problem.common;
  common.discovery = problem.discovery.front();
  common.confirmation = problem.confirmation.front();
  report_progress(method.progress, "reading vectors", 0, 1);
  std::optional<ConditionGround> ground;
  try {
    ground = prepare_ground(common);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::degenerate_statistics) throw;
    report.warnings.push_back(error.what());
  }
  report_progress(method.progress, "reading vectors", 1, 1);
  ConditionGround* const prepared = ground ? &*ground : nullptr;
  detail::SharedSamples samples(problem);

  std::vector<detail::OwnCauses> causes(classifiers);
  for (std::size_t c = 0; c < classifiers; ++c)
    report.classifiers.push_back(detail::describe_classifier(problem, samples, c, prepared, method, causes[c]));

  // First the tests of all orders, which share one error; then what moving does.
  const auto orders = static_cast<std::int64_t>(2 * report.pairs.size());
  ConditionOptions conditions = chain_options(method).conditions;
  conditions.permutations = detail::order_permutations(method, orders);
  std::vector<detail::OrderTest> tests;
  for (PairComparison& pair : report.pairs)
    for (const auto& [right, wrong] : {std::pair{pair.first, pair.second}, std::pair{pair.second, pair.first}}) {
      report_progress(method.progress, "one right, the other wrong", static_cast<std::int64_t>(tests.size()), orders);
      OrderedComparison& order = pair.orders.emplace_back();
      order.right = right;
      order.wrong = wrong;
      tests.push_back(detail::test_order(problem, samples, prepared, method, conditions, order));
    }
  report_progress(method.progress, "one right, the other wrong", orders, orders);
  detail::adjust_together(tests, conditions);
  std::int64_t confirmed = 0;
  for (const detail::OrderTest& test : tests) confirmed += test.confirmed();
  for (std::size_t k = 0; k < tests.size(); ++k)
    if (tests[k].enough)
      detail::prove_order(problem, samples, *ground, method, tests[k], confirmed, report.pairs[k / 2].orders[k % 2]);
  if (!ground) return report;

  report.fractions = detail::measure_paired_fractions(problem, samples, ground->whitening, causes, method);
  const std::vector<Direction> properties =
      method.property_distances ? property_directions(common, ground->whitening, ground->reading_vectors)
                                : std::vector<Direction>();
  std::vector<detail::MovedProperties> along = detail::distance_directions(problem, properties, causes);
  const Population none;
  detail::measure_paired_distances(problem, {common, ground->whitening, method, none}, samples,
                                   options.bootstrap_replicates, along);
  for (detail::MovedProperties& moved : along) report.distances.push_back(std::move(moved.along));
  if (!report.distances.empty() && report.distances.front().latents == 0)
    report.warnings.push_back("No start latent is right for every classifier, so no distances could be compared.");

  try {
    const AccuracyAxis axis = accuracy_axis(problem, options.accuracy_channels);
    for (const std::int64_t channel : axis.channels) report.accuracy_channels.push_back(common.layout.locate(channel));
    report.accuracy = accuracy_curves(problem, axis, options.accuracy_bins);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::degenerate_statistics) throw;
    report.warnings.push_back(error.what());
  }
  return report;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
