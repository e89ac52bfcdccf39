// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Lines through w or along one style channel, walked until the classifier gives way: the searches under the distances
// to failure (method section 6).

#include <faultline/analysis/distance/detail/crossing_search.hpp>
#include <faultline/analysis/distance/detail/image_distance.hpp>
#include <faultline/analysis/problem/moves.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// The shared grid: every 1.25 standard deviations up to 10.
inline constexpr std::size_t grid_points = 8;
inline constexpr double grid_step = 1.25;
inline constexpr double crossing_tolerance = 0.01;
/// How often a crossing is refined at most: 1.25 / 2^7 < .01.
inline constexpr int refinement_limit = 7;

/// What the failing end of a crossing looks like beside its start.
struct FailingImage {
  double rms = 0.0;
  double ssim = 1.0;
  std::optional<bool> judge_agrees = std::nullopt;
};

/// One start on one ray, with both searches.
struct Line {
  Ray ray;
  std::size_t start = 0;      ///< number of its start image
  double probability0 = 0.0;  ///< p(y) unmoved
  bool failed0 = false;
  double coordinate0 = 0.0;  ///< coordinate of the start within its class, in standard deviations
  std::array<double, grid_points> probability{};
  std::array<bool, grid_points> failed{};
  CrossingSearch half, flip;
  FailingImage half_image, flip_image;
  std::optional<double> paper = std::nullopt;  ///< the paper's search, where it was asked for

  [[nodiscard]] bool starts_above_half() const noexcept { return probability0 > 0.5; }
  /// Whether the profile, once beyond p = .5 (or failing), returns on a later grid point.
  [[nodiscard]] bool half_comes_back() const noexcept {
    const auto first = std::find_if(probability.begin(), probability.end(), [](double p) { return p <= 0.5; });
    return std::any_of(first, probability.end(), [](double p) { return p > 0.5; });
  }
  [[nodiscard]] bool flip_comes_back() const noexcept {
    const auto first = std::find(failed.begin(), failed.end(), true);
    return std::find(first, failed.end(), false) != failed.end();
  }
};

/// Distance of p(y) from .5 as log odds, whose sign says on which side it is even when rounding does not.
[[nodiscard]] inline double half_value(double probability, double log_odds) noexcept {
  return probability > 0.5 ? std::max(log_odds, 1e-9) : std::min(log_odds, 0.0);
}
[[nodiscard]] inline double flip_value(bool failed) noexcept { return failed ? -1.0 : 1.0; }

using StepDone = std::function<void()>;

/// Evaluates the grid on all lines and opens the first bracket of each crossing.
inline void scan_grid(const Problem& problem, std::span<Line> lines) {
  std::vector<Move> moves;
  for (const Line& line : lines)
    for (std::size_t g = 0; g < grid_points; ++g) moves.push_back({&line.ray, grid_step * static_cast<double>(g + 1)});
  std::vector<double> log_odds(moves.size());
  evaluate_moves(problem, moves, {}, [&](std::span<const std::size_t> which, const EditResult& result) {
    for (std::size_t k = 0; k < which.size(); ++k) {
      Line& line = lines[which[k] / grid_points];
      line.probability[which[k] % grid_points] = static_cast<double>(result.probability[k]);
      line.failed[which[k] % grid_points] = result.failed[k] != 0;
      log_odds[which[k]] = static_cast<double>(result.log_odds[k]);
    }
  });
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Line& line = lines[i];
    const auto value = [&](std::size_t g) { return half_value(line.probability[g], log_odds[i * grid_points + g]); };
    const double p0 = std::clamp(line.probability0, 1e-9, 1.0 - 1e-9);
    for (std::size_t g = 0; g < grid_points; ++g) {
      const double from = grid_step * static_cast<double>(g), to = grid_step * static_cast<double>(g + 1);
      if (line.starts_above_half() && !line.half.crossed() && line.probability[g] <= 0.5)
        line.half = {from, g == 0 ? half_value(p0, std::log(p0 / (1.0 - p0))) : value(g - 1), to, value(g),
                     crossing_tolerance};
      if (!line.failed0 && !line.flip.crossed() && line.failed[g])
        line.flip = {from, 1.0, to, -1.0, crossing_tolerance};
    }
  }
}

/// Narrows every bracket; a value that one of a line's two searches asks for serves both.
inline void refine(const Problem& problem, std::span<Line> lines, const StepDone& step_done) {
  for (int round = 0; round < refinement_limit; ++round) {
    std::vector<Move> moves;
    std::vector<Line*> asked;
    for (Line& line : lines) {
      for (CrossingSearch* search : {&line.half, &line.flip}) {
        if (search->done()) continue;
        const double t = search->ask();
        if (!asked.empty() && asked.back() == &line && moves.back().sigmas == t) continue;  // both want the same
        moves.push_back({&line.ray, t});
        asked.push_back(&line);
      }
    }
    if (!moves.empty()) {
      evaluate_moves(problem, moves, {}, [&](std::span<const std::size_t> which, const EditResult& result) {
        for (std::size_t k = 0; k < which.size(); ++k) {
          Line& line = *asked[which[k]];
          line.half.tell(moves[which[k]].sigmas, half_value(static_cast<double>(result.probability[k]),
                                                            static_cast<double>(result.log_odds[k])));
          line.flip.tell(moves[which[k]].sigmas, flip_value(result.failed[k] != 0));
        }
      });
    }
    step_done();
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
