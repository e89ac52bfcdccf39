// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/analyze.hpp.

#include <faultline/analysis/analyze.hpp>

#include <faultline/analysis/confirm/condition_chain.hpp>
#include <faultline/analysis/confirm/ceiling.hpp>
#include <faultline/analysis/confirm/detectable.hpp>
#include <faultline/analysis/confirm/placebo.hpp>
#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/describe/carriers.hpp>
#include <faultline/analysis/describe/coordinate_histogram.hpp>
#include <faultline/analysis/describe/make_finding.hpp>
#include <faultline/analysis/describe/property_profiles.hpp>
#include <faultline/analysis/describe/report_text.hpp>
#include <faultline/analysis/describe/responses.hpp>
#include <faultline/analysis/distance/joint_shift.hpp>
#include <faultline/analysis/distance/property_distances.hpp>
#include <faultline/analysis/distance/threshold.hpp>
#include <faultline/analysis/distance/validity.hpp>
#include <faultline/analysis/problem/check_options.hpp>
#include <faultline/analysis/problem/check_population.hpp>
#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/analysis/rank/class_split.hpp>
#include <faultline/core/interrupted.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/statistics/linear_algebra.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// What the paper would say, and the channels of each class.
inline void fill_rankings(FailureReport& report, const Problem& problem, const MethodOptions& options) {
  if (report.failure_rate.failures == 0 || report.failure_rate.failures == report.failure_rate.n) return;
  report.paper_top = paper_table(problem, problem.discovery, 10, options.gradient_samples);
  split_channels(problem, report.paper_top);
  report.class_rankings = rank_per_class(problem, problem.discovery);
}

/// Where failures and valid successes lie along a finding, on the confirmation split, and whether classes agree.
inline void describe_coordinate(const Problem& problem, const Matrix<double>& whitened, Finding& finding) {
  if (finding.direction.whitened.empty()) return;
  const Population& split = problem.confirmation;
  const std::vector<double> values =
      core::to_list(statistics::detail::product(whitened, core::as_vector(finding.direction.whitened)));
  finding.histogram = coordinate_histogram(values, split, finding.direction.class_label);
  finding.class_split =
      split_by_class(values, split.label, split.failed,
                     statistics::count_outcomes(split.label, split.failed, problem.classes), problem.seed);
}

/// Distances of causes, and where both ends fail those towards the other end.
inline void measure_distances(const FindingContext& context, std::vector<Finding>& causes) {
  measure_thresholds(context, causes);
  if (!context.problem.is_spent(budget_share::all)) decide_validity(context, causes);
  std::vector<Finding> turned;
  std::vector<std::size_t> whose;
  for (std::size_t k = 0; k < causes.size(); ++k) {
    const auto shape = causes[k].condition.shape;
    if (shape != ConditionShape::two_sided && shape != ConditionShape::pair) continue;
    Finding& other = turned.emplace_back();
    other.condition = causes[k].condition;
    other.direction = causes[k].direction;
    for (auto* values : {&other.direction.w, &other.direction.whitened})
      for (double& value : *values) value = -value;
    whose.push_back(k);
  }
  measure_thresholds(context, turned, ThresholdScope::flip_only);
  for (std::size_t i = 0; i < whose.size(); ++i) causes[whose[i]].other_end = std::move(turned[i].threshold);
}

[[nodiscard]] inline Attributable attributable_of(const CauseFractions& fractions) {
  if (!fractions.together) return {};
  return {fractions.together->value, fractions.together->interval.lower, fractions.together->interval.upper,
          fractions.latents, fractions.failures};
}

/// The title of a condition of the chain, by what it is.
[[nodiscard]] inline const Finding* entry_of(const FailureReport& report, const Finding& like) {
  for (const auto* list : {&report.findings, &report.associated, &report.undecided, &report.not_movable})
    for (const Finding& finding : *list)
      if (finding.confirmation.p == like.confirmation.p && finding.condition.properties == like.condition.properties &&
          finding.condition.class_label == like.condition.class_label &&
          finding.condition.deviance_share == like.condition.deviance_share)
        return &finding;
  return nullptr;
}

