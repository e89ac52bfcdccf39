// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Global or class-specific (method.md: Global and class-specific)? Rankings of style channels per class, and the split
// of an effect into what all classes share and what belongs to some.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/statistics/stratified.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Splits the difference between failures and successes along one coordinate into a part common to all classes and a
/// class-specific one.
///
/// **Shapes**: values, labels, failed `[N]`. Classes with fewer than two failures or successes are left out; with fewer
/// than two classes left there is no share.
/// **Formula**: d_c = mean_MIS,c − mean_WELL,c with its Welch variance, weights ω_c of the strata, so that `common` is
/// the stratified difference; see `split_effects`.
/// **Error rate**: of `p` and of the interval as there; they describe, and are not corrected for the number of
/// directions.
/// **Throws** `shape_mismatch`, `label_out_of_range`; `invalid_argument` for values that are not finite.
/// **Randomness**: (seed, Stream::permutations, 2^52 + b), 999 replicates. **Cost**: N additions and 999 normal draws
/// per class.
/// Example: `ClassSplit split = split_by_class(values, population.label, population.failed, strata, 7);
/// split.common_share`
[[nodiscard]] ClassSplit split_by_class(std::span<const double> values, std::span<const std::int64_t> labels,
                                        std::span<const std::uint8_t> failed, const statistics::Strata& strata,
                                        std::int64_t seed);

/// Fills `class_split` of every row of the paper's table from the confirmation split, in units of the channel's
/// within-class deviation there. A channel that does not vary keeps an empty split.
///
/// **Cost**: moments of w, and the styles of the rows' channels alone.
void split_channels(const Problem& problem, std::vector<RankedChannel>& table);

/// The style channels that set failures of each class apart most.
///
/// **Returns** one ranking per class, ascending; a class with fewer than two failures or successes is listed as
/// skipped, with its counts.
/// **Formula**: d_k,c = a_k · (mean_MIS,c w − mean_WELL,c w) / σ_k, with σ_k pooled within all classes, so that classes
/// compare and the stratified score is the weighted mean of the d_k,c.
/// **Error rate**: none is controlled; the top of a class with few failures is mostly noise.
/// **Throws** `label_out_of_range`. **Cost**: moments of w and classes x D x d multiplications.
/// Example: `for (const ClassRanking& ranking : rank_per_class(problem, problem.discovery)) if (!ranking.skipped) ...`
[[nodiscard]] std::vector<ClassRanking> rank_per_class(const Problem& problem, const Population& population,
                                                       std::int64_t rows = 10);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/rank/detail/class_split_impl.hpp>
#endif
