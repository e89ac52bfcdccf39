// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/intervention_directions.hpp.

#include <faultline/analysis/confirm/intervention_directions.hpp>

#include <faultline/core/random.hpp>
#include <faultline/statistics/difference.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<InterventionDirection> make_intervention_directions(const Problem& problem,
                                                                                 const statistics::Whitening& whitening,
                                                                                 const Matrix<double>& whitened,
                                                                                 const Matrix<double>& directions) {
  const Matrix<double> steps = statistics::unwhiten_directions(whitening, directions);
  const Population& split = problem.discovery;
  std::vector<InterventionDirection> results;
  for (std::int64_t k = 0; k < directions.rows(); ++k) {
    InterventionDirection result;
    result.v.assign(directions.row_span(k).begin(), directions.row_span(k).end());
    result.step.assign(steps.row_span(k).begin(), steps.row_span(k).end());
    const std::vector<double> values = core::to_list(statistics::detail::product(whitened, core::as_vector(result.v)));
    std::vector<double> all;
    std::vector<std::vector<double>> by_class(static_cast<std::size_t>(problem.classes));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (split.failed[i] != 0) continue;
      by_class[static_cast<std::size_t>(split.label[i])].push_back(values[i]);
      all.push_back(values[i]);
    }
    for (const auto& group : by_class)
      result.success_median.push_back(!group.empty() ? statistics::median(group)
                                      : !all.empty() ? statistics::median(all)
                                                     : 0.0);
    results.push_back(std::move(result));
  }
  return results;
}

FAULTLINE_INLINE Matrix<double> placebo_directions(std::int64_t count, std::int64_t rank,
                                                   std::span<const std::vector<double>> basis, std::int64_t seed) {
  // Still of this width: what multiplies it has to fit
  if (static_cast<std::int64_t>(basis.size()) >= rank) return Matrix<double>(0, rank);
  Matrix<double> directions(count, rank);
  for (std::int64_t j = 0; j < count; ++j) {
    core::CounterRandom random(seed, core::Stream::start_latents, core::intervention_first + j);
    auto row = directions.row_span(j);
    for (double& value : row) value = random.normal();
    statistics::project_off(row, basis);
    const double norm = std::sqrt(core::dot(row, row));
    for (double& value : row) value /= norm;
  }
  return directions;
}

FAULTLINE_INLINE std::vector<EditEffect> effects_along(const Problem& problem, std::span<const EditedLatent> edits,
                                                       std::size_t n) {
  std::vector<EditEffect> effects(n == 0 ? 0 : edits.size() / n);
  std::vector<EditedLatent> either_way;
  for (const auto& [start, edit] : edits) {
    either_way.push_back({start, edit.at(+intervention_sigmas)});
    either_way.push_back({start, edit.at(-intervention_sigmas)});
  }
  if (either_way.empty()) return effects;
  const EditAnswers answers = problem.answer_edits(either_way, {});
  const auto& failed = answers.first().failed;
  const auto& probability = answers.first().probability;
  const auto count = static_cast<double>(n);
  for (std::size_t k = 0; k < effects.size(); ++k) {
    std::int64_t worse = 0;
    std::int64_t better = 0;
    double probability_sum = 0.0;
    std::map<std::int64_t, ClassInterventionEffect> classes;
    for (std::size_t i = 2 * n * k; i < 2 * n * (k + 1); i += 2) {
      ClassInterventionEffect& own = classes[either_way[i].start.label];
      own.effect += static_cast<double>(failed[i]) - static_cast<double>(failed[i + 1]);
      ++own.latents;
      worse += failed[i] > failed[i + 1] ? 1 : 0;
      better += failed[i] < failed[i + 1] ? 1 : 0;
      probability_sum += static_cast<double>(probability[i + 1]) - static_cast<double>(probability[i]);
    }
    effects[k] = {static_cast<double>(worse - better) / count,
                  statistics::effect_lower_bound(worse, better, static_cast<std::int64_t>(n), 0.95),
                  probability_sum / count};
    for (const auto& [label, sum] : classes)
      effects[k].classes.push_back({label, sum.latents, sum.effect / static_cast<double>(sum.latents)});
  }
  return effects;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
