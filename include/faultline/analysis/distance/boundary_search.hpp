// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One search for the first change of a decision along an edit: a grid, then the first bracket of each decision
// narrowed. Distances to failure, comparisons, explanations, corner cases and the paper's own search are this one by
// other rules.

#include <faultline/analysis/distance/detail/crossing_search.hpp>
#include <faultline/analysis/problem/answer_edits.hpp>
#include <faultline/analysis/problem/edit.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What one classifier says to one edit.
struct Answer {
  bool failed = false;
  double probability = 0.0;  ///< p(y)
  double log_odds = 0.0;
};

/// A decision whose first change is searched: one classifier, and a value of its answer that is positive before the
/// change and ≤ 0 beyond it.
struct SearchedDecision {
  double (*value)(const Answer&) = nullptr;
  std::size_t classifier = 0;
};

/// Until the outcome is a failure.
[[nodiscard]] double until_failure(const Answer& answer) noexcept;
/// Until the outcome is no failure any more.
[[nodiscard]] double until_success(const Answer& answer) noexcept;
/// Until p(y) ≤ .5: the log odds, whose sign says on which side of .5 p(y) is even when rounding does not.
[[nodiscard]] double until_even_odds(const Answer& answer) noexcept;

/// A start latent and the way it is edited: by the amount origin + way · t at t ≥ 0.
struct EditPath {
  StartLatent start;
  Edit edit;
  double origin = 0.0;
  double way = 1.0;

  [[nodiscard]] EditedLatent at(double t) const { return {start, edit.at(origin + way * t)}; }
};

/// One edit path, with the decisions that are searched along it together, so that an image made for one serves all.
struct BoundarySearch {
  EditPath path;
  std::vector<SearchedDecision> decisions;
  /// Value of each decision at t = 0; one that is not positive has changed already and is left alone
  std::vector<double> start;
  /// What was found of each decision: its `far_end()` is the t of the first change. A search without a grid starts from
  /// the brackets it is given
  std::vector<CrossingSearch> found = {};
  /// Answers on the grid as far as it was asked, `[point][classifier]`
  std::vector<std::vector<Answer>> grid = {};

  /// Whether nothing more is to be looked for on the grid.
  [[nodiscard]] bool complete() const noexcept {
    for (std::size_t d = 0; d < found.size(); ++d)
      if (start[d] > 0.0 && !found[d].crossed()) return false;
    return true;
  }
};

struct SearchRules {
  /// Values of t, ascending, in blocks: those of a block are asked together, and of what has changed in an earlier
  /// block no more is asked
  std::vector<std::vector<double>> grid = {};
  /// Brackets are narrowed until they are so wide; infinite: the grid point is the result
  double tolerance = std::numeric_limits<double>::infinity();
  /// Points are multiples of `tolerance`, which divide a bracket into so many sections each round: more images, fewer
  /// rounds. 0: one point a round, by `CrossingSearch`
  int sections = 0;
};

/// t = step, 2 step, ..., `points` of them in one block.
[[nodiscard]] std::vector<std::vector<double>> even_grid(double step, std::size_t points);

/// Searches of any kind, as `search_boundaries` takes them.
template <class Searches>
[[nodiscard]] std::vector<BoundarySearch*> pointers_to(Searches& searches) {
  std::vector<BoundarySearch*> pointers;
  for (auto& search : searches) pointers.push_back(&search);
  return pointers;
}

/// The search for the flip alone, from a start that does not fail.
[[nodiscard]] inline BoundarySearch flip_search(const StartLatent& start, const Edit& edit) {
  BoundarySearch search;
  search.path = {start, edit};
  search.decisions = {{until_failure}};
  search.start = {1.0};
  search.found.resize(1);
  return search;
}

/// Answers to edits, `[edit][classifier]`.
[[nodiscard]] std::vector<std::vector<Answer>> answers_to(const AnswerEdits& answer,
                                                          std::span<const EditedLatent> edits);

/// Asks for the grid, and opens the first bracket of each decision.
void scan_grid(const AnswerEdits& answer, std::span<BoundarySearch* const> searches, const SearchRules& rules,
               const std::function<void()>& step_done);

/// The points of a bracket that the next round asks for.
[[nodiscard]] std::vector<double> next_points(CrossingSearch& bracket, const SearchRules& rules);

/// Narrows every bracket, one round of questions for all of them at a time; a point that two decisions of a path want
/// is asked for once, and told to all.
void narrow_brackets(const AnswerEdits& answer, std::span<BoundarySearch* const> searches, const SearchRules& rules,
                     const std::function<void()>& step_done);

/// Finds the first change of every decision on every path; all of them share the generator's batches.
///
/// `step_done` is called after each block of the grid and after each round of narrowing. **Cost**: one image per path
/// and point of the grid as far as it is asked, then per bracket at most log2(width / tolerance) images, rounded up;
/// with sections, sections − 1 images for each factor of `sections`. Example: `search_boundaries(problem.answer_edits,
/// pointers_to(searches), {even_grid(1.25, 8), 0.01}); searches[0].found[0].far_end()`
void search_boundaries(const AnswerEdits& answer, std::span<BoundarySearch* const> searches, const SearchRules& rules,
                       const std::function<void()>& step_done = nullptr);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/boundary_search_impl.hpp>
#endif
