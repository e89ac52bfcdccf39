// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/boundary_search.hpp.

#include <faultline/analysis/distance/boundary_search.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE double until_failure(const Answer& answer) noexcept { return answer.failed ? -1.0 : 1.0; }
FAULTLINE_INLINE double until_success(const Answer& answer) noexcept { return answer.failed ? 1.0 : -1.0; }
FAULTLINE_INLINE double until_even_odds(const Answer& answer) noexcept {
  return answer.probability > 0.5 ? std::max(answer.log_odds, 1e-9) : std::min(answer.log_odds, 0.0);
}

FAULTLINE_INLINE std::vector<std::vector<double>> even_grid(double step, std::size_t points) {
  std::vector<std::vector<double>> grid(1);
  for (std::size_t g = 1; g <= points; ++g) grid.front().push_back(step * static_cast<double>(g));
  return grid;
}

FAULTLINE_INLINE std::vector<std::vector<Answer>> answers_to(const AnswerEdits& answer,
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

FAULTLINE_INLINE void scan_grid(const AnswerEdits& answer, std::span<BoundarySearch* const> searches,
                                const SearchRules& rules, const std::function<void()>& step_done) {
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

FAULTLINE_INLINE std::vector<double> next_points(CrossingSearch& bracket, const SearchRules& rules) {
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

FAULTLINE_INLINE void narrow_brackets(const AnswerEdits& answer, std::span<BoundarySearch* const> searches,
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

FAULTLINE_INLINE void search_boundaries(const AnswerEdits& answer, std::span<BoundarySearch* const> searches,
                                        const SearchRules& rules, const std::function<void()>& step_done) {
  scan_grid(answer, searches, rules, step_done);
  narrow_brackets(answer, searches, rules, step_done);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
