// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Rank comparison of failures with successes: the area under the ROC curve, pooled and by class (paper.md).

#include <faultline/statistics/stratified.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// An area under the ROC curve with its test against ½.
struct RankTest {
  /// Probability that a failure has a larger value than a success, ties counted half; above ½ when failures have the
  /// larger values
  double auc = 0.5;
  double standard_error = 0.0;  ///< of `auc` when outcomes do not depend on the value: exact, ties included
  double z = 0.0;               ///< (auc − ½) / standard_error; 0 without variation
  double p = 1.0;               ///< one-sided (auc > ½), normal approximation
};

/// Pooled area under the ROC curve of failures against successes, all classes together.
///
/// **Formula**: Mann–Whitney U / (m n), ties counted half (Mann and Whitney 1947); variance (N + 1 − Σ(t³ − t)/(N(N −
/// 1))) / (12 m n) over runs of t equal values.
/// **Shapes**: values, failed `[N]`. AUC ½ and p = 1 without failures or without successes.
/// **Throws** `shape_mismatch`; `invalid_argument` for NaN. **Cost**: O(N log N).
[[nodiscard]] RankTest rank_auc(std::span<const double> values, std::span<const std::uint8_t> failed);

/// Area under the ROC curve within classes, weighted like every stratified effect.
///
/// **Formula**: Σ ω_c AUC_c / Σ ω_c; its variance under permutation within classes is Σ ω_c² var(AUC_c) / (Σ ω_c)² (the
/// form of van Elteren 1960 with weights ω_c).
/// **Shapes**: values, labels, failed `[N]`. AUC ½ and p = 1 when no class is used.
/// **Error rate**: the one-sided p is a normal approximation; with 50 effective failures its error rate at α = .05
/// stays below .06 (simulated in the tests).
/// **Throws** `shape_mismatch`, `label_out_of_range`; `invalid_argument` for NaN. **Cost**: O(N log N).
/// Example: `RankTest test = stratified_auc(scores, labels, failed, strata);`
[[nodiscard]] RankTest stratified_auc(std::span<const double> values, std::span<const std::int64_t> labels,
                                      std::span<const std::uint8_t> failed, const Strata& strata);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/rank_impl.hpp>
#endif