/// Says what a budget left undone of the proof of causes.
inline void mark_unfinished(FailureReport& report, const Problem& problem, const MethodOptions& options,
                            const ConditionChain& chain) {
  const auto cut = [&](std::string what) {
    report.cut_short = true;
    report.warnings.push_back("The budget ended " + std::move(what));
  };
  const auto open = std::count_if(chain.conditions.begin(), chain.conditions.end(), [](const auto& condition) {
    return condition.confirmed && !condition.minor && condition.edit.movability == Movability::movable &&
           condition.effect.decision == Decision::undecided;
  });
  if (open > 0 && problem.is_spent(budget_share::effects))
    cut("the interventions: " + std::to_string(open) + (open == 1 ? " condition is" : " conditions are") +
        " undecided that more moved latents may decide.");
  if (chain.fractions.together && chain.fractions.latents < options.fraction_latents)
    cut("the attributable fractions at " + std::to_string(chain.fractions.latents) + " of " +
        std::to_string(options.fraction_latents) + " latents: their intervals are wider.");
  if (problem.is_spent(budget_share::all) && (options.property_distances || options.placebo_directions > 0))
    cut("the run before placebo directions and distances along all properties, which are left out.");
}

/// Confirmed interactions, and what two causes are together; `attempt` runs what asks the classifier.
template <class Attempt>
void fill_interactions(FailureReport& report, const FindingContext& context, const ConditionChain& chain,
                       const Attempt& attempt) {
  const Problem& problem = context.problem;
  std::vector<const Finding*> entries;
  std::vector<std::size_t> causes;  // positions in the chain
  for (std::size_t k = 0; k < chain.conditions.size(); ++k) {
    entries.push_back(entry_of(report, make_finding(problem, context.whitening, chain.conditions[k], chain.fractions)));
    if (chain.conditions[k].cause) causes.push_back(k);
  }
  const auto as_share = [](const statistics::AttributableFraction& value) {
    return Share{value.value, value.interval.lower, value.interval.upper};
  };
  const auto together = [&](std::size_t a, std::size_t b) -> InteractionFinding* {
    if (entries[a] == nullptr || entries[b] == nullptr) return nullptr;
    for (InteractionFinding& known : report.interactions)
      if ((known.first == entries[a]->title && known.second == entries[b]->title) ||
          (known.first == entries[b]->title && known.second == entries[a]->title))
        return &known;
    InteractionFinding& added = report.interactions.emplace_back();
    added.first = entries[a]->title;
    added.second = entries[b]->title;
    const auto &x = entries[a]->condition.properties, &y = entries[b]->condition.properties;
    if (x.size() == 1 && y.size() == 1 && x != y) added.properties = {x.front(), y.front()};
    fill_property_map(problem, added);
    return &added;
  };
  for (const TestedInteraction& tested : chain.interactions) {
    if (!tested.confirmed) continue;
    const auto a = static_cast<std::size_t>(tested.interaction.first),
               b = static_cast<std::size_t>(tested.interaction.second);
    if (chain.conditions[a].minor || chain.conditions[b].minor) continue;
    InteractionFinding* found = together(a, b);
    if (found == nullptr) continue;
    found->deviance_share = detail::share_of(tested.test.gain);
    found->p_adjusted = tested.test.p_adjusted;
  }
  for (const CausePair& pair : chain.fractions.pairs) {
    InteractionFinding* found = together(causes[pair.first], causes[pair.second]);
    if (found == nullptr) continue;
    if (pair.overlap) found->overlap = as_share(*pair.overlap);
    if (pair.beyond_additive) found->beyond_additive = as_share(*pair.beyond_additive);
  }
  if (!problem.is_spent(budget_share::all))
    attempt([&] { measure_joint_shifts(context, report.findings, report.interactions); });
  for (InteractionFinding& interaction : report.interactions) interaction.headline = interaction_headline(interaction);
  // a pair is a map of its own
  for (const auto* list : {&report.findings, &report.associated, &report.undecided, &report.not_movable})
    for (const Finding& finding : *list) {
      if (finding.condition.kind != ConditionKind::pair) continue;
      InteractionFinding& own = report.interactions.emplace_back();
      own.first = own.second = finding.title;
      own.properties = finding.condition.properties;
      own.deviance_share = finding.condition.deviance_share;
      own.p_adjusted = finding.confirmation.p_adjusted;
      fill_property_map(problem, own);
      own.headline = finding.headline;
    }
}

