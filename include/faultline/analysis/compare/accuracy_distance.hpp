// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Accuracy against distance from the well-classified centre in the subspace of the most influential style channels, on
// one axis for all classifiers and classes (comparison.md).

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>

#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// The shared axis: which channels span the subspace, and how far each sample of the confirmation split lies from the
/// centre of its class.
struct AccuracyAxis {
  std::vector<std::int64_t> channels;  ///< flat style indices, ascending
  std::vector<double> distances;       ///< one per sample, in standard deviations per channel
};

/// The axis that all curves share.
///
/// **Formula**: channels are the union of the `channels` most influential ones of each classifier's pooled ranking (the
/// paper's), as far as they vary within classes; a classifier that never fails (or always) ranks none. With c_k the
/// mean of s_k over the samples of the class that every classifier gets right (over all samples of the class where
/// there is none) and σ_k the pooled within-class standard deviation, distance = √(mean over the channels of ((s_k −
/// c_k) / σ_k)²): Euclidean distance, divided by the root of the number of channels, so that 1 is about what a typical
/// sample has. Channels, centres and σ come from the discovery split, distances are of the confirmation split. Because
/// s = A w + b, the squared distance is a quadratic form of w: no style is formed.
/// **Throws** `invalid_argument` unless channels ≥ 1; `degenerate_statistics` when no classifier ranks any. **Cost**: D
/// d² multiplications per classifier, N d².
[[nodiscard]] AccuracyAxis accuracy_axis(const ComparisonProblem& problem, std::int64_t channels = 100);

/// Accuracy of every classifier in bins of one axis, over all classes and then for each class that has samples.
///
/// **Formula**: bins of equal width between the 1 % and 99 % quantile of all distances; the first begins at 0 and the
/// last is open, so that no sample is lost. Rates count failures of the confirmation split, with Clopper-Pearson
/// intervals; accuracy is 1 − rate. Empty bins keep the interval [0, 1].
/// **Error rate**: each interval by itself covers with at least 95 %; nothing is said about all of them together.
/// **Throws** `invalid_argument` unless bins ≥ 1; `shape_mismatch`.
/// Example: `std::vector<AccuracyCurve> curves = accuracy_curves(problem, accuracy_axis(problem));`
[[nodiscard]] std::vector<AccuracyCurve> accuracy_curves(const ComparisonProblem& problem, const AccuracyAxis& axis,
                                                         std::int64_t bins = 10);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/compare/detail/accuracy_distance_impl.hpp>
#endif
