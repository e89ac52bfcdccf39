// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Distances to the flip of several classifiers from the same start latents along the same directions: every image is
// made once and shown to all of them.

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/compare/detail/own_causes.hpp>
#include <faultline/analysis/compare/detail/questions.hpp>
#include <faultline/analysis/distance/crossing_summary.hpp>
#include <faultline/analysis/distance/threshold.hpp>
#include <faultline/analysis/distance/validity.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/statistics/bootstrap.hpp>
#include <faultline/statistics/multiplicity.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
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
  std::vector<std::vector<float>> properties = {};  ///< `[classifier][P]` at the flip, empty where there is none
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
    search.properties.resize(classifiers);
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
  const bool judge = comparison.common.has_judge, properties = !comparison.common.property_names.empty();
  answer_in_blocks(comparison.common, edits, {.properties = properties, .judge = judge},
                   [&](std::size_t first, const EditAnswers& answers) {
                     for (std::size_t k = 0; k < answers.first().failed.size(); ++k) {
                       const auto [search, c] = ends[first + k];
                       if (answers.classifiers[c].failed[k] == 0) {
                         search->found[c].drop();
                         continue;
                       }
                       if (judge) search->judge_agrees[c] = answers.judge_agrees[k] != 0;
                       if (!properties) continue;
                       const auto measured = answers.properties.row_span(static_cast<std::int64_t>(k));
                       search->properties[c].assign(measured.begin(), measured.end());
                     }
                   });
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

/// Distances of one classifier over the searches of one direction; `names` are the properties that it moves.
[[nodiscard]] inline ComparedDistance summarise_flips(const Problem& problem, std::span<const SharedSearch> searches,
                                                      std::size_t classifier, std::span<const double> distances,
                                                      const CoordinateRange& range,
                                                      std::span<const std::string> names) {
  ComparedDistance result;
  const statistics::Interval interval = statistics::median_interval(distances);
  result.sigmas = statistics::median(distances);
  result.lower = std::max(0.0, interval.lower);
  result.upper = interval.upper;
  std::vector<double> coordinates;
  double crossed = 0.0;
  std::vector<std::uint8_t> agrees;
  for (std::size_t i = 0; i < searches.size(); ++i) {
    coordinates.push_back(searches[i].coordinate0 + distances[i]);
    crossed += std::isfinite(distances[i]) ? 1.0 : 0.0;
    if (const std::optional<bool>& says = searches[i].judge_agrees[classifier]) agrees.push_back(*says ? 1 : 0);
  }
  result.crossed_share = crossed / static_cast<double>(searches.size());
  result.off_manifold = range.outside(statistics::median(coordinates));
  result.validity = validity_of(agrees);
  for (const std::string& name : names) {
    const auto found = std::find(problem.property_names.begin(), problem.property_names.end(), name);
    if (found == problem.property_names.end()) continue;
    const auto at = static_cast<std::size_t>(found - problem.property_names.begin());
    std::vector<double> values;
    for (const SharedSearch& search : searches)
      if (at < search.properties[classifier].size())
        values.push_back(static_cast<double>(search.properties[classifier][at]));
    if (values.empty()) continue;
    result.at_flip.push_back(property_at_flip(problem, static_cast<std::int64_t>(at), std::move(values)));
  }
  return result;
}

/// A direction with the properties that it moves, for their values at the flip.
struct MovedProperties {
  PairedDistance along;
  std::vector<std::string> properties;
};

