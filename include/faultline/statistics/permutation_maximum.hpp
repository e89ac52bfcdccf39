// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The permutation distribution of the largest effect over any number of candidate directions: what the best of them
// must beat (method section 5.1).

#include <faultline/core/matrix.hpp>

#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// For every permutation the largest |v_k · difference| over all candidate directions.
///
/// **Shapes**: differences `[B, d]` from `permuted_differences`, directions `[K, d]` -> `[B]`; zeros for K = 0.
/// **Error rate**: an observed maximum above `permutation_point(result, α)` occurs with probability at most α when
/// outcomes are exchangeable within classes, however many directions there are and however they depend on each other,
/// as long as they were chosen without looking at these outcomes (Westfall and Young 1993).
/// **Throws** `shape_mismatch`. **Cost**: B K d multiplications; memory B · 256 numbers beyond the input.
/// Example: `double bar = permutation_point(largest_effects(null, candidates), 0.05);`
[[nodiscard]] std::vector<double> largest_effects(const Matrix<double>& differences, const Matrix<double>& directions);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/permutation_maximum_impl.hpp>
#endif
