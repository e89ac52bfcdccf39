// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/paper/paper_distance.hpp.

#include <faultline/analysis/paper/paper_distance.hpp>

#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/error.hpp>

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

FAULTLINE_INLINE std::vector<WellCentre> well_centres(const Problem& problem) {
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

FAULTLINE_INLINE std::vector<std::optional<double>> paper_distances(const Problem& problem, const WellCentre& centre,
                                                                    std::span<const analysis::RankedChannel> channels) {
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
