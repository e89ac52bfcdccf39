// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/condition_effects.hpp.

#include <faultline/analysis/confirm/condition_effects.hpp>

#include <faultline/analysis/confirm/edit_comparisons.hpp>
#include <faultline/analysis/problem/valid_failures.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/mcnemar.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Share of the samples of both splits, of one class if a label is given, that fail on a valid image; 0 without
/// samples.
[[nodiscard]] inline double valid_failure_rate(const Problem& problem, std::optional<std::int64_t> label) {
  double failures = 0.0, samples = 0.0;
  for (const Population* split : {&problem.discovery, &problem.confirmation})
    for (std::size_t i = 0; i < split->label.size(); ++i) {
      if (label && split->label[i] != *label) continue;
      samples += 1.0;
      failures += split->failed[i] != 0 && split->is_valid(i) ? 1.0 : 0.0;
    }
  return samples > 0.0 ? failures / samples : 0.0;
}

}  // namespace detail

FAULTLINE_INLINE std::vector<ConditionEffect> measure_effects(const Problem& problem,
                                                              const statistics::Whitening& whitening,
                                                              HeldOutLatents& held_out, const Conditions& found,
                                                              std::span<const ConditionEdit> planned,
                                                              const EffectOptions& options) {
  std::vector<ConditionEffect> effects(planned.size());
  std::int64_t able = 0, images = 0;
  for (const ConditionEdit& edit : planned) able += edit.movability == Movability::movable ? 1 : 0;
  const double alpha = options.alpha / std::max<double>(1.0, static_cast<double>(able));
  struct Watch {
    std::vector<EditComparison> comparisons;
    std::vector<statistics::ValueCounts> values;
    std::int64_t taken = 0;        // latents
    std::int64_t invalid[2] = {};  // at the first and the second edit
    bool done = true;
  };
  std::vector<Watch> watches(planned.size());
  for (std::size_t k = 0; k < planned.size(); ++k) {
    if (planned[k].movability != Movability::movable) continue;
    watches[k].comparisons = comparisons_of(planned[k]);
    watches[k].values.resize(watches[k].comparisons.size());
    watches[k].done = false;
    const double rate = detail::valid_failure_rate(problem, found.conditions[k].class_label);
    effects[k].min_effect = std::clamp(options.relative_effect * rate, options.smallest_effect, options.largest_effect);
  }
  // every condition has its first analysis, whatever the budget: it decides what is clear
  const auto goes_on = [&](std::int64_t interim) {
    return images < options.images && (interim == options.first_analysis || !problem.is_spent(budget_share::effects));
  };
  // every open condition in turn, so that those near their least effect have what the others leave
  bool open = able > 0;
  for (std::int64_t interim = options.first_analysis; open; interim += options.analysis_every) {
    open = false;
    classify::ScoreRequest request(
        problem.deferred);  // an analysis of one condition does not depend on those of others
    for (std::size_t k = 0; k < planned.size() && goes_on(interim); ++k) {
      Watch& watch = watches[k];
      if (watch.done) continue;
      const std::optional<std::int64_t> label = found.conditions[k].class_label;
      const std::int64_t drawn = held_out.latents().size();
      const std::vector<std::int64_t> positions =
          held_out.first(interim, label, interim * std::max<std::int64_t>(4, label ? 4 * problem.classes : 1));
      if (interim > options.latents) images += held_out.latents().size() - drawn;
      const auto first = static_cast<std::size_t>(watch.taken);
      if (positions.size() <= first) {
        watch.done = true;
        continue;
      }
      std::vector<EditedLatent> edits;
      for (std::size_t i = first; i < positions.size(); ++i) {
        const auto at = static_cast<std::size_t>(positions[i]);
        const StartLatent start{held_out.latents().w.row_span(positions[i]), held_out.latents().label[at]};
        const double now =
            planned[k].shape == ConditionShape::band ? first_projection(planned[k], whitening, start) : 0.0;
        for (const EditComparison& comparison : watch.comparisons)
          for (const auto& part : comparison.parts) edits.push_back({start, edit_of(part, planned[k], now)});
      }
      const ValidFailures answers = answer_valid(problem, edits);
      images += static_cast<std::int64_t>(edits.size());
      std::size_t at = 0;
      for (std::size_t i = first; i < positions.size(); ++i)
        for (std::size_t c = 0; c < watch.comparisons.size(); ++c) {
          double effect = 0.0;
          for (std::size_t e = 0; e < watch.comparisons[c].parts.size(); ++e, ++at) {
            effect += watch.comparisons[c].parts[e].weight * answers.failed[at];
            if (c == 0 && e < 2) watch.invalid[e] += answers.valid[at] != 0 ? 0 : 1;
          }
          watch.values[c].add(std::clamp(effect, -1.0, 1.0));
        }
      watch.taken = static_cast<std::int64_t>(positions.size());
      ConditionEffect& effect = effects[k];
      effect.latents = watch.taken;
      const auto n = static_cast<double>(watch.taken);
      const double own_alpha = alpha / static_cast<double>(watch.comparisons.size());
      std::size_t best = 0, does_not = 0;
      for (std::size_t c = 0; c < watch.values.size(); ++c) {
        if (watch.values[c].mean() > watch.values[best].mean()) best = c;
        const auto decision = statistics::decide_effect(watch.values[c], effect.min_effect, own_alpha);
        if (decision == statistics::EffectDecision::changes) effect.decision = decision;
        does_not += decision == statistics::EffectDecision::does_not ? 1 : 0;
      }
      if (effect.decision == statistics::EffectDecision::undecided && does_not == watch.values.size())
        effect.decision = statistics::EffectDecision::does_not;
      const statistics::ValueCounts& values = watch.values[best];
      effect.effect = values.mean();
      effect.lower = statistics::betting_lower_bound(values, own_alpha);
      effect.upper = statistics::betting_upper_bound(values, own_alpha);
      effect.invalid_high = static_cast<double>(watch.invalid[0]) / n;
      effect.invalid_low = static_cast<double>(watch.invalid[1]) / n;
      effect.needed.reset();
      if (effect.decision != statistics::EffectDecision::undecided) watch.done = true;
      else effect.needed = statistics::forecast_samples(values, effect.min_effect, own_alpha);
      open = open || !watch.done;
    }
    request.end();
    open = open && goes_on(interim + options.analysis_every);
  }
  return effects;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
