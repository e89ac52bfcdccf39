// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// compare: several classifiers on the same generated samples, in one call.

#include <faultline/analysis/compare/compare_outcomes.hpp>
#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/compare/detail/comparison_source.hpp>
#include <faultline/analysis/problem/check_options.hpp>
#include <faultline/analysis/problem/describe_method.hpp>
#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/classify/any_classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Names of the classifiers; a name that is taken gets a number.
[[nodiscard]] std::vector<std::string> unique_names(std::span<const AnyClassifier> classifiers);

void check_same_classes(std::span<const AnyClassifier> classifiers);

/// Adds the classifiers, in their order; empty digests when none of them states one.
void describe_classifiers(Provenance& run, std::span<const std::string> names,
                          std::span<const AnyClassifier> classifiers);

/// Compares classifiers on the same samples of one generator.
///
/// Both splits are generated once, whatever the number of classifiers, and so is every edited image that several of
/// them are asked about. See `compare_outcomes` for what is found and how sure it is, `ComparisonReport` for each
/// number. Two identical classifiers are a result: no sample tells them apart, p = 1, all ratios of distances are 1.
/// Classifiers are called from one thread, unless they say that they are thread-safe, in batches of
/// `method.batch_size`, padded.
/// **Throws** `invalid_argument` for fewer than two classifiers or options out of range, `empty_input` for no samples,
/// `incompatible_models` when numbers of classes differ or do not fit the generator; F2xx for a classifier that answers
/// wrongly, before any of its answers is used; `property_threw`.
/// **Randomness**: the seed decides everything. **Cost**: 2 · samples images and what `compare_outcomes` states;
/// `population_cost` and `cost` of the report count them.
/// Example: `ComparisonReport report = compare(generator, std::vector{AnyClassifier(a), AnyClassifier(b)}, {.samples =
/// 10'000, .seed = 7});`
template <StyleGenerator G, FailureCriterion F = Misclassified>
  requires AffineStyles<G> && std::copy_constructible<F>
[[nodiscard]] ComparisonReport compare(const G& generator, std::span<const AnyClassifier> classifiers,
                                       const ComparisonOptions& options = {}, F criterion = {}) {
  check_comparison_options(classifiers.size(), options);
  check_same_classes(classifiers);
  check_samples("compare", options.samples);
  const StyleSpaceSampler<G> sampler(generator, {.seed = options.seed,
                                                 .labels = options.labels,
                                                 .truncation = options.truncation,
                                                 .cutoff = options.cutoff,
                                                 .noise = options.noise,
                                                 .batch_size = options.method.batch_size});
  const auto source = std::make_shared<detail::ComparisonSource<G, F>>(sampler, classifiers, criterion, options.method);
  ComparisonProblem problem = detail::make_comparison(source);
  problem.names = unique_names(classifiers);
  problem.class_names = class_names_of(generator);

  classify::ScoreRequest request(source->deferred());  // what lacks scores is asked for at once
  source->preflight();
  const CostCounters before = source->cost();
  core::within_memory("compare", [&] {
    problem.discovery = source->sample(core::discovery_first, options.samples, "sampling, discovery split");
    problem.confirmation = source->sample(core::confirmation_first, options.samples, "sampling, confirmation split");
  });
  request.end();
  const CostCounters population = source->cost().since(before);

  ComparisonReport report = core::within_memory("compare", [&] { return compare_outcomes(problem, options); });
  report.population_cost = population;
  report.cost = source->cost();
  report.provenance = describe_sampling(sampler, criterion, options.samples);
  describe_classifiers(report.provenance, problem.names, classifiers);
  describe_method(report.provenance, options.method);
  report.provenance.options = option_values(options);
  for (std::string& warning : backend_warnings_of(generator)) report.warnings.push_back(std::move(warning));
  return report;
}

}  // namespace analysis

using analysis::compare;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/compare/detail/compare_impl.hpp>
#endif