/// Conditions of invalid images that are not listed already; a condition that does nothing on valid images while more
/// and more of them are no longer valid is the generator's.
inline void fill_generators(FailureReport& report, const Problem& problem, const ConditionGround& ground,
                            const ConditionOptions& options) {
  std::vector<Finding> found = generator_conditions(problem, ground.discovery_whitened, ground.confirmation_whitened,
                                                    ground.reading_vectors, options);
  const auto same = [](const Finding& finding) {
    return [&finding](const Finding& other) {
      return other.condition.properties == finding.condition.properties &&
             other.condition.class_label == finding.condition.class_label;
    };
  };
  for (Finding& finding : found) {
    const auto listed = [&](const std::vector<Finding>& list) {
      return std::any_of(list.begin(), list.end(), same(finding));
    };
    if (listed(report.findings) || listed(report.undecided) || listed(report.not_movable)) continue;
    const auto nothing = std::find_if(report.associated.begin(), report.associated.end(), same(finding));
    if (nothing != report.associated.end()) {
      nothing->response = std::move(finding.response);
      report.generators.push_back(std::move(*nothing));
      report.associated.erase(nothing);
    } else {
      report.generators.push_back(std::move(finding));
    }
  }
}

}  // namespace detail

FAULTLINE_INLINE FailureReport analyze(const Problem& problem, const MethodOptions& options) {
  check_options(options);
  check_population(problem, problem.discovery, "discovery");
  check_population(problem, problem.confirmation, "confirmation");
  FailureReport report;
  report.layers = problem.layout.layers();
  report.classes = problem.classes;
  report.property_names = problem.property_names;
  report.property_units = problem.property_units;
  fill_rates(report, problem);
  const statistics::Strata strata = valid_outcomes(problem.discovery, problem.classes);
  const statistics::Strata fresh_strata = valid_outcomes(problem.confirmation, problem.classes);
  report.effective_failures_discovery = strata.effective_failures;
  report.effective_failures_confirmation = fresh_strata.effective_failures;
  detail::fill_rankings(report, problem, options);

  const bool tiny = problem.discovery.size() + problem.confirmation.size() <= 2 * problem.classes;
  ConditionGround ground;  // with so few samples there is nothing to prepare
  report_progress(options.progress, "reading vectors", 0, 1);
  if (!tiny) ground = prepare_ground(problem);
  report.property_r2 = ground.reading_vectors.r_squared;
  report.property_r2.resize(problem.property_names.size(), 0.0);
  for (double& r2 : report.property_r2) r2 = std::clamp(r2, 0.0, 1.0);
  report_progress(options.progress, "reading vectors", 1, 1);
  const ChainOptions chain_options = analysis::chain_options(options);
  std::vector<std::string> class_notes;
  for (const ClassFinding& finding : report.class_findings) class_notes.push_back(finding.headline);
  const double wanted = options.least_effective_failures;
  if (tiny || !enough_failures(strata, fresh_strata, wanted)) {
    if (!tiny) detail::fill_generators(report, problem, ground, chain_options.conditions);
    name_findings(std::vector<std::vector<Finding>*>{&report.generators});
    for (Finding& finding : report.generators) finding.headline = generator_headline(finding);
    const SamplesNeeded needed = samples_needed(strata, fresh_strata, wanted);
    report.verdict = class_notes.empty() ? Verdict::too_few_failures : Verdict::systematic_without_cause;
    report.samples_needed = class_notes.empty() ? needed.samples : 0;
    report.reason = class_notes.empty() ? too_few_reason(strata, fresh_strata, wanted, needed) : verdict_reason(report);
    return report;
  }

  // What asks the classifier from here on may fail; the rest of the report is made all the same.
  std::optional<Error> error;
  std::exception_ptr cause;
  const auto attempt = [&](const auto& step) {
    if (error) return;
    try {
      step();
    } catch (const Error& met) {
      if (!core::is_interruption(met)) throw;
      error = met;
      cause = std::current_exception();
    }
  };
  HeldOutLatents held_out(problem, options.batch_size);
  report_progress(options.progress, "conditions", 0, 1);
  const TestedConditions tested = find_conditions(ground.discovery, ground.confirmation, ground.reading_vectors,
                                                  problem.property_candidates, problem.seed, chain_options.conditions);
  report_progress(options.progress, "conditions", 1, 1);
  ConditionChain chain;
  attempt([&] { chain = prove_causes(problem, ground, held_out, tested, chain_options); });
  if (error) {
    ChainOptions unproven = chain_options;
    unproven.interventions = false;
    chain = prove_causes(problem, ground, held_out, tested, unproven);
  }
  SortedFindings sorted = sort_findings(problem, ground.whitening, chain);
  const bool any =
      std::any_of(chain.conditions.begin(), chain.conditions.end(), [](const auto& c) { return c.confirmed; });
  if (any) report.explained = detail::share_of(chain.together);
  std::vector<Term> terms;
  for (const ChainedCondition& condition : chain.conditions)
    terms.insert(terms.end(), condition.condition.terms.begin(), condition.condition.terms.end());
  const statistics::DevianceGain ceiling =
      systematic_share(ground.discovery, ground.confirmation, problem.property_candidates, terms);
  report.ceiling = detail::share_of(ceiling);
  report.attributable_together = detail::attributable_of(chain.fractions);
  const statistics::Strata pooled = pooled_strata(strata, fresh_strata);
  report.smallest_detectable =
      smallest_detectable({chain.samples[0], chain.samples[1],
                           static_cast<double>(pooled.total_failures()) / static_cast<double>(pooled.total()),
                           std::max<std::int64_t>(1, chain.candidates)},
                          chain_options.conditions, chain_options.effects);

  // What is measured of findings is measured on latents that chose nothing.
  attempt(
      [&] { draw_profile_latents(problem, held_out, sorted.lists(), profile_latents(options.intervention_images)); });
  const FindingContext context{problem, ground.whitening, options, held_out.latents()};
  std::vector<ConditionEdit> planned;
  for (const ChainedCondition& condition : chain.conditions) planned.push_back(condition.edit);
  std::optional<double> placebo;
  if (any && !problem.is_spent(budget_share::all))
    attempt([&] {
      placebo = placebo_effect(problem, ground.whitening, held_out.latents(), planned, options.placebo_directions,
                               placebo_latents(options.intervention_images));
    });
  for (std::vector<Finding>* list : sorted.lists()) {
    attach_carriers(context, std::span(*list));
    attempt([&] {
      if (list == &sorted.causes) measure_profiles(context, *list);
      else measure_profiles(context, *list, side_effect_sigmas);
    });
    attach_responses(problem, *list);
    for (Finding& finding : *list) {
      detail::describe_coordinate(problem, ground.confirmation_whitened, finding);
      if (finding.intervention.effect && !finding.condition.class_label) finding.intervention.placebo = placebo;
    }
  }
  attempt([&] { detail::measure_distances(context, sorted.causes); });
  detail::mark_unfinished(report, problem, options, chain);
  report.findings = std::move(sorted.causes);
  report.associated = std::move(sorted.associated);
  report.undecided = std::move(sorted.undecided);
  report.not_movable = std::move(sorted.not_movable);
  detail::fill_generators(report, problem, ground, chain_options.conditions);
  std::vector<Finding>* const lists[] = {&report.findings, &report.associated, &report.undecided, &report.not_movable,
                                         &report.generators};
  name_findings(lists);
  for (std::vector<Finding>* list : lists)
    for (Finding& finding : *list)
      finding.headline = list == &report.generators ? generator_headline(finding) : headline(finding);
  detail::fill_interactions(report, context, chain, attempt);
  if (options.property_distances && !problem.is_spent(budget_share::all))
    attempt([&] {
      report.property_distances =
          measure_property_distances(context, property_directions(problem, ground.whitening, ground.reading_vectors));
    });

  const bool systematic = !report.associated.empty() || !report.undecided.empty() || !report.not_movable.empty() ||
                          !report.class_findings.empty();
  report.verdict = !report.findings.empty() ? Verdict::systematic_causes
                   : systematic             ? Verdict::systematic_without_cause
                                            : Verdict::none_found;
  report.reason = verdict_reason(report);
  if (!error) return report;
  report.cut_short = true;
  report.warnings.insert(report.warnings.begin(),
                         std::string("An error ended the run; what was found before it is here, what would have come "
                                     "after it is missing. ") +
                             error->what());
  try {
    std::rethrow_exception(cause);
  } catch (...) {
    std::throw_with_nested(Interrupted<FailureReport>(*error, std::move(report)));
  }
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
