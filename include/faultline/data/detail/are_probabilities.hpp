// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Whether scores that a table calls logits are probabilities.

#include <faultline/core/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// Whether all rows of declared logits are the result of a softmax, be it one of seven bits.
[[nodiscard]] inline bool are_probabilities(const ScoreMatrix& scores) {
  const double rounding = std::min(0.1, std::max(0.02, static_cast<double>(scores.cols()) / 127.0));
  bool certain = true;  // rows of zeros and ones may be anything
  for (std::int64_t i = 0; i < scores.rows(); ++i) {
    double sum = 0.0;
    for (const float score : scores.row_span(i)) {
      if (score < 0.0f || score > 1.0f) return false;
      certain = certain && (score == 0.0f || score == 1.0f);
      sum += static_cast<double>(score);
    }
    if (std::abs(sum - 1.0) > rounding) return false;
  }
  return !certain;
}

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
