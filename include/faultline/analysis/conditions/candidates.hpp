// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Candidate directions from the discovery half: chosen here, frozen, and judged elsewhere (method section 5.1).

#include <faultline/analysis/conditions/detail/candidate_pool.hpp>
#include <faultline/analysis/conditions/detail/forward_selection.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/rank.hpp>
#include <faultline/statistics/stratified.hpp>
#include <faultline/statistics/whitening.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A direction whose choice is final. `direction.w` and `v` point towards failure; `direction.explained` is left for
/// the confirmation half to fill.
struct FrozenCandidate {
  Direction direction;
  std::vector<double> v;  ///< unit vector in whitened coordinates, the same as `direction.whitened`
  std::optional<std::int64_t> class_label = std::nullopt;
  double discovery_effect = 0.0;
  double discovery_auc = 0.5;
};

/// What the discovery half offers.
struct Candidates {
  std::vector<FrozenCandidate> frozen;  ///< common ones in order of choice, then those of class 0, 1, ...
  /// Stratified effect that the best of all candidates had to exceed to be chosen first
  double detection_bar = 0.0;
  std::vector<double> property_r2;  ///< per property: how well w predicts it within classes
  /// The directions of the properties that were offered, towards more; no outcome was looked at
  std::vector<Direction> properties;
  std::vector<std::string> warnings;
};

/// The coordinate v·w̃ of every sample.
[[nodiscard]] inline std::vector<double> coordinate(const Matrix<double>& whitened, std::span<const double> v) {
  return core::to_list(whitened * core::as_vector(v));
}

/// Candidate number `at` of the pool, moving along the unit vector v.
[[nodiscard]] inline Direction candidate_direction(const NamedPool& named, const Problem& problem,
                                                   const statistics::Whitening& whitening, std::size_t at,
                                                   std::vector<double> v, std::optional<std::int64_t> label) {
  Direction made;
  made.family = named.pool.family[at];
  made.name = named.name(problem, at);
  made.class_label = label;
  Matrix<double> row(1, whitening.rank());
  std::copy(v.begin(), v.end(), row.row_span(0).begin());
  const Matrix<double> move = statistics::unwhiten_directions(whitening, row);
  made.w.assign(move.values().begin(), move.values().end());
  made.whitened = std::move(v);
  return made;
}

/// The directions of the properties in the pool, towards more.
[[nodiscard]] inline std::vector<Direction> property_directions(const NamedPool& named, const Problem& problem,
                                                                const statistics::Whitening& whitening) {
  std::vector<Direction> directions;
  for (std::size_t at = 0; at < named.pool.family.size(); ++at) {
    if (named.pool.family[at] != DirectionFamily::property) continue;
    const auto row = named.pool.vectors.row_span(static_cast<std::int64_t>(at));
    directions.push_back(candidate_direction(named, problem, whitening, at, {row.begin(), row.end()}, std::nullopt));
  }
  return directions;
}

/// `find_candidates` among directions that are given: `whitened` and `strata` may be of a part of the samples that the
/// pool was made from.
[[nodiscard]] inline Candidates choose_candidates(const NamedPool& named, const Problem& problem,
                                                  const statistics::Whitening& whitening,
                                                  const Matrix<double>& whitened, const statistics::Strata& strata,
                                                  const MethodOptions& options) {
  const Population& half = problem.discovery;
  Candidates result;
  result.property_r2 = named.property_r2;
  result.warnings = named.warnings;
  result.properties = property_directions(named, problem, whitening);

  const auto search = [&](const statistics::Strata& these, std::int64_t first_replicate,
                          std::span<const std::vector<double>> basis, std::int64_t limit) {
    const auto difference = statistics::stratified_difference(whitened, half.label, half.failed, these);
    const auto null = statistics::permuted_differences(
        whitened, half.label, half.failed, these,
        {.replicates = options.permutations_discovery, .seed = problem.seed, .first = first_replicate});
    return detail::forward_select(named.pool, difference, null, basis, {.limit = limit});
  };
  const auto freeze = [&](const detail::SelectedDirection& chosen, const statistics::Strata& these,
                          std::optional<std::int64_t> label) {
    FrozenCandidate candidate;
    candidate.direction =
        candidate_direction(named, problem, whitening, static_cast<std::size_t>(chosen.candidate), chosen.v, label);
    candidate.v = chosen.v;
    candidate.class_label = label;
    candidate.discovery_effect = chosen.effect;
    candidate.discovery_auc =
        statistics::stratified_auc(coordinate(whitened, chosen.v), half.label, half.failed, these).auc;
    result.frozen.push_back(std::move(candidate));
  };

  // Replicate numbers of different searches must not overlap, or they would share permutations.
  constexpr std::int64_t stride = std::int64_t{1} << 24;
  const detail::Selection common = search(strata, core::discovery_first, {}, options.common_candidates);
  result.detection_bar = common.first_bar;
  std::vector<std::vector<double>> basis;
  for (const auto& chosen : common.chosen) {
    basis.push_back(chosen.v);
    freeze(chosen, strata, std::nullopt);
  }
  // With a single class in play its candidates are the common ones.
  const auto used =
      std::count_if(strata.weights.begin(), strata.weights.end(), [](double weight) { return weight > 0.0; });
  if (used > 1 && options.class_candidates > 0) {
    for (std::int64_t c = 0; c < problem.classes; ++c) {
      if (!strata.uses(c)) continue;
      const statistics::Strata one = statistics::only_class(strata, c);
      for (const auto& chosen :
           search(one, core::discovery_first + (c + 1) * stride, basis, options.class_candidates).chosen)
        freeze(chosen, one, c);
    }
  }
  return result;
}

/// Finds and freezes candidates: up to `common_candidates` directions common to all classes, then up to
/// `class_candidates` per class with the common ones projected off.
///
/// **Shapes**: whitened `[N, r]` are the coordinates of the discovery half.
/// **Formula**: three families (properties, independent components, style channels), forward selection with a
/// permutation stop; see `detail::forward_select`.
/// **Error rate**: the stop lets a first common candidate through in 5 % of null runs, and one of each class likewise;
/// it claims nothing, confirmation does.
/// **Randomness**: permutations of (seed, Stream::permutations, discovery replicates). **Cost**: no generator or
/// classifier calls.
[[nodiscard]] inline Candidates find_candidates(const Problem& problem, const statistics::Whitening& whitening,
                                                const Matrix<double>& whitened, const statistics::Strata& strata,
                                                const MethodOptions& options) {
  return choose_candidates(make_pool(problem, whitening, whitened), problem, whitening, whitened, strata, options);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
