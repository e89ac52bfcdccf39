// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/histogram.hpp.

#include <faultline/statistics/histogram.hpp>
#include <cstdint>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE HistogramAuc histogram_auc(std::span<const std::uint32_t> failures,
                                            std::span<const std::uint32_t> successes) {
  if (failures.size() != successes.size())
    throw Error(ErrorCode::shape_mismatch, "histogram_auc", "expected histograms with the same bins");
  double wins = 0.0;
  double shared = 0.0;
  double below = 0.0;
  double m = 0.0;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    const double f = failures[i];
    const double s = successes[i];
    wins += f * (below + 0.5 * s);
    shared += f * s;
    below += s;
    m += f;
  }
  if (!(m > 0.0) || !(below > 0.0)) return {};
  return {wins / (m * below), 0.5 * shared / (m * below)};
}

FAULTLINE_INLINE HistogramAuc stratified_histogram_auc(const ChannelHistograms& histograms, std::int64_t channel,
                                                       const Strata& strata) {
  if (histograms.groups() != 2 * strata.classes())
    throw Error(ErrorCode::shape_mismatch, "stratified_histogram_auc",
                "expected two groups for each of " + std::to_string(strata.classes()) + " classes");
  if (!(strata.effective_failures > 0.0)) return {};
  HistogramAuc total{0.0, 0.0};
  for (std::int64_t c = 0; c < strata.classes(); ++c) {
    if (!strata.uses(c)) continue;
    const double weight = strata.weights[static_cast<std::size_t>(c)] / strata.effective_failures;
    const HistogramAuc mine = histogram_auc(histograms.counts(channel, 2 * c), histograms.counts(channel, 2 * c + 1));
    total.auc += weight * mine.auc;
    total.error += weight * mine.error;
  }
  return total;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
