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

FAULTLINE_INLINE void append(Population& to, const Population& more) {
  append(to.index, more.index);
  append(to.label, more.label);
  append(to.prediction, more.prediction);
  append(to.failed, more.failed);
  append(to.valid, more.valid);
  append(to.probability, more.probability);
  append(to.margin, more.margin);
  append(to.w, more.w);
  append(to.properties, more.properties);
  append(to.s, more.s);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
