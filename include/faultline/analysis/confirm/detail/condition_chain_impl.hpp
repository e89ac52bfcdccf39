// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/condition_chain.hpp.

#include <faultline/analysis/confirm/condition_chain.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Rows of a population that are valid.
[[nodiscard]] inline std::vector<std::int64_t> valid_rows(const Population& population) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < population.size(); ++i)
    if (population.is_valid(static_cast<std::size_t>(i))) rows.push_back(i);
  return rows;
}

/// Rows of two matrices, one below the other.
template <class T>
[[nodiscard]] Matrix<T> stacked(const Matrix<T>& above, const Matrix<T>& below) {
  Matrix<T> all(above.rows() + below.rows(), above.cols());
  all.topRows(above.rows()) = above;
  all.bottomRows(below.rows()) = below;
  return all;
}

}  // namespace detail

FAULTLINE_INLINE ChainOptions chain_options(const MethodOptions& options) {
  ChainOptions chain;
  chain.conditions.alpha = options.alpha;
  chain.conditions.permutations = options.permutations;
  chain.conditions.half_samples = options.half_samples;
  chain.effects.latents = options.intervention_latents;
  chain.effects.images = options.intervention_images;
  chain.effects.fraction_latents = options.fraction_latents;
  chain.effects.batch_size = options.batch_size;
  chain.progress = options.progress;
  return chain;
}

FAULTLINE_INLINE ConditionGround prepare_ground(const Problem& problem) {
  ConditionGround ground;
  const Population &discovery = problem.discovery, &confirmation = problem.confirmation;
  std::vector<std::int64_t> label = discovery.label;
  label.insert(label.end(), confirmation.label.begin(), confirmation.label.end());
  const Matrix<float> w = detail::stacked(discovery.w, confirmation.w);
  ground.whitening = statistics::fit_whitening(w, label, problem.classes, 1e-12);
  const Matrix<double> whitened = statistics::whiten(ground.whitening, w, label);
  ground.reading_vectors = fit_reading_vectors(whitened, detail::stacked(discovery.properties, confirmation.properties),
                                               label, problem.classes);
  ground.discovery_whitened = Matrix<double>(whitened.topRows(discovery.size()));
  ground.confirmation_whitened = Matrix<double>(whitened.bottomRows(confirmation.size()));
  set_outcomes(ground, problem);
  return ground;
}

FAULTLINE_INLINE void set_outcomes(ConditionGround& ground, const Problem& problem) {
  const Population &discovery = problem.discovery, &confirmation = problem.confirmation;
  ground.discovery = make_condition_sample(discovery, ground.discovery_whitened, detail::valid_rows(discovery),
                                           ground.reading_vectors, problem.classes);
  ground.confirmation =
      make_condition_sample(confirmation, ground.confirmation_whitened, detail::valid_rows(confirmation),
                            ground.reading_vectors, problem.classes);
}

FAULTLINE_INLINE ConditionChain find_causes(const Problem& problem, const ChainOptions& options) {
  HeldOutLatents held_out(problem, options.effects.batch_size);
  return find_causes(problem, prepare_ground(problem), held_out, options);
}

FAULTLINE_INLINE ConditionChain find_causes(const Problem& problem, const ConditionGround& ground,
                                            HeldOutLatents& held_out, const ChainOptions& options) {
  report_progress(options.progress, "conditions", 0, 1);
  TestedConditions tested = find_conditions(ground.discovery, ground.confirmation, ground.reading_vectors,
                                            problem.property_candidates, problem.seed, options.conditions);
  report_progress(options.progress, "conditions", 1, 1);
  return prove_causes(problem, ground, held_out, std::move(tested), options);
}

FAULTLINE_INLINE ConditionChain prove_causes(const Problem& problem, const ConditionGround& ground,
                                             HeldOutLatents& held_out, TestedConditions tested,
                                             const ChainOptions& options) {
  ConditionChain chain;
  const auto progress = [&](const char* stage, std::int64_t done) {
    report_progress(options.progress, stage, done, 1);
  };
  for (const int split : {0, 1}) {
    const ConditionSample& own = split == 0 ? ground.discovery : ground.confirmation;
    chain.samples[split] = own.size();
    chain.failures[split] = std::count_if(own.failed.begin(), own.failed.end(), [](auto f) { return f != 0; });
  }
  chain.interactions = std::move(tested.interactions);
  chain.together = tested.together;
  chain.candidates = tested.candidates;
  Conditions confirmed;
  std::vector<std::size_t> position;
  for (TestedCondition& condition : tested.conditions) {
    ChainedCondition& own = chain.conditions.emplace_back(ChainedCondition{std::move(condition)});
    if (!own.confirmed || own.minor) continue;
    confirmed.conditions.push_back(own.condition);
    position.push_back(chain.conditions.size() - 1);
  }
  if (confirmed.conditions.empty() || !options.interventions || ground.whitening.rank() == 0) return chain;

  progress("intervention", 0);
  std::vector<ConditionEdit> planned = plan_edits(problem, ground.whitening, ground.reading_vectors, ground.discovery,
                                                  confirmed, calibration_latents(options.effects.images));
  for (std::size_t k = 0; k < position.size(); ++k) {
    // a condition whose gain lies in one class is moved in that class
    ChainedCondition& own = chain.conditions[position[k]];
    if (!own.condition.class_label) own.condition.class_label = own.test.class_label;
    confirmed.conditions[k].class_label = own.condition.class_label;
  }
  EffectOptions effect_options = options.effects;
  effect_options.alpha = options.conditions.alpha;
  const std::vector<ConditionEffect> effects =
      measure_effects(problem, ground.whitening, held_out, confirmed, planned, effect_options);
  std::vector<std::size_t> causes;
  for (std::size_t k = 0; k < position.size(); ++k)
    if (planned[k].movability == Movability::movable && effects[k].decision == statistics::EffectDecision::changes)
      causes.push_back(k);
  progress("intervention", 1);
  progress("attributable fractions", 0);
  chain.fractions =
      attribute_failures(problem, ground.whitening, ground.discovery, confirmed, planned, causes, effect_options);
  progress("attributable fractions", 1);
  for (std::size_t i = 0; i < causes.size(); ++i) {
    ChainedCondition& own = chain.conditions[position[causes[i]]];
    own.cause = true;
    own.fraction = chain.fractions.each[i];
  }
  for (std::size_t k = 0; k < position.size(); ++k) {
    chain.conditions[position[k]].edit = std::move(planned[k]);
    chain.conditions[position[k]].effect = effects[k];
  }
  return chain;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
