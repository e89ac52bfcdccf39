// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/tsne.hpp. Pairs are visited in tiles of samples that lie side by side in memory, so that
// every inner loop is one vector instruction after the other.

#include <faultline/statistics/tsne.hpp>
#include <faultline/statistics/detail/tsne_steps.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE Embedding embed_tsne(const Matrix<float>& x, const TsneOptions& options) {
  detail::check_tsne(x, options);
  return within_threads(options.threads, [&] { return detail::run_tsne(x, options); });
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
