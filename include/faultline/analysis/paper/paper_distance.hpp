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
namespace paper {

/// Largest step of the paper's search, in standard deviations.
inline constexpr double paper_largest_step = analysis::paper_reach;

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
  for (analysis::SuccessCentre& centre : analysis::success_centres(problem))
    centres.push_back({centre.label, std::move(centre.w), 0.0, false});
  if (centres.empty()) return centres;
  std::vector<analysis::EditedLatent> unmoved;
  for (const WellCentre& centre : centres) unmoved.push_back({{centre.w, centre.label}});
  const analysis::EditAnswers answers = problem.answer_edits(unmoved, {});
  for (std::size_t c = 0; c < centres.size(); ++c) {
    centres[c].probability = static_cast<double>(answers.first().probability[c]);
    centres[c].failed = answers.first().failed[c] != 0;
  }
  return centres;
}

/// The paper's distance to failure of a centre along each channel alone, towards failure, in standard deviations of all
/// samples; empty where p(y) stays above .5 up to `paper_largest_step`.
///
/// **Throws** `degenerate_statistics` when p(y) is .5 or less at the centre already. **Cost**: about 25 images per
/// channel.
/// Example: `paper_distances(problem, well_centres(problem)[3], report.paper_top)`
[[nodiscard]] inline std::vector<std::optional<double>> paper_distances(
    const Problem& problem, const WellCentre& centre, std::span<const analysis::RankedChannel> channels) {
  if (!(centre.probability > 0.5))
    throw Error(ErrorCode::degenerate_statistics, "paper_distances",
                "the centre of class " + std::to_string(centre.label) +
                    " has p(y) = " + std::to_string(centre.probability) +
                    " unmoved, so it is no distance away from .5; take another class");
  std::vector<analysis::PaperSearch> searches;
  for (const analysis::RankedChannel& channel : channels) {
    const double unit = channel.sign < 0 ? -channel.sigma_total : channel.sigma_total;
    searches.push_back({{{centre.w, centre.label}, Edit::of_channel(channel.channel.flat, unit)}, centre.probability});
  }
  analysis::begin_paper_search(problem.answer_edits, searches, false);
  analysis::paper_search(problem.answer_edits, searches);
  std::vector<std::optional<double>> distances;
  for (const analysis::PaperSearch& search : searches) distances.push_back(search.sigmas);
  return distances;
}

}  // namespace paper
}  // namespace v1
}  // namespace faultline
