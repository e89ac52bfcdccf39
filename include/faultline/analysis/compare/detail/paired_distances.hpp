// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Distances to the flip of several classifiers from the same start codes along the same directions: every image is made
// once and shown to all of them.

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/compare/detail/direction_tests.hpp>
#include <faultline/analysis/distance/crossing_summary.hpp>
#include <faultline/analysis/distance/threshold.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/statistics/bootstrap.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// How far the searches go, in standard deviations.
inline constexpr double search_range = grid_step * static_cast<double>(grid_points);

/// One start on one ray, with one search per classifier.
struct SharedLine {
  Ray ray;
  double coordinate0 = 0.0;
  std::vector<CrossingSearch> flips;
  std::vector<std::optional<bool>> judge_agrees;
};

/// The first flip of every classifier on every line. Start codes fail for nobody.
///
/// **Cost**: per line 8 images on the grid, 7 refinements for each flip in a bracket of its own, one to check each
/// flip; every classifier is asked about all of them.
inline void search_flips(const ComparisonProblem& comparison, std::span<SharedLine> lines, const StepDone& step_done) {
  const Panel panel = make_panel(comparison, everybody(comparison));
  const std::size_t classifiers = comparison.size();
  const auto failed = [&](std::size_t classifier, std::size_t row) {
    return (*panel.answers)[classifier].failed[row] != 0;
  };

  std::vector<Move> moves;
  for (const SharedLine& line : lines)
    for (std::size_t g = 0; g < grid_points; ++g) moves.push_back({&line.ray, grid_step * static_cast<double>(g + 1)});
  std::vector<std::vector<bool>> grid(classifiers, std::vector<bool>(moves.size()));
  evaluate_moves(panel.problem, moves, {}, [&](std::span<const std::size_t> which, const EditResult&) {
    for (std::size_t c = 0; c < classifiers; ++c)
      for (std::size_t k = 0; k < which.size(); ++k) grid[c][which[k]] = failed(c, k);
  });
  for (std::size_t i = 0; i < lines.size(); ++i) {
    lines[i].flips.assign(classifiers, {});
    lines[i].judge_agrees.assign(classifiers, std::nullopt);
    for (std::size_t c = 0; c < classifiers; ++c) {
      for (std::size_t g = 0; g < grid_points; ++g) {
        if (!grid[c][i * grid_points + g]) continue;
        lines[i].flips[c] = {grid_step * static_cast<double>(g), 1.0, grid_step * static_cast<double>(g + 1), -1.0,
                             crossing_tolerance};
        break;
      }
    }
  }
  step_done();

  for (int round = 0; round < refinement_limit; ++round) {
    moves.clear();
    std::vector<SharedLine*> asked;
    for (SharedLine& line : lines) {
      const std::size_t first = moves.size();
      for (CrossingSearch& flip : line.flips) {
        if (flip.done()) continue;
        const double t = flip.ask();
        // Two want the same
        if (std::any_of(moves.begin() + static_cast<std::ptrdiff_t>(first), moves.end(),
                        [&](const Move& move) { return move.sigmas == t; }))
          continue;
        moves.push_back({&line.ray, t});
        asked.push_back(&line);
      }
    }
    evaluate_moves(panel.problem, moves, {}, [&](std::span<const std::size_t> which, const EditResult&) {
      for (std::size_t c = 0; c < classifiers; ++c)
        for (std::size_t k = 0; k < which.size(); ++k)
          asked[which[k]]->flips[c].tell(moves[which[k]].sigmas, flip_value(failed(c, k)));
    });
    step_done();
  }

  // A flip whose image does not fail again is not reported.
  moves.clear();
  std::vector<std::pair<SharedLine*, std::size_t>> ends;
  for (SharedLine& line : lines) {
    for (std::size_t c = 0; c < classifiers; ++c) {
      if (!line.flips[c].crossed()) continue;
      moves.push_back({&line.ray, line.flips[c].far_end()});
      ends.emplace_back(&line, c);
    }
  }
  evaluate_moves(panel.problem, moves, {.judge = comparison.common.has_judge},
                 [&](std::span<const std::size_t> which, const EditResult& result) {
                   for (std::size_t k = 0; k < which.size(); ++k) {
                     const auto [line, c] = ends[which[k]];
                     if (!failed(c, k)) line->flips[c].drop();
                     else if (comparison.common.has_judge) line->judge_agrees[c] = result.judge_agrees[k] != 0;
                   }
                 });
  step_done();
}

/// Ratio of two medians over the same codes, with a bootstrap interval; infinite distances are ones beyond `range`.
///
/// **Formula**: median of `second` over median of `first`, resampled by code. A median beyond the range is only known
/// to be longer than it, so for the lower end it counts as `range` above the line and as infinite below it, for the
/// upper end the other way round: the interval may be wide, but is not wrong for what was not measured.
/// **Error rate**: approximate; simulated in the tests.
[[nodiscard]] inline DistanceRatio ratio_of_medians(std::span<const double> first, std::span<const double> second,
                                                    double range, const BootstrapOptions& options) {
  DistanceRatio result;
  std::vector<double> a(first.size()), b(first.size());
  const auto bound = [&](std::span<const std::int64_t> units, bool lower) {
    for (std::size_t i = 0; i < units.size(); ++i) {
      a[i] = first[static_cast<std::size_t>(units[i])];
      b[i] = second[static_cast<std::size_t>(units[i])];
    }
    const double below = median(a), above = median(b);
    if (lower) return std::isfinite(below) ? std::min(above, range) / below : 0.0;
    return std::isfinite(above) ? above / std::min(below, range) : std::numeric_limits<double>::infinity();
  };
  const auto n = static_cast<std::int64_t>(first.size());
  result.lower = bootstrap_interval(
                     n, [&](std::span<const std::int64_t> units) { return bound(units, true); }, options)
                     .lower;
  result.upper = bootstrap_interval(
                     n, [&](std::span<const std::int64_t> units) { return bound(units, false); }, options)
                     .upper;
  const double below = median(first), above = median(second);
  if (std::isfinite(below) && std::isfinite(above)) result.ratio = above / below;
  for (std::size_t i = 0; i < first.size(); ++i) {
    result.second_farther += second[i] > first[i] ? 1 : 0;
    result.first_farther += first[i] > second[i] ? 1 : 0;
  }
  result.p = mcnemar_exact(result.second_farther, result.first_farther);
  return result;
}

