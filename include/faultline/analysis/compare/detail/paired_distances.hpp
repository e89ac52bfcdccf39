// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Distances to the flip of several classifiers from the same start latents along the same directions: every image is
// made once and shown to all of them.

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/compare/detail/direction_tests.hpp>
#include <faultline/analysis/distance/crossing_summary.hpp>
#include <faultline/analysis/distance/threshold.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/statistics/bootstrap.hpp>
#include <faultline/statistics/multiplicity.hpp>
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
namespace analysis {
namespace detail {

/// How far the searches go, in standard deviations.
inline constexpr double search_range = grid_step * static_cast<double>(grid_points);

/// One start latent along one edit, with one search per classifier.
struct SharedSearch : BoundarySearch {
  double coordinate0 = 0.0;
  std::vector<std::optional<bool>> judge_agrees = {};
};

/// The first flip of every classifier along every edit. Start latents fail for nobody.
///
/// **Cost**: per path 8 images on the grid, 7 refinements for each flip in a bracket of its own, one to check each
/// flip; every classifier is asked about all of them.
inline void search_flips(const ComparisonProblem& comparison, std::span<SharedSearch> searches,
                         const std::function<void()>& step_done) {
  const std::size_t classifiers = comparison.size();
  for (SharedSearch& search : searches) {
    for (std::size_t c = 0; c < classifiers; ++c) search.decisions.push_back({until_failure, c});
    search.start.assign(classifiers, 1.0);
    search.judge_agrees.assign(classifiers, std::nullopt);
  }
  const AnswerEdits& answer = comparison.common.answer_edits;
  search_boundaries(answer, pointers_to(searches), distance_rules(), step_done);

  // A flip whose image does not fail again is not reported.
  std::vector<EditedLatent> edits;
  std::vector<std::pair<SharedSearch*, std::size_t>> ends;
  for (SharedSearch& search : searches) {
    for (std::size_t c = 0; c < classifiers; ++c) {
      if (!search.found[c].crossed()) continue;
      edits.push_back(search.path.at(search.found[c].far_end()));
      ends.emplace_back(&search, c);
    }
  }
  if (edits.empty()) return;
  const EditAnswers answers = answer(edits, {.judge = comparison.common.has_judge});
  for (std::size_t k = 0; k < ends.size(); ++k) {
    const auto [search, c] = ends[k];
    if (answers.classifiers[c].failed[k] == 0) search->found[c].drop();
    else if (comparison.common.has_judge) search->judge_agrees[c] = answers.judge_agrees[k] != 0;
  }
}

/// Ratio of two medians over the same start latents, with a bootstrap interval; infinite distances are ones beyond
/// `range`.
///
/// **Formula**: median of `second` over median of `first`, resampled by start latent. A median beyond the range is only
/// known to be longer than it, so for the lower end it counts as `range` above the line and as infinite below it, for
/// the upper end the other way round: the interval may be wide, but is not wrong for what was not measured.
/// **Error rate**: approximate; simulated in the tests.
[[nodiscard]] inline DistanceRatio ratio_of_medians(std::span<const double> first, std::span<const double> second,
                                                    double range, const statistics::BootstrapOptions& options) {
  DistanceRatio result;
  std::vector<double> a(first.size()), b(first.size());
  const auto bound = [&](std::span<const std::int64_t> units, bool lower) {
    for (std::size_t i = 0; i < units.size(); ++i) {
      a[i] = first[static_cast<std::size_t>(units[i])];
      b[i] = second[static_cast<std::size_t>(units[i])];
    }
    const double below = statistics::median(a), above = statistics::median(b);
    if (lower) return std::isfinite(below) ? std::min(above, range) / below : 0.0;
    return std::isfinite(above) ? above / std::min(below, range) : std::numeric_limits<double>::infinity();
  };
  const auto n = static_cast<std::int64_t>(first.size());
  result.lower = statistics::bootstrap_interval(
                     n, [&](std::span<const std::int64_t> units) { return bound(units, true); }, options)
                     .lower;
  result.upper = statistics::bootstrap_interval(
                     n, [&](std::span<const std::int64_t> units) { return bound(units, false); }, options)
                     .upper;
  const double below = statistics::median(first), above = statistics::median(second);
  if (std::isfinite(below) && std::isfinite(above)) result.ratio = above / below;
  for (std::size_t i = 0; i < first.size(); ++i) {
    result.second_farther += second[i] > first[i] ? 1 : 0;
    result.first_farther += first[i] > second[i] ? 1 : 0;
  }
  result.p = statistics::mcnemar_exact(result.second_farther, result.first_farther);
  return result;
}

/// Distances of one classifier over the searches of one direction.
[[nodiscard]] inline ComparedDistance summarise_flips(std::span<const SharedSearch> searches, std::size_t classifier,
                                                      std::span<const double> distances, const CoordinateRange& range) {
  ComparedDistance result;
  const statistics::Interval interval = statistics::median_interval(distances);
  result.sigmas = statistics::median(distances);
  result.lower = std::max(0.0, interval.lower);
  result.upper = interval.upper;
  std::vector<double> coordinates;
  double crossed = 0.0, agreed = 0.0, asked = 0.0;
  for (std::size_t i = 0; i < searches.size(); ++i) {
    coordinates.push_back(searches[i].coordinate0 + distances[i]);
    crossed += std::isfinite(distances[i]) ? 1.0 : 0.0;
    const std::optional<bool>& agrees = searches[i].judge_agrees[classifier];
    asked += agrees ? 1.0 : 0.0;
    agreed += agrees && *agrees ? 1.0 : 0.0;
  }
  result.crossed_share = crossed / static_cast<double>(searches.size());
  result.off_manifold = range.outside(statistics::median(coordinates));
  if (asked > 0.0) result.judge_agreement = agreed / asked;
  return result;
}

/// Fills `codes`, `distances` and `ratios` of every direction; `context.problem` holds the confirmation half.
///
/// **Randomness**: start latents are samples 2^41 + 1 000 000 onwards; the bootstrap resamples by (seed,
/// Stream::permutations).
inline void measure_paired_distances(const ComparisonProblem& comparison, const FindingContext& context,
                                     SharedSamples& samples, std::int64_t replicates,
                                     std::span<PairedDistance> directions) {
  const MethodOptions& options = context.options;
  constexpr std::int64_t steps = refinement_limit + 2;
  std::int64_t done = 0;
  const auto step_done = [&] { report_progress(options.progress, "distances to failure", ++done, steps); };
  const Problem anybody = anybody_problem(comparison, samples);
  StartLatents pool(anybody, options);
  // Drawn before anything points at them
  for (const PairedDistance& direction : directions) (void)pool.of(direction.direction.class_label);

  std::vector<SharedSearch> searches;
  std::vector<std::size_t> first_search;
  for (const PairedDistance& direction : directions) {
    first_search.push_back(searches.size());
    const auto& numbers = pool.of(direction.direction.class_label);
    const Edit edit = Edit::in_w(direction.direction.w);
    Matrix<float> w(static_cast<std::int64_t>(numbers.size()), context.whitening.dimension());
    std::vector<std::int64_t> labels;
    for (const std::size_t number : numbers) {
      const StartSample& code = pool[number];
      std::copy(code.w.begin(), code.w.end(), w.row_span(static_cast<std::int64_t>(labels.size())).begin());
      labels.push_back(code.label);
      searches.emplace_back().path = {{code.w, code.label}, edit};
    }
    Finding along;
    along.direction = direction.direction;
    const auto coordinates = line_coordinates(context, along, false, w, labels);
    for (std::size_t i = 0; i < labels.size(); ++i) searches[first_search.back() + i].coordinate0 = coordinates[i];
  }
  search_flips(comparison, searches, step_done);
  while (done < steps) step_done();

  std::vector<double> p;
  for (std::size_t k = 0; k < directions.size(); ++k) {
    PairedDistance& direction = directions[k];
    const std::size_t end = k + 1 < directions.size() ? first_search[k + 1] : searches.size();
    const std::span<const SharedSearch> own =
        std::span<const SharedSearch>(searches).subspan(first_search[k], end - first_search[k]);
    direction.codes = static_cast<std::int64_t>(own.size());
    if (own.empty()) continue;
    Finding along;
    along.direction = direction.direction;
    const Population& half = context.problem.confirmation;
    const CoordinateRange range(line_coordinates(context, along, false, half.w, half.label));
    std::vector<std::vector<double>> distances(comparison.size());
    for (std::size_t c = 0; c < comparison.size(); ++c) {
      for (const SharedSearch& search : own)
        distances[c].push_back(search.found[c].crossed() ? search.found[c].far_end()
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
  const std::vector<double> adjusted = statistics::holm(p);
  std::size_t at = 0;
  for (PairedDistance& direction : directions)
    for (DistanceRatio& ratio : direction.ratios) ratio.p_adjusted = adjusted[at++];
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
