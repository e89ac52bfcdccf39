// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's distance to failure by itself: from the WELL centre of a class along single style channels (method
// section 6).

#include <faultline/analysis/distance/paper_search.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

/// Largest step of the paper's search, in standard deviations.
inline constexpr double paper_largest_step = analysis::paper_reach;

/// Mean w of the successes of a class on the discovery split, and what the classifier says to its image.
struct WellCentre {
  std::int64_t label = 0;
  std::vector<float> w;
  double probability = 0.0;  ///< p(y)
  bool failed = false;
};

/// The centres of all classes that have successes, in the order of their labels. **Cost**: one image per class.
[[nodiscard]] std::vector<WellCentre> well_centres(const Problem& problem);

/// The paper's distance to failure of a centre along each channel alone, towards failure, in standard deviations of all
/// samples; empty where p(y) stays above .5 up to `paper_largest_step`.
///
/// **Throws** `degenerate_statistics` when p(y) is .5 or less at the centre already. **Cost**: about 25 images per
/// channel.
/// Example: `paper_distances(problem, well_centres(problem)[3], report.paper_top)`
[[nodiscard]] std::vector<std::optional<double>> paper_distances(const Problem& problem, const WellCentre& centre,
                                                                 std::span<const analysis::RankedChannel> channels);

}  // namespace paper
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/paper/detail/paper_distance_impl.hpp>
#endif
