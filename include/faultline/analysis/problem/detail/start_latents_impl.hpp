// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/start_latents.hpp.

#include <faultline/analysis/problem/start_latents.hpp>

#include <faultline/analysis/problem/finding_context.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<SuccessCentre> success_centres(const Problem& problem) {
  const Population& split = problem.discovery;
  const auto d = static_cast<std::size_t>(split.w.cols());
  std::vector<SuccessCentre> centres;
  for (std::int64_t c = 0; c < problem.classes; ++c) {
    std::vector<double> sum(d, 0.0);
    double count = 0.0;
    for (std::int64_t i = 0; i < split.size(); ++i) {
      if (split.label[static_cast<std::size_t>(i)] != c || split.failed[static_cast<std::size_t>(i)] != 0) continue;
      const auto row = split.w.row_span(i);
      for (std::size_t j = 0; j < d; ++j) sum[j] += static_cast<double>(row[j]);
      count += 1.0;
    }
    if (count == 0.0) continue;
    SuccessCentre centre{c, std::vector<float>(d)};
    for (std::size_t j = 0; j < d; ++j) centre.w[j] = static_cast<float>(sum[j] / count);
    centres.push_back(std::move(centre));
  }
  return centres;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
