// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The plain middle of a comparison: classified samples in, a ComparisonReport out (method section 11). No templates, no
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

/// McNemar's test of every pair over both halves, Holm over the pairs.
[[nodiscard]] std::vector<PairComparison> compare_rates(const ComparisonProblem& problem);

/// Compares classifiers whose outcomes on common samples are known.
///
/// Rates and McNemar's test of every pair; for every pair and both orders the directions on which the one is right and
/// the other wrong; distances to the flip along every property and along every classifier's own causes, from start
/// codes that all get right; accuracy against distance. See the members of `ComparisonReport`.
/// **Error rates**: two classifiers whose errors depend on nothing in w get a direction in any pair or order with
/// probability at most `method.alpha` (Holm over all candidates of all pairs and orders together), and so does a
/// direction that hurts both alike, because they share a fault (Holm over the sign tests of all confirmed directions).
/// `p_adjusted` of pairs and of ratios hold within their family; rates, differences and medians carry 95 % intervals
/// each by itself.
/// **Throws** `invalid_argument` for fewer than two classifiers or options out of range, `empty_input`,
/// `shape_mismatch`, `label_out_of_range`; what the callbacks throw. Too few samples that tell two classifiers apart, a
/// classifier that never fails, and latents that do not vary are results; rates and pairs are always there.
/// **Randomness**: (problem.common.seed, streams permutations and codes). **Cost**: beyond the populations, images for
/// interventions of each classifier and order (see `intervene`; the fresh codes are drawn once), and of distances: per
/// direction and code 8 on the grid, at most 8 for each classifier that flips.
/// Example: `ComparisonReport report = compare_outcomes(problem, {});`
[[nodiscard]] ComparisonReport compare_outcomes(const ComparisonProblem& problem, const ComparisonOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/compare/detail/compare_outcomes_impl.hpp>
#endif
