// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How far two rankings of the same things agree: Kendall's tau and Spearman's rho over all of them, Jaccard's overlap
// of their first k.

#include <faultline/config.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Kendall's tau-b of paired values: 1 for the same order, -1 for the reverse, 0 on average for unrelated ones.
///
/// **Shapes**: x, y `[N]`. NaN, which no order gives, where it is undefined: fewer than two pairs of values, or all
/// values of x or of y equal.
/// **Formula**: (C − D) / √((P − T_x)(P − T_y)) with C concordant and D discordant pairs of the P = N(N − 1)/2, T pairs
/// tied in x or in y (Kendall 1945); D is counted by merge sort (Knight 1966).
/// **Throws** `shape_mismatch` for lists of different lengths; `invalid_argument` for NaN. **Cost**: O(N log N).
/// Example: `double tau = kendall_tau_b(std::vector{1.0, 2.0, 3.0}, std::vector{1.0, 3.0, 2.0});  // 1/3`
[[nodiscard]] double kendall_tau_b(std::span<const double> x, std::span<const double> y);

/// Spearman's rank correlation of paired values: 1 for the same order, -1 for the reverse, 0 on average for unrelated
/// ones.
///
/// **Shapes**: x, y `[N]`. NaN where it is undefined: fewer than two pairs of values, or all values of x or of y equal.
/// **Formula**: Pearson's correlation of the ranks, equal values sharing their mean rank (Spearman 1904; Kendall 1970,
/// chapter 3).
/// **Throws** `shape_mismatch` for lists of different lengths; `invalid_argument` for NaN. **Cost**: O(N log N).
/// Example: `double rho = spearman_rho(std::vector{1.0, 2.0, 3.0}, std::vector{1.0, 3.0, 2.0});  // 1/2`
[[nodiscard]] double spearman_rho(std::span<const double> x, std::span<const double> y);

/// Jaccard's overlap of the first k of two rankings: members they share over members that either has, 0 to 1; 0 when
/// both are empty.
///
/// A ranking shorter than k counts as a whole. Two random rankings of n things share k²/n of them on average.
/// **Throws** `invalid_argument` for k < 1 and for a ranking that names something twice within its first k. **Cost**:
/// O(k log k).
/// Example: `double overlap = jaccard_top(std::vector<std::int64_t>{4, 7, 1}, std::vector<std::int64_t>{7, 4, 2}, 2);
/// // 1`
[[nodiscard]] double jaccard_top(std::span<const std::int64_t> a, std::span<const std::int64_t> b, std::int64_t k);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/rank_agreement_impl.hpp>
#endif
