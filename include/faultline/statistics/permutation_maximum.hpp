// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The permutation distribution of the largest effect over any number of candidate directions: what the best of them
// must beat (method section 5.1).

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/permutation.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
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
[[nodiscard]] inline std::vector<double> largest_effects(const Matrix<double>& differences,
                                                         const Matrix<double>& directions) {
  if (differences.cols() != directions.cols()) {
    throw Error(ErrorCode::shape_mismatch, "largest_effects",
                "expected directions of dimension " + std::to_string(differences.cols()) + ", got " +
                    std::to_string(directions.cols()));
  }
  std::vector<double> largest(static_cast<std::size_t>(differences.rows()), 0.0);
  constexpr std::int64_t block = 256;
  for (std::int64_t first = 0; first < directions.rows(); first += block) {
    const Matrix<double> some = directions.middleRows(first, std::min(block, directions.rows() - first));
    const Matrix<double> effects = some * differences.transpose();
    auto bar = core::as_vector(largest);
    bar = bar.cwiseMax(effects.cwiseAbs().colwise().maxCoeff().transpose());
  }
  return largest;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
