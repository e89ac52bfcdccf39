// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/candidates.hpp.

#include <faultline/analysis/conditions/candidates.hpp>

#include <faultline/analysis/conditions/detail/forward_selection.hpp>
#include <faultline/statistics/permutation.hpp>
#include <faultline/statistics/rank.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<double> coordinate(const Matrix<double>& whitened, std::span<const double> v) {
  return core::to_list(whitened * core::as_vector(v));
}

FAULTLINE_INLINE Direction candidate_direction(const NamedPool& named, const Problem& problem,
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

FAULTLINE_INLINE std::vector<Direction> property_directions(const NamedPool& named, const Problem& problem,
                                                            const statistics::Whitening& whitening) {
  std::vector<Direction> directions;
  for (std::size_t at = 0; at < named.pool.family.size(); ++at) {
    if (named.pool.family[at] != DirectionFamily::property) continue;
    const auto row = named.pool.vectors.row_span(static_cast<std::int64_t>(at));
    directions.push_back(candidate_direction(named, problem, whitening, at, {row.begin(), row.end()}, std::nullopt));
  }
  return directions;
}

FAULTLINE_INLINE Candidates choose_candidates(const NamedPool& named, const Problem& problem,
                                              const statistics::Whitening& whitening, const Matrix<double>& whitened,
                                              const statistics::Strata& strata, const MethodOptions& options) {
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

FAULTLINE_INLINE Candidates find_candidates(const Problem& problem, const statistics::Whitening& whitening,
                                            const Matrix<double>& whitened, const statistics::Strata& strata,
                                            const MethodOptions& options) {
  return choose_candidates(make_pool(problem, whitening, whitened), problem, whitening, whitened, strata, options);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
