// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/auc_interval.hpp.

#include <faultline/analysis/confirm/auc_interval.hpp>

#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE statistics::Interval stratified_auc_interval(double auc, std::span<const double> values,
                                                              std::span<const std::int64_t> labels,
                                                              std::span<const std::uint8_t> failed,
                                                              const statistics::Strata& strata, double confidence) {
  struct Groups {
    std::vector<double> failures, successes;
  };
  std::vector<Groups> classes(static_cast<std::size_t>(strata.classes()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (strata.uses(labels[i]))
      (failed[i] != 0 ? classes[static_cast<std::size_t>(labels[i])].failures
                      : classes[static_cast<std::size_t>(labels[i])].successes)
          .push_back(values[i]);
  }
  // Variance of the share of `sorted` that lies below each of `of`, over their number.
  const auto placement_variance = [](const std::vector<double>& of, const std::vector<double>& sorted) {
    double sum = 0.0;
    double squares = 0.0;
    for (const double value : of) {
      const auto below = static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
      const auto up_to = static_cast<double>(std::upper_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
      const double share = 0.5 * (below + up_to) / static_cast<double>(sorted.size());
      sum += share;
      squares += share * share;
    }
    const auto n = static_cast<double>(of.size());
    return std::max(0.0, squares - sum * sum / n) / ((n - 1.0) * n);
  };
  double variance = 0.0;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (classes[c].failures.empty()) continue;
    std::sort(classes[c].failures.begin(), classes[c].failures.end());
    std::sort(classes[c].successes.begin(), classes[c].successes.end());
    const double share = strata.weights[c] / strata.effective_failures;
    variance += share * share *
                (placement_variance(classes[c].failures, classes[c].successes) +
                 placement_variance(classes[c].successes, classes[c].failures));
  }
  const double half = statistics::normal_quantile(0.5 * (1.0 + confidence)) * std::sqrt(variance);
  return {std::max(0.0, auc - half), std::min(1.0, auc + half)};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
