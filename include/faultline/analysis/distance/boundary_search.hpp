// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One search for the first change of a decision along an edit: a grid, then the first bracket of each decision
// narrowed. Distances to failure, comparisons, explanations, corner cases and the paper's own search are this one by
// other rules.

#include <faultline/analysis/distance/detail/crossing_search.hpp>
#include <faultline/analysis/problem/answer_edits.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <utility>
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
struct Decision {
  double (*value)(const Answer&) = nullptr;
  std::size_t classifier = 0;
};

/// Until the outcome is a failure.
[[nodiscard]] inline double until_failure(const Answer& answer) noexcept { return answer.failed ? -1.0 : 1.0; }
/// Until the outcome is no failure any more.
[[nodiscard]] inline double until_success(const Answer& answer) noexcept { return answer.failed ? 1.0 : -1.0; }
/// Until p(y) ≤ .5: the log odds, whose sign says on which side of .5 p(y) is even when rounding does not.
[[nodiscard]] inline double until_even_odds(const Answer& answer) noexcept {
  return answer.probability > 0.5 ? std::max(answer.log_odds, 1e-9) : std::min(answer.log_odds, 0.0);
}

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
  std::vector<Decision> decisions;
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
[[nodiscard]] inline std::vector<std::vector<double>> even_grid(double step, std::size_t points) {
  std::vector<std::vector<double>> grid(1);
  for (std::size_t g = 1; g <= points; ++g) grid.front().push_back(step * static_cast<double>(g));
  return grid;
}

/// Searches of any kind, as `search_boundaries` takes them.
template <class Searches>
[[nodiscard]] std::vector<BoundarySearch*> pointers_to(Searches& searches) {
  std::vector<BoundarySearch*> pointers;
  for (auto& search : searches) pointers.push_back(&search);
  return pointers;
}

/// Answers to edits, `[edit][classifier]`.
[[nodiscard]] inline std::vector<std::vector<Answer>> answers_to(const AnswerEdits& answer,
                                                                 std::span<const EditedLatent> edits) {
  std::vector<std::vector<Answer>> rows(edits.size());
  if (edits.empty()) return rows;
  const EditAnswers all = answer(edits, {});
  for (std::size_t i = 0; i < edits.size(); ++i)
    for (const ClassifierAnswers& one : all.classifiers)
      rows[i].push_back(
          {one.failed[i] != 0, static_cast<double>(one.probability[i]), static_cast<double>(one.log_odds[i])});
  return rows;
}

/// Asks for the grid, and opens the first bracket of each decision.
inline void scan_grid(const AnswerEdits& answer, std::span<BoundarySearch* const> searches, const SearchRules& rules,
                      const std::function<void()>& step_done) {
  for (BoundarySearch* search : searches) search->found.resize(search->decisions.size());
  std::vector<double> last(searches.size(), 0.0);  // t of the last point asked
  std::vector<std::vector<double>> before;         // values there
  for (const BoundarySearch* search : searches) before.push_back(search->start);
  for (std::size_t b = 0; b < rules.grid.size(); ++b) {
    std::vector<std::size_t> open;
    std::vector<EditedLatent> edits;
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (b > 0 && searches[i]->complete()) continue;
      open.push_back(i);
      for (const double t : rules.grid[b]) edits.push_back(searches[i]->path.at(t));
    }
    if (open.empty()) break;
    auto answers = answers_to(answer, edits);
    std::size_t next = 0;
    for (const std::size_t i : open) {
      BoundarySearch& search = *searches[i];
      for (const double t : rules.grid[b]) {
        for (std::size_t d = 0; d < search.decisions.size(); ++d) {
          const auto& [value_of, classifier] = search.decisions[d];
          const double value = value_of(answers[next][classifier]);
          if (search.start[d] > 0.0 && !search.found[d].crossed() && value <= 0.0)
            search.found[d] = {last[i], before[i][d], t, value, rules.tolerance};
          before[i][d] = value;
        }
        last[i] = t;
        search.grid.push_back(std::move(answers[next++]));
      }
    }
    if (step_done) step_done();
  }
}

/// The points of a bracket that the next round asks for.
[[nodiscard]] inline std::vector<double> next_points(CrossingSearch& bracket, const SearchRules& rules) {
  if (rules.sections == 0) return bracket.done() ? std::vector<double>{} : std::vector<double>{bracket.ask()};
  std::vector<double> points;
  if (!bracket.crossed()) return points;
  const auto low = std::llround(bracket.near_end() / rules.tolerance);
  const auto high = std::llround(bracket.far_end() / rules.tolerance);
  auto at = low;
  for (int k = 1; k < rules.sections; ++k) {
    const auto next = low + (high - low) * k / rules.sections;
    if (next == at || next == high) continue;
    at = next;
    points.push_back(rules.tolerance * static_cast<double>(at));
  }
  if (points.empty() && high - low > 1) points.push_back(rules.tolerance * static_cast<double>((low + high) / 2));
  return points;
}

/// Narrows every bracket, one round of questions for all of them at a time; a point that two decisions of a path want
/// is asked for once, and told to all.
inline void narrow_brackets(const AnswerEdits& answer, std::span<BoundarySearch* const> searches,
                            const SearchRules& rules, const std::function<void()>& step_done) {
  for (;;) {
    std::vector<EditedLatent> edits;
    std::vector<std::pair<BoundarySearch*, double>> asked;
    for (BoundarySearch* search : searches) {
      const auto first = static_cast<std::ptrdiff_t>(asked.size());
      for (CrossingSearch& bracket : search->found)
        for (const double t : next_points(bracket, rules)) {
          if (std::any_of(asked.begin() + first, asked.end(), [&](const auto& other) { return other.second == t; }))
            continue;
          asked.emplace_back(search, t);
          edits.push_back(search->path.at(t));
        }
    }
    if (asked.empty()) return;
    const auto answers = answers_to(answer, edits);
    for (std::size_t k = 0; k < asked.size(); ++k) {
      const auto [search, t] = asked[k];
      for (std::size_t d = 0; d < search->decisions.size(); ++d)
        search->found[d].tell(t, search->decisions[d].value(answers[k][search->decisions[d].classifier]));
    }
    if (step_done) step_done();
  }
}

/// Finds the first change of every decision on every path; all of them share the generator's batches.
///
/// `step_done` is called after each block of the grid and after each round of narrowing. **Cost**: one image per path
/// and point of the grid as far as it is asked, then per bracket at most log2(width / tolerance) images, rounded up;
/// with sections, sections − 1 images for each factor of `sections`. Example: `search_boundaries(problem.answer_edits,
/// pointers_to(searches), {even_grid(1.25, 8), 0.01}); searches[0].found[0].far_end()`
inline void search_boundaries(const AnswerEdits& answer, std::span<BoundarySearch* const> searches,
                              const SearchRules& rules, const std::function<void()>& step_done = nullptr) {
  scan_grid(answer, searches, rules, step_done);
  narrow_brackets(answer, searches, rules, step_done);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
