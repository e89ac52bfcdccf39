// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The plain middle of a comparison: classified samples in, a ComparisonReport out (comparison.md). No templates, no
// generator, no classifier.

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>

#include <cstddef>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

void check_comparison_options(std::size_t classifiers, const ComparisonOptions& options);

void check_comparison(const ComparisonProblem& problem, const ComparisonOptions& options);

/// McNemar's test of every pair over both splits, Holm over the pairs.
[[nodiscard]] std::vector<PairComparison> compare_rates(const ComparisonProblem& problem);

/// Compares classifiers whose outcomes on common samples are known.
///
/// Rates and McNemar's test of every pair. Each classifier's causes, found as `analyze` finds them. For every pair and
/// both orders the conditions on which the one is right and the other wrong: the chain of `find_causes` on the samples
/// that the one gets right, with "both right" as the reference, and for both classifiers the change of the failure rate
/// when the same latents are moved. What every classifier loses of its failures when the same latents are set to the
/// usual level of each classifier's causes. Distances to the flip along every image property and along these causes,
/// from start latents that all get right; accuracy against distance. See the members of `ComparisonReport`.
/// **Error rates**: two classifiers whose disagreement depends on nothing but the class get a condition in any pair or
/// order with probability at most `method.alpha` (Holm over all conditions of all pairs and orders together, with exact
/// first tests of as many permutations as that takes); bounds of what moving does hold together, at any number of
/// latents, and so do the intervals of differences of fractions. Causes of one classifier have the error of their own
/// analysis. `p_adjusted` of pairs and of ratios hold within their family; rates, fractions and medians carry 95 %
/// intervals each by itself, rates of classes together.
/// **Throws** `invalid_argument` for fewer than two classifiers or options out of range, `empty_input`,
/// `shape_mismatch`, `label_out_of_range`; what the callbacks throw. Too few samples that tell two classifiers apart, a
/// classifier that never fails, and latents that do not vary are results; rates and pairs are always there.
/// **Randomness**: (problem.common.seed, streams permutations and 7). **Cost**: beyond the populations, images for the
/// causes of each classifier and for the conditions of each order (`measure_effects`, about twice over in an order; the
/// held-out latents are drawn once), `fraction_latents` per cause for all classifiers, and of distances: per direction
/// and latent 8 on the grid, at most 8 for each classifier that flips.
/// Example: `ComparisonReport report = compare_outcomes(problem, {});`
[[nodiscard]] ComparisonReport compare_outcomes(const ComparisonProblem& problem, const ComparisonOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/compare/detail/compare_outcomes_impl.hpp>
#endif
