// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/compare/compare_outcomes.hpp.

#include <faultline/analysis/compare/compare_outcomes.hpp>

#include <faultline/analysis/compare/accuracy_distance.hpp>
#include <faultline/analysis/compare/detail/direction_tests.hpp>
#include <faultline/analysis/compare/detail/paired_distances.hpp>
#include <faultline/analysis/compare/detail/separations.hpp>
#include <faultline/analysis/problem/check_options.hpp>
#include <faultline/analysis/problem/check_population.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/within_memory.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE void check_comparison_options(std::size_t classifiers, const ComparisonOptions& options) {
  constexpr const char* where = "compare";
  check_options(options.method);
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
    throw Error(ErrorCode::shape_mismatch, where, "expected one population per classifier in each half");
  for (const auto* halves : {&problem.discovery, &problem.confirmation}) {
    for (const Population& half : *halves) {
      check_population(problem.common, half, halves == &problem.discovery ? "discovery" : "confirmation");
      if (half.index != halves->front().index || half.label != halves->front().label)
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

  // Coordinates and candidates look at no outcome, so they are the same for every question.
  Problem common = problem.common;
  common.discovery = problem.discovery.front();
  common.confirmation = problem.confirmation.front();
  statistics::Whitening whitening;
  try {
    whitening = statistics::fit_whitening(common.discovery.w, common.discovery.label, common.classes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::degenerate_statistics) throw;
    for (std::size_t c = 0; c < classifiers; ++c) {
      report.classifiers.push_back(describe_rates(problem, c));
      report.classifiers.back().verdict = Verdict::too_few_failures;
      report.classifiers.back().reason = "The samples do not vary enough to look for directions.";
    }
    report.warnings.push_back(error.what());
    return report;
  }
  report_progress(method.progress, "candidates", 0, 1);
  const NamedPool pool =
      make_pool(common, whitening, statistics::whiten(whitening, common.discovery.w, common.discovery.label));
  report.warnings = pool.warnings;
  report_progress(method.progress, "candidates", 1, 1);
  detail::SharedSamples samples(problem);

  const auto questions = static_cast<std::int64_t>(classifiers * classifiers);
  std::int64_t asked = 0;
  std::vector<std::vector<Finding>> causes(classifiers);
  for (std::size_t c = 0; c < classifiers; ++c) {
    report_progress(method.progress, "choosing and confirming directions", asked++, questions);
    const detail::DirectionTest contest =
        detail::run_direction_test(detail::single_problem(problem, samples, c), whitening, pool, method);
    report.classifiers.push_back(describe_classifier(problem, contest, c, whitening, method, causes[c]));
  }

  std::vector<detail::DirectionTest> contests;
  for (const PairComparison& pair : report.pairs) {
    const auto first = static_cast<std::size_t>(pair.first), second = static_cast<std::size_t>(pair.second);
    for (const auto& [right, wrong] : {std::pair{first, second}, std::pair{second, first}}) {
      report_progress(method.progress, "choosing and confirming directions", asked++, questions);
      contests.push_back(
          detail::run_direction_test(detail::ordered_problem(problem, samples, right, wrong), whitening, pool, method));
    }
  }
  detail::adjust_together(contests);
  for (std::size_t k = 0; k < report.pairs.size(); ++k) {
    PairComparison& pair = report.pairs[k];
    const auto first = static_cast<std::size_t>(pair.first), second = static_cast<std::size_t>(pair.second);
    pair.orders.push_back(challenge_order(problem, contests[2 * k], first, second, whitening, method));
    pair.orders.push_back(challenge_order(problem, contests[2 * k + 1], second, first, whitening, method));
  }
  conclude_orders(problem, report.pairs, method);

  for (const Direction& property : property_directions(pool, common, whitening)) {
    for (const int sign : {1, -1}) {
      PairedDistance along;
      along.title = (sign > 0 ? "more " : "less ") + property.name;
      along.source = "property";
      along.sign = sign;
      along.direction = property;
      for (auto* values : {&along.direction.whitened, &along.direction.w})
        for (double& value : *values) value *= sign;
      report.distances.push_back(std::move(along));
    }
  }
  for (std::size_t c = 0; c < classifiers; ++c) {
    for (std::size_t k = 0; k < causes[c].size(); ++k) {
      PairedDistance along;
      along.title = report.classifiers[c].findings[k];
      along.source = problem.names[c];
      along.direction = causes[c][k].direction;
      report.distances.push_back(std::move(along));
    }
  }
  const Population none;
  detail::measure_paired_distances(problem, {common, whitening, method, none}, samples, options.bootstrap_replicates,
                                   report.distances);
  if (!report.distances.empty() && report.distances.front().codes == 0)
    report.warnings.push_back("No start code is right for every classifier, so no distances could be compared.");

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
