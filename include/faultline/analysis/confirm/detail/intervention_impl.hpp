// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/intervention.hpp.

#include <faultline/analysis/confirm/intervention.hpp>

#include <faultline/analysis/confirm/intervention_directions.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE bool is_cause(const InterventionEffect& effect, double min_effect) noexcept {
  return effect.lower > min_effect && effect.lower > effect.placebo.value_or(0.0);
}

FAULTLINE_INLINE std::vector<InterventionEffect> intervene(
    const Problem& problem, const statistics::Whitening& whitening, const Matrix<double>& whitened,
    const statistics::Strata& strata, std::span<const FrozenCandidate> candidates,
    std::span<const std::size_t> confirmed, HeldOutLatents& fresh, const MethodOptions& options) {
  std::vector<InterventionEffect> effects(confirmed.size());
  const auto basis = span_of(candidates);
  std::optional<double> common_placebo;

  std::vector<std::optional<std::int64_t>> groups;
  for (const std::size_t k : confirmed) {
    if (std::find(groups.begin(), groups.end(), candidates[k].class_label) == groups.end())
      groups.push_back(candidates[k].class_label);
  }
  std::sort(groups.begin(), groups.end());  // all classes first
  std::int64_t done = 0;
  for (const auto& label : groups) {
    report_progress(options.progress, "intervention", done++, static_cast<std::int64_t>(groups.size()));
    std::vector<std::size_t> members;
    for (std::size_t k = 0; k < confirmed.size(); ++k) {
      if (candidates[confirmed[k]].class_label == label) members.push_back(k);
    }
    Matrix<double> directions(static_cast<std::int64_t>(members.size()), whitening.rank());
    for (std::size_t k = 0; k < members.size(); ++k) {
      const auto& v = candidates[confirmed[members[k]]].v;
      std::copy(v.begin(), v.end(), directions.row_span(static_cast<std::int64_t>(k)).begin());
    }
    const auto levers = make_intervention_directions(problem, whitening, whitened, directions);

    const std::int64_t wanted = options.intervention_codes;
    const std::int64_t most = wanted * std::max<std::int64_t>(16, label ? 2 * problem.classes : 0);
    const auto moved = fresh.first(wanted, label, most);
    const auto contrasts = measure_contrasts(problem, fresh.codes(), moved, levers);
    const bool promising = std::any_of(contrasts.begin(), contrasts.end(), [&](const Contrast& c) {
      return c.lower > std::max(options.min_effect, common_placebo.value_or(0.0));
    });

    const auto placebo_part = [&](const std::vector<std::int64_t>& codes) {
      const std::size_t part = label ? (codes.size() + 3) / 4 : codes.size();
      return std::vector<std::int64_t>(codes.begin(), codes.begin() + static_cast<std::ptrdiff_t>(part));
    };
    std::vector<InterventionDirection> random;
    std::optional<double> placebo = common_placebo;
    if (promising || !label) {
      Matrix<double> off = placebo_directions(options.placebo_directions, whitening.rank(), basis, problem.seed);
      const statistics::Strata these = label ? statistics::only_class(strata, *label) : strata;
      const auto difference =
          statistics::stratified_difference(whitened, problem.discovery.label, problem.discovery.failed, these);
      for (std::int64_t j = 0; j < off.rows(); ++j) {
        if (core::dot(off.row_span(j), difference) >= 0.0) continue;
        for (double& value : off.row_span(j)) value = -value;
      }
      random = make_intervention_directions(problem, whitening, whitened, off);
      std::vector<double> means;
      for (const auto& contrast : measure_contrasts(problem, fresh.codes(), placebo_part(moved), random))
        means.push_back(contrast.mean);
      placebo = means.empty() ? std::nullopt : std::optional(statistics::quantile(means, 0.95));
      if (!label) common_placebo = placebo;
    }

    const auto failing = fresh.failing(wanted, label, most);
    const auto repaired = measure_repairs(problem, whitening, fresh.codes(), failing, levers);
    std::optional<double> repaired_placebo;
    if (promising && !random.empty()) {
      const auto shares = measure_repairs(problem, whitening, fresh.codes(), placebo_part(failing),
                                          std::span(random).first(std::min(random.size(), repair_placebo_directions)));
      repaired_placebo = std::accumulate(shares.begin(), shares.end(), 0.0) / static_cast<double>(shares.size());
    }
    for (std::size_t k = 0; k < members.size(); ++k) {
      InterventionEffect& effect = effects[members[k]];
      effect.codes = static_cast<std::int64_t>(moved.size());
      effect.contrast = contrasts[k].mean;
      effect.lower = contrasts[k].lower;
      effect.placebo = placebo;
      effect.probability_contrast = contrasts[k].probability;
      effect.repaired_share = repaired[k];
      effect.repaired_placebo = repaired_placebo;
      if (repaired_placebo) effect.coverage = repaired[k] - *repaired_placebo;
      effect.repaired_failures = static_cast<std::int64_t>(failing.size());
      effect.classes = contrasts[k].classes;
    }
  }
  report_progress(options.progress, "intervention", static_cast<std::int64_t>(groups.size()),
                  static_cast<std::int64_t>(groups.size()));
  return effects;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
