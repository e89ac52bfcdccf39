// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's own search for a distance to failure: long steps out, short steps back (Le Coz, Herbin, Adjed 2022).

#include <faultline/analysis/distance/failure_lines.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

inline constexpr double paper_stride = 5.0;
inline constexpr double paper_reach = 100.0;
inline constexpr double paper_step = 0.01;

/// p(y) at several points of several lines: `points[i]` belong to `lines[i]`, and so do the results.
[[nodiscard]] inline std::vector<std::vector<double>> probabilities_at(const Problem& problem,
                                                                       std::span<Line* const> lines,
                                                                       const std::vector<std::vector<double>>& points) {
  std::vector<Move> moves;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  std::vector<std::vector<double>> values(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    values[i].resize(points[i].size());
    for (std::size_t k = 0; k < points[i].size(); ++k) {
      moves.push_back({&lines[i]->ray, points[i][k]});
      places.push_back({i, k});
    }
  }
  evaluate_moves(problem, moves, {}, [&](std::span<const std::size_t> which, const EditResult& result) {
    for (std::size_t k = 0; k < which.size(); ++k)
      values[places[which[k]].first][places[which[k]].second] = static_cast<double>(result.probability[k]);
  });
  return values;
}

/// Fills `paper` of lines whose grid is scanned.
///
/// Steps of 5 until p ≤ .5, given up past 100, then back in steps of .01 until p ≥ .495. The way back is not walked but
/// halved by sections on the same grid of .01, which ends at the same point wherever p falls steadily over those 5
/// standard deviations, for about 20 instead of up to 500 images. A line that starts at p ≤ .5 gets 0.
inline void paper_search(const Problem& problem, std::span<Line* const> lines) {
  struct Outward {
    Line* line;
    double reached = 0.0;  ///< first multiple of 5 with p ≤ .5
    double value = 0.0;
  };
  std::vector<Line*> walking;
  std::vector<Outward> found;
  for (Line* line : lines) {
    if (!line->starts_above_half()) line->paper = 0.0;
    // The grid has been at 5 and 10 already
    else if (line->probability[3] <= 0.5) found.push_back({line, 5.0, line->probability[3]});
    else if (line->probability[7] <= 0.5) found.push_back({line, 10.0, line->probability[7]});
    else walking.push_back(line);
  }
  // Few lines get here and most of those never fail: blocks of steps keep the batches full.
  for (double first = 15.0; first <= paper_reach && !walking.empty(); first *= 2.0) {
    std::vector<double> stops;
    for (double t = first; t < std::min(2.0 * first, paper_reach + 1.0); t += paper_stride) stops.push_back(t);
    const auto values = probabilities_at(problem, walking, std::vector<std::vector<double>>(walking.size(), stops));
    std::vector<Line*> still;
    for (std::size_t i = 0; i < walking.size(); ++i) {
      const auto below = std::find_if(values[i].begin(), values[i].end(), [](double p) { return p <= 0.5; });
      if (below == values[i].end()) still.push_back(walking[i]);
      else found.push_back({walking[i], stops[static_cast<std::size_t>(below - values[i].begin())], *below});
    }
    walking = std::move(still);
  }

  // Steps back: `low` of them end below .495, `high` of them at or above.
  struct Back {
    Outward out;
    int low = 0;
    int high = static_cast<int>(paper_stride / paper_step + 0.5);
  };
  std::vector<Back> back;
  for (const Outward& out : found) {
    if (out.value >= 0.495) out.line->paper = out.reached;
    else back.push_back({out});
  }
  constexpr int sections = 8;
  while (true) {
    std::vector<Line*> open;
    std::vector<Back*> searches;
    std::vector<std::vector<double>> points;
    std::vector<std::vector<int>> steps;
    for (Back& search : back) {
      if (search.high - search.low <= 1) continue;
      std::vector<int> at;
      for (int k = 1; k < sections; ++k) {
        const int step = search.low + (search.high - search.low) * k / sections;
        if (step > search.low && step < search.high && (at.empty() || at.back() != step)) at.push_back(step);
      }
      if (at.empty()) at.push_back(search.low + (search.high - search.low) / 2);
      open.push_back(search.out.line);
      searches.push_back(&search);
      points.emplace_back();
      for (const int step : at) points.back().push_back(search.out.reached - paper_step * step);
      steps.push_back(std::move(at));
    }
    if (open.empty()) break;
    const auto values = probabilities_at(problem, open, points);
    for (std::size_t i = 0; i < open.size(); ++i) {
      const auto first = static_cast<std::size_t>(
          std::find_if(values[i].begin(), values[i].end(), [](double p) { return p >= 0.495; }) - values[i].begin());
      if (first < values[i].size()) searches[i]->high = steps[i][first];
      if (first > 0) searches[i]->low = steps[i][first - 1];
    }
  }
  for (const Back& search : back) search.out.line->paper = search.out.reached - paper_step * search.high;
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
