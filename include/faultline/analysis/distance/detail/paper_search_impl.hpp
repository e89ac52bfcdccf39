// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/paper_search.hpp.

#include <faultline/analysis/distance/paper_search.hpp>
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double until_at_even_odds(const Answer& answer) noexcept {
  return answer.probability > 0.5 ? 1.0 : -1.0;
}
FAULTLINE_INLINE double until_recovered(const Answer& answer) noexcept { return 0.495 - answer.probability; }

FAULTLINE_INLINE void begin_paper_search(const AnswerEdits& answer, std::span<PaperSearch> searches, bool unmoved) {
  std::vector<EditedLatent> edits;
  for (const PaperSearch& search : searches) {
    if (unmoved) edits.push_back(search.path.at(0.0));
    edits.push_back(search.path.at(paper_stride));
    edits.push_back(search.path.at(2.0 * paper_stride));
  }
  const auto answers = answers_to(answer, edits);
  std::size_t next = 0;
  for (PaperSearch& search : searches) {
    if (unmoved) search.probability0 = answers[next++].front().probability;
    search.at_five = answers[next++].front().probability;
    search.at_ten = answers[next++].front().probability;
  }
}

FAULTLINE_INLINE void paper_search(const AnswerEdits& answer, std::span<PaperSearch> searches) {
  std::vector<BoundarySearch> out, back;
  std::vector<PaperSearch*> out_of, back_of;
  // The way back from the first stride that ends at p ≤ .5
  const auto turn = [&](PaperSearch& search, double at, double probability) {
    if (probability >= 0.495) {
      search.sigmas = at;
      return;
    }
    EditPath path = search.path;
    path.origin = at;
    path.way = -1.0;
    const double start = 0.495 - probability;
    back.push_back({path, {{until_recovered}}, {start}, {{0.0, start, paper_stride, -1.0, paper_step}}});
    back_of.push_back(&search);
  };
  for (PaperSearch& search : searches) {
    if (search.probability0 <= 0.5) search.sigmas = 0.0;
    else if (search.at_five <= 0.5) turn(search, paper_stride, search.at_five);
    else if (search.at_ten <= 0.5) turn(search, 2.0 * paper_stride, search.at_ten);
    else {
      out.push_back({search.path, {{until_at_even_odds}}, {1.0}});
      out_of.push_back(&search);
    }
  }
  // Few get here and most of those never fail: blocks of steps keep the batches full.
  SearchRules strides;
  for (double first = 15.0; first <= paper_reach; first *= 2.0) {
    std::vector<double>& block = strides.grid.emplace_back();
    for (double t = first; t < std::min(2.0 * first, paper_reach + 1.0); t += paper_stride) block.push_back(t);
  }
  search_boundaries(answer, pointers_to(out), strides);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!out[i].found[0].crossed()) continue;
    const auto end = std::find_if(out[i].grid.begin(), out[i].grid.end(),
                                  [](const std::vector<Answer>& at) { return at.front().probability <= 0.5; });
    turn(*out_of[i], out[i].found[0].far_end(), end->front().probability);
  }
  search_boundaries(answer, pointers_to(back), {.tolerance = paper_step, .sections = 8});
  for (std::size_t i = 0; i < back.size(); ++i) back_of[i]->sigmas = back[i].path.origin - back[i].found[0].far_end();
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
