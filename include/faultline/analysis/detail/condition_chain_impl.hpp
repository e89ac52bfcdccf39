// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/condition_chain.hpp.

#include <faultline/analysis/condition_chain.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Rows of a population that take part.
[[nodiscard]] inline std::vector<std::int64_t> rows_of(const Population& population,
                                                       std::span<const std::uint8_t> valid) {
  if (!valid.empty() && static_cast<std::int64_t>(valid.size()) != population.size())
    throw Error(ErrorCode::shape_mismatch, "find_causes", "expected one mark for each sample");
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < population.size(); ++i)
    if (valid.empty() || valid[static_cast<std::size_t>(i)] != 0) rows.push_back(i);
  return rows;
}

/// Latents of both splits, one below the other.
[[nodiscard]] inline Population both_splits(const Problem& problem) {
  const Population &a = problem.discovery, &b = problem.confirmation;
  Population all;
  all.label = a.label;
  all.label.insert(all.label.end(), b.label.begin(), b.label.end());
  all.w.resize(a.size() + b.size(), a.w.cols());
  all.properties.resize(a.size() + b.size(), a.properties.cols());
  all.w.topRows(a.size()) = a.w;
  all.w.bottomRows(b.size()) = b.w;
  all.properties.topRows(a.size()) = a.properties;
  all.properties.bottomRows(b.size()) = b.properties;
  return all;
}

}  // namespace detail

FAULTLINE_INLINE ConditionChain find_causes(const Problem& problem, std::span<const std::uint8_t> valid_discovery,
                                            std::span<const std::uint8_t> valid_confirmation,
                                            const ChainOptions& options) {
  ConditionChain chain;
  const Population &discovery = problem.discovery, &confirmation = problem.confirmation;
  const auto progress = [&](const char* stage, std::int64_t done) {
    report_progress(options.progress, stage, done, 1);
  };
  progress("conditions", 0);
  // no outcome enters here, so both splits do; everything that reaches the styles above rounding is kept
  const Population all = detail::both_splits(problem);
  const statistics::Whitening whitening = statistics::fit_whitening(all.w, all.label, problem.classes, 1e-12);
  const Matrix<double> whitened = statistics::whiten(whitening, all.w, all.label);
  const PropertyReadings readings = read_properties(whitened, all.properties, all.label, problem.classes);
  const auto rows = detail::rows_of(discovery, valid_discovery);
  const auto fresh_rows = detail::rows_of(confirmation, valid_confirmation);
  const ConditionSample sample = make_condition_sample(discovery, Matrix<double>(whitened.topRows(discovery.size())),
                                                       rows, readings, problem.classes);
  const ConditionSample fresh = make_condition_sample(
      confirmation, Matrix<double>(whitened.bottomRows(confirmation.size())), fresh_rows, readings, problem.classes);
  for (const int split : {0, 1}) {
    const ConditionSample& own = split == 0 ? sample : fresh;
    chain.samples[split] = own.size();
    chain.failures[split] = std::count_if(own.failed.begin(), own.failed.end(), [](auto f) { return f != 0; });
  }
  SelectionOptions selecting = options.selection;
  selecting.seed = problem.seed;
  const SelectedTerms selection = select_terms(sample, readings, problem.property_candidates, selecting);
  const Conditions found = gather_conditions(sample, readings, selection);
  progress("conditions", 1);
  if (found.conditions.empty()) return chain;

  progress("confirmation", 0);
  const FrozenShapes shapes = freeze_shapes(sample, found);
  ConditionTests tests = confirm_conditions(fresh, found, shapes, problem.seed, options.permutations);
  std::vector<double> stable(found.conditions.size(), 0.0);
  if (options.half_samples > 0)
    stable = stability(sample, readings, problem.property_candidates, found, selecting, options.half_samples);
  progress("confirmation", 1);
  chain.interactions = found.interactions;
  chain.interaction_tests = std::move(tests.interactions);
  chain.together = tests.together;
  Conditions confirmed;
  std::vector<std::size_t> position;
  for (std::size_t k = 0; k < found.conditions.size(); ++k) {
    ChainedCondition& own = chain.conditions.emplace_back();
    own.condition = found.conditions[k];
    own.test = std::move(tests.conditions[k]);
    own.stability = stable[k];
    own.confirmed = own.test.p_adjusted <= options.alpha && own.test.gain.share >= options.least_share;
    if (!own.confirmed) continue;
    confirmed.conditions.push_back(own.condition);
    position.push_back(k);
  }
  if (confirmed.conditions.empty() || !options.interventions || whitening.rank() == 0) return chain;

  progress("intervention", 0);
  std::vector<ConditionMove> moves = plan_moves(problem, whitening, readings, sample, confirmed);
  for (std::size_t k = 0; k < position.size(); ++k) {
    // a condition whose gain lies in one class is moved in that class
    Condition& own = chain.conditions[position[k]].condition;
    if (!own.class_label) own.class_label = chain.conditions[position[k]].test.class_label;
    confirmed.conditions[k].class_label = own.class_label;
  }
  EffectOptions effect_options = options.effects;
  effect_options.alpha = options.alpha;
  HeldOutLatents latents(problem, effect_options.batch_size);
  std::vector<MoveEffect> effects = measure_effects(problem, whitening, latents, confirmed, moves, effect_options);
  std::vector<std::size_t> causes;
  for (std::size_t k = 0; k < position.size(); ++k)
    if (moves[k].movability == Movability::movable && effects[k].decision == statistics::EffectDecision::changes)
      causes.push_back(k);
  progress("intervention", 1);
  progress("attributable fractions", 0);
  const CauseFractions fractions =
      attribute_failures(problem, whitening, sample, confirmed, moves, causes, effect_options);
  progress("attributable fractions", 1);
  for (std::size_t i = 0; i < causes.size(); ++i) {
    ChainedCondition& own = chain.conditions[position[causes[i]]];
    own.cause = true;
    own.fraction = fractions.each[i];
  }
  chain.fraction = fractions.together;
  for (std::size_t k = 0; k < position.size(); ++k) {
    chain.conditions[position[k]].move = std::move(moves[k]);
    chain.conditions[position[k]].effect = effects[k];
  }
  return chain;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
