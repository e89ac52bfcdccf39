// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's shifts of class centres along single channels and along all of them together, and the sentences about
// what could not be measured.

#include <faultline/analysis/distance/paper_search.hpp>
#include <faultline/analysis/paper/corner_cases.hpp>
#include <faultline/analysis/paper/paper_report.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/core/progress.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {
namespace detail {

/// One entry per class, with counts and the status that follows from them.
[[nodiscard]] inline std::vector<PaperClass> paper_classes(const statistics::Strata& strata) {
  std::vector<PaperClass> classes;
  for (std::size_t c = 0; c < strata.failures.size(); ++c) {
    PaperClass& one = classes.emplace_back();
    one.class_label = static_cast<std::int64_t>(c);
    one.failures = strata.failures[c];
    one.successes = strata.successes[c];
    if (one.failures + one.successes == 0) {
      one.status = PaperClassStatus::no_samples;
      one.note = "No sample has this class.";
    } else if (one.successes == 0) {
      one.status = PaperClassStatus::no_successes;
      one.note = "Every sample of this class fails, so it has no centre to start from.";
    } else if (one.failures == 0) {
      one.status = PaperClassStatus::no_failures;
      one.note =
          "No sample of this class fails, so it had no failures to rank by; its centre is shifted along the channels "
          "that the other classes chose.";
    }
  }
  return classes;
}

/// Fills `probability`, `distances` and `together` of every class that has a centre.
inline void shift_centres(const Problem& problem, std::span<const ChannelShift> top, std::span<PaperClass> classes,
                          const ProgressCallback& progress) {
  const auto centres = analysis::success_centres(problem);
  if (top.empty() || centres.empty()) return;
  report_progress(progress, "shifts of class centres", 0, 3);
  std::vector<std::int64_t> channels;
  std::vector<double> units;
  for (const ChannelShift& shift : top) channels.push_back(shift.channel), units.push_back(shift.unit);
  std::vector<Edit> edits;  // each channel alone, then all of them together
  for (const ChannelShift& shift : top) edits.push_back(Edit::of_channel(shift.channel, shift.unit));
  edits.push_back(Edit::of_channels(channels, units));
  std::vector<analysis::PaperSearch> searches;
  for (const analysis::SuccessCentre& centre : centres)
    for (const Edit& edit : edits) searches.push_back({{{centre.w, centre.label}, edit}});
  analysis::begin_paper_search(problem.answer_edits, searches, true);
  report_progress(progress, "shifts of class centres", 1, 3);
  analysis::paper_search(problem.answer_edits, searches);
  report_progress(progress, "shifts of class centres", 2, 3);
  std::vector<analysis::EditedLatent> ends;
  for (const analysis::PaperSearch& search : searches) ends.push_back(search.path.at(search.sigmas.value_or(0.0)));
  const auto again = analysis::answers_to(problem.answer_edits, ends);
  for (std::size_t i = 0; i < searches.size(); ++i) {
    const analysis::PaperSearch& search = searches[i];
    const std::size_t k = i % edits.size();
    PaperClass& one = classes[static_cast<std::size_t>(centres[i / edits.size()].label)];
    PaperDistance distance;
    distance.probability = again[i].front().probability;
    if (search.probability0 <= 0.5) distance.status = PaperCrossing::starts_below_even_odds;
    else if (search.sigmas) distance.status = PaperCrossing::crossed, distance.sigmas = search.sigmas;
    if (k == 0) {
      one.probability = search.probability0;
      if (search.probability0 <= 0.5) one.status = PaperClassStatus::centre_below_even_odds;
    }
    if (k < top.size()) one.distances.push_back(distance);
    else one.together = distance;
  }
  report_progress(progress, "shifts of class centres", 3, 3);
}

/// One sentence for each thing that is missing, after what the status has said.
inline void write_note(PaperClass& one, double reach) {
  const auto add = [&](const std::string& sentence) { one.note += (one.note.empty() ? "" : " ") + sentence; };
  if (one.status == PaperClassStatus::centre_below_even_odds)
    add("The centre of this class's successes has p(y) <= .5 itself, so distances start beyond their target.");
  const auto never = std::count_if(one.distances.begin(), one.distances.end(),
                                   [](const PaperDistance& d) { return d.status == PaperCrossing::never_crosses; });
  if (never > 0)
    add(std::to_string(never) + " of " + std::to_string(one.distances.size()) +
        " channels, moved alone by up to 100 standard deviations, never bring p(y) to .5.");
  if (one.together && one.together->status == PaperCrossing::never_crosses) add("Not even all of them together do.");
  const auto lasting =
      std::count_if(one.corner_cases.begin(), one.corner_cases.end(), [](const CornerCase& c) { return !c.failed; });
  if (lasting > 0)
    add(std::to_string(lasting) + " of " + std::to_string(one.corner_cases.size()) +
        " corner cases do not fail within " + std::to_string(static_cast<std::int64_t>(reach)) +
        " standard deviations.");
}

}  // namespace detail
}  // namespace paper
}  // namespace v1
}  // namespace faultline
