// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/permutation_maximum.hpp.

#include <faultline/statistics/permutation_maximum.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/permutation.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE std::vector<double> largest_effects(const Matrix<double>& differences,
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
