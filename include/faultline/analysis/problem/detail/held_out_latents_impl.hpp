// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/held_out_latents.hpp.

#include <faultline/analysis/problem/held_out_latents.hpp>
#include <algorithm>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE void append(Matrix<float>& to, const Matrix<float>& rows) {
  if (rows.rows() == 0) return;
  Matrix<float> joined(to.rows() + rows.rows(), rows.cols());
  std::copy(to.values().begin(), to.values().end(), joined.values().begin());
  std::copy(rows.values().begin(), rows.values().end(),
            joined.values().begin() + static_cast<std::ptrdiff_t>(to.values().size()));
  to = std::move(joined);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