/// What distances are measured along: every property that w predicts, towards more and towards less, and every cause of
/// each classifier, both ways where both ends fail.
[[nodiscard]] inline std::vector<MovedProperties> distance_directions(const ComparisonProblem& comparison,
                                                                      std::span<const Direction> properties,
                                                                      std::span<const OwnCauses> causes) {
  std::vector<MovedProperties> all;
  const auto add = [&](std::string title, const std::string& source, const Direction& direction, int sign,
                       std::vector<std::string> names) {
    PairedDistance along;
    along.title = std::move(title);
    along.source = source;
    along.sign = sign;
    along.direction = direction;
    for (auto* values : {&along.direction.whitened, &along.direction.w})
      for (double& value : *values) value *= sign;
    all.push_back({std::move(along), std::move(names)});
  };
  for (const Direction& property : properties)
    for (const int sign : {1, -1})
      add((sign > 0 ? "more " : "less ") + property.name, "property", property, sign, {property.name});
  for (std::size_t c = 0; c < causes.size(); ++c)
    for (const Finding& cause : causes[c].findings) {
      if (cause.direction.w.empty()) continue;
      const ConditionShape shape = cause.condition.shape.value_or(ConditionShape::one_sided);
      const bool both = shape == ConditionShape::two_sided || shape == ConditionShape::pair;
      add(both ? cause.title + ", one way" : cause.title, comparison.names[c], cause.direction, 1,
          cause.condition.properties);
      if (both)
        add(cause.title + ", the other way", comparison.names[c], cause.direction, -1, cause.condition.properties);
    }
  return all;
}

/// Fills `latents`, `distances` and `ratios` of every direction; `context.problem` holds the confirmation split.
///
/// **Randomness**: start latents are samples 2^41 + 1 000 000 onwards; the bootstrap resamples by (seed,
/// Stream::permutations).
inline void measure_paired_distances(const ComparisonProblem& comparison, const FindingContext& context,
                                     SharedSamples& samples, std::int64_t replicates,
                                     std::span<MovedProperties> directions) {
  const MethodOptions& options = context.options;
  constexpr std::int64_t steps = refinement_limit + 2;
  std::int64_t done = 0;
  const auto step_done = [&] { report_progress(options.progress, "distances to failure", ++done, steps); };
  const Problem anybody = anybody_problem(comparison, samples);
  StartLatents pool(anybody, options);
  // Drawn before anything points at them
  for (const MovedProperties& moved : directions) (void)pool.of(moved.along.direction.class_label);

  std::vector<SharedSearch> searches;
  std::vector<std::size_t> first_search;
  for (const MovedProperties& moved : directions) {
    const PairedDistance& direction = moved.along;
    first_search.push_back(searches.size());
    const auto& numbers = pool.of(direction.direction.class_label);
    const Edit edit = Edit::in_w(direction.direction.w);
    Matrix<float> w(static_cast<std::int64_t>(numbers.size()), context.whitening.dimension());
    std::vector<std::int64_t> labels;
    for (const std::size_t number : numbers) {
      const StartSample& start = pool[number];
      std::copy(start.w.begin(), start.w.end(), w.row_span(static_cast<std::int64_t>(labels.size())).begin());
      labels.push_back(start.label);
      searches.emplace_back().path = {{start.w, start.label}, edit};
    }
    Finding along;
    along.direction = direction.direction;
    const auto coordinates = path_coordinates(context, along, false, w, labels);
    for (std::size_t i = 0; i < labels.size(); ++i) searches[first_search.back() + i].coordinate0 = coordinates[i];
  }
  search_flips(comparison, searches, step_done);
  while (done < steps) step_done();

  std::vector<double> p;
  for (std::size_t k = 0; k < directions.size(); ++k) {
    PairedDistance& direction = directions[k].along;
    const std::size_t end = k + 1 < directions.size() ? first_search[k + 1] : searches.size();
    const std::span<const SharedSearch> own =
        std::span<const SharedSearch>(searches).subspan(first_search[k], end - first_search[k]);
    direction.latents = static_cast<std::int64_t>(own.size());
    if (own.empty()) continue;
    Finding along;
    along.direction = direction.direction;
    const Population& split = context.problem.confirmation;
    const CoordinateRange range(path_coordinates(context, along, false, split.w, split.label));
    std::vector<std::vector<double>> distances(comparison.size());
    for (std::size_t c = 0; c < comparison.size(); ++c) {
      for (const SharedSearch& search : own)
        distances[c].push_back(search.found[c].crossed() ? search.found[c].far_end()
                                                         : std::numeric_limits<double>::infinity());
      direction.distances.push_back(
          summarise_flips(comparison.common, own, c, distances[c], range, directions[k].properties));
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
  for (MovedProperties& moved : directions)
    for (DistanceRatio& ratio : moved.along.ratios) ratio.p_adjusted = adjusted[at++];
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
