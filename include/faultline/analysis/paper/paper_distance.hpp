// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's distance to failure by itself: from the WELL centre of a class along single style channels (method
// section 6).

#include <faultline/analysis/distance/paper_search.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/error.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Largest step of the paper's search, in standard deviations.
inline constexpr double paper_largest_step = detail::paper_reach;

/// Mean w of the successes of a class on the discovery half, and what the classifier says to its image.
struct WellCentre {
  std::int64_t label = 0;
  std::vector<float> w;
  double probability = 0.0;  ///< p(y)
  bool failed = false;
};

/// The centres of all classes that have successes, in the order of their labels. **Cost**: one image per class.
[[nodiscard]] inline std::vector<WellCentre> well_centres(const Problem& problem) {
  std::vector<WellCentre> centres;
  EditRequest request;
  for (detail::SuccessCentre& centre : detail::success_centres(problem)) {
    request.label.push_back(centre.label);
    centres.push_back({centre.label, std::move(centre.w), 0.0, false});
  }
  if (centres.empty()) return centres;
  request.w.resize(static_cast<std::int64_t>(centres.size()), problem.discovery.w.cols());
  for (std::size_t c = 0; c < centres.size(); ++c)
    std::copy(centres[c].w.begin(), centres[c].w.end(), request.w.row_span(static_cast<std::int64_t>(c)).begin());
  const EditResult result = problem.evaluate(request);
  for (std::size_t c = 0; c < centres.size(); ++c)
    centres[c].probability = static_cast<double>(result.probability[c]), centres[c].failed = result.failed[c] != 0;
  return centres;
}

/// The paper's distance to failure of a centre along each channel alone, towards failure, in standard deviations of all
/// samples; empty where p(y) stays above .5 up to `paper_largest_step`.
///
/// **Throws** `degenerate_statistics` when p(y) is .5 or less at the centre already. **Cost**: about 40 images per
/// channel.
/// Example: `paper_distances(problem, well_centres(problem)[3], report.paper_top)`
[[nodiscard]] inline std::vector<std::optional<double>> paper_distances(const Problem& problem,
                                                                        const WellCentre& centre,
                                                                        std::span<const RankedChannel> channels) {
  if (!(centre.probability > 0.5))
    throw Error(ErrorCode::degenerate_statistics, "paper_distances",
                "the centre of class " + std::to_string(centre.label) +
                    " has p(y) = " + std::to_string(centre.probability) +
                    " unmoved, so it is no distance away from .5; take another class");
  std::vector<detail::Line> lines(channels.size());
  std::vector<detail::Line*> searched;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const RankedChannel& channel = channels[i];
    lines[i].ray = {.start = centre.w,
                    .label = centre.label,
                    .step = {},
                    .channel = channel.channel.flat,
                    .unit = channel.sign < 0 ? -channel.sigma_total : channel.sigma_total};
    lines[i].probability0 = centre.probability;
    lines[i].failed0 = centre.failed;
    searched.push_back(&lines[i]);
  }
  detail::scan_grid(problem, lines);
  detail::paper_search(problem, searched);
  std::vector<std::optional<double>> distances;
  for (const detail::Line& line : lines) distances.push_back(line.paper);
  return distances;
}

}  // namespace v1
}  // namespace faultline