/// Distances of one classifier over the lines of one direction.
[[nodiscard]] inline ComparedDistance summarise_flips(std::span<const SharedLine> lines, std::size_t classifier,
                                                      std::span<const double> distances, const CoordinateRange& range) {
  ComparedDistance result;
  const Interval interval = median_interval(distances);
  result.sigmas = median(distances);
  result.lower = std::max(0.0, interval.lower);
  result.upper = interval.upper;
  std::vector<double> coordinates;
  double crossed = 0.0, agreed = 0.0, asked = 0.0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    coordinates.push_back(lines[i].coordinate0 + distances[i]);
    crossed += std::isfinite(distances[i]) ? 1.0 : 0.0;
    const std::optional<bool>& agrees = lines[i].judge_agrees[classifier];
    asked += agrees ? 1.0 : 0.0;
    agreed += agrees && *agrees ? 1.0 : 0.0;
  }
  result.crossed_share = crossed / static_cast<double>(lines.size());
  result.off_manifold = range.outside(median(coordinates));
  if (asked > 0.0) result.judge_agreement = agreed / asked;
  return result;
}

/// Fills `codes`, `distances` and `ratios` of every direction; `context.problem` holds the confirmation half.
///
/// **Randomness**: start codes are samples 2^41 + 1 000 000 onwards; the bootstrap resamples by (seed,
/// Stream::permutations).
inline void measure_paired_distances(const ComparisonProblem& comparison, const FindingContext& context,
                                     SharedSamples& samples, std::int64_t replicates,
                                     std::span<PairedDistance> directions) {
  const MethodOptions& options = context.options;
  constexpr std::int64_t steps = refinement_limit + 2;
  std::int64_t done = 0;
  const auto step_done = [&] { report_progress(options.progress, "distances to failure", ++done, steps); };
  const Problem anybody = anybody_problem(comparison, samples);
  StartCodes pool(anybody, options);
  // Drawn before anything points at them
  for (const PairedDistance& direction : directions) (void)pool.of(direction.direction.class_label);

  std::vector<SharedLine> lines;
  std::vector<std::size_t> first_line;
  for (const PairedDistance& direction : directions) {
    first_line.push_back(lines.size());
    const auto& numbers = pool.of(direction.direction.class_label);
    Matrix<float> w(static_cast<std::int64_t>(numbers.size()), context.whitening.dimension());
    std::vector<std::int64_t> labels;
    for (const std::size_t number : numbers) {
      const StartCode& code = pool[number];
      std::copy(code.w.begin(), code.w.end(), w.row_span(static_cast<std::int64_t>(labels.size())).begin());
      labels.push_back(code.label);
      lines.push_back({{code.w, code.label, direction.direction.w}, 0.0, {}, {}});
    }
    Finding along;
    along.direction = direction.direction;
    const auto coordinates = line_coordinates(context, along, false, w, labels);
    for (std::size_t i = 0; i < labels.size(); ++i) lines[first_line.back() + i].coordinate0 = coordinates[i];
  }
  search_flips(comparison, lines, step_done);

  std::vector<double> p;
  for (std::size_t k = 0; k < directions.size(); ++k) {
    PairedDistance& direction = directions[k];
    const std::size_t end = k + 1 < directions.size() ? first_line[k + 1] : lines.size();
    const std::span<const SharedLine> own =
        std::span<const SharedLine>(lines).subspan(first_line[k], end - first_line[k]);
    direction.codes = static_cast<std::int64_t>(own.size());
    if (own.empty()) continue;
    Finding along;
    along.direction = direction.direction;
    const Population& half = context.problem.confirmation;
    const CoordinateRange range(line_coordinates(context, along, false, half.w, half.label));
    std::vector<std::vector<double>> distances(comparison.size());
    for (std::size_t c = 0; c < comparison.size(); ++c) {
      for (const SharedLine& line : own)
        distances[c].push_back(line.flips[c].crossed() ? line.flips[c].far_end()
                                                       : std::numeric_limits<double>::infinity());
      direction.distances.push_back(summarise_flips(own, c, distances[c], range));
    }
    for (std::size_t a = 0; a < comparison.size(); ++a) {
      for (std::size_t b = a + 1; b < comparison.size(); ++b) {
        DistanceRatio ratio = ratio_of_medians(distances[a], distances[b], search_range,
                                               {.replicates = replicates, .seed = context.problem.seed});
        ratio.first = static_cast<std::int64_t>(a);
        ratio.second = static_cast<std::int64_t>(b);
        p.push_back(ratio.p);
        direction.ratios.push_back(ratio);
      }
    }
  }
  const std::vector<double> adjusted = holm(p);
  std::size_t at = 0;
  for (PairedDistance& direction : directions)
    for (DistanceRatio& ratio : direction.ratios) ratio.p_adjusted = adjusted[at++];
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
