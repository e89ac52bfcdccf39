// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// On what one classifier is right and another wrong: the chain of an analysis for every pair and order, with one
// family-wise error for all of them.

#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/compare/detail/own_causes.hpp>
#include <faultline/analysis/compare/detail/questions.hpp>
#include <faultline/analysis/compare/detail/separation_text.hpp>
#include <faultline/analysis/confirm/edit_comparisons.hpp>
#include <faultline/analysis/describe/carriers.hpp>
#include <faultline/analysis/describe/responses.hpp>
#include <faultline/statistics/betting_bounds.hpp>
#include <faultline/statistics/multiplicity.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// One order of one pair with its conditions, tested on the confirmation split.
struct OrderTest {
  std::size_t right = 0, wrong = 0;
  bool enough = false;
  TestedConditions tested;

  [[nodiscard]] std::int64_t confirmed() const {
    return std::count_if(tested.conditions.begin(), tested.conditions.end(), [](const auto& c) { return c.confirmed; });
  }
};

/// Permutations of the first test of every order, so many that its p-value can pass Holm over all orders with ten
/// conditions each; a permutation test is exact with any number.
[[nodiscard]] inline std::int64_t order_permutations(const MethodOptions& options, std::int64_t orders) {
  return std::max(options.permutations,
                  static_cast<std::int64_t>(std::ceil(10.0 * static_cast<double>(orders) / options.alpha)));
}

/// Makes the adjusted p-values hold for all conditions of all orders together, and decides anew what is confirmed.
inline void adjust_together(std::span<OrderTest> orders, const ConditionOptions& options) {
  std::vector<ConditionTest*> tests;
  for (OrderTest& order : orders) {
    for (TestedCondition& condition : order.tested.conditions) tests.push_back(&condition.test);
    for (TestedInteraction& interaction : order.tested.interactions) tests.push_back(&interaction.test);
  }
  std::vector<double> p;
  for (const ConditionTest* test : tests) p.push_back(test->p);
  const std::vector<double> adjusted = statistics::holm(p);
  for (std::size_t k = 0; k < tests.size(); ++k) tests[k]->p_adjusted = adjusted[k];
  const auto holds = [&](const ConditionTest& test) {
    return test.p_adjusted <= options.alpha && test.gain.share >= options.least_share;
  };
  for (OrderTest& order : orders) {
    for (TestedCondition& condition : order.tested.conditions) condition.confirmed = holds(condition.test);
    for (TestedInteraction& interaction : order.tested.interactions) interaction.confirmed = holds(interaction.test);
  }
}

/// How often the one is wrong where the other is right, classes that it fails as classes, and whether that is enough to
/// look further.
inline void describe_order(const Problem& problem, OrderedComparison& order) {
  Problem kept = problem;
  kept.has_judge = false;
  for (Population* split : {&kept.discovery, &kept.confirmation}) {
    Population rows;
    for (std::size_t i = 0; i < split->label.size(); ++i) {
      if (!split->is_valid(i)) continue;
      rows.label.push_back(split->label[i]);
      rows.prediction.push_back(split->prediction[i]);
      rows.failed.push_back(split->failed[i]);
    }
    *split = std::move(rows);
  }
  FailureReport rates;
  fill_rates(rates, kept);
  order.rate = rates.failure_rate;
  order.class_rates = std::move(rates.class_rates);
  order.class_findings = std::move(rates.class_findings);
}

/// Conditions of one order, sought and tested; nothing but counts where there are too few samples of either kind.
[[nodiscard]] inline OrderTest test_order(const ComparisonProblem& comparison, SharedSamples& samples,
                                          ConditionGround* ground, const MethodOptions& options,
                                          const ConditionOptions& conditions, OrderedComparison& result) {
  OrderTest test;
  test.right = static_cast<std::size_t>(result.right);
  test.wrong = static_cast<std::size_t>(result.wrong);
  const Problem problem = ordered_problem(comparison, samples, test.right, test.wrong);
  describe_order(problem, result);
  const statistics::Strata strata = valid_outcomes(problem.discovery, problem.classes);
  const statistics::Strata fresh_strata = valid_outcomes(problem.confirmation, problem.classes);
  result.effective_failures_discovery = strata.effective_failures;
  result.effective_failures_confirmation = fresh_strata.effective_failures;
  const double wanted = options.least_effective_failures;
  test.enough = ground != nullptr && enough_failures(strata, fresh_strata, wanted);
  const std::string &right = comparison.names[test.right], &wrong = comparison.names[test.wrong];
  if (!test.enough) {
    const std::string where = right + " is right and " + wrong + " is wrong";
    result.verdict = result.class_findings.empty() ? Verdict::too_few_failures : Verdict::systematic_without_cause;
    if (!result.class_findings.empty()) {
      result.reason = order_reason(result, right, wrong, problem.property_names);
    } else if (result.rate.failures == 0) {
      result.reason = "There is no sample on which " + where + ".";
    } else {
      // the splits hold only what `right` gets right; a run is planned by all its samples
      const SamplesNeeded needed = samples_needed(strata, fresh_strata, wanted);
      const double share = static_cast<double>(strata.total()) / static_cast<double>(problem.discovery.size());
      result.samples_needed = round_up(static_cast<double>(needed.samples) / std::max(share, 1e-9));
      result.reason = "On only " + counted(result.rate.failures, "sample", "samples") + " of both splits " + where +
                      ": too few to say on what. " + (needed.exact ? "About " : "At least ") +
                      std::to_string(result.samples_needed) + " samples per split " +
                      (needed.exact ? "would be enough." : "would be needed.");
    }
    return test;
  }
  set_outcomes(*ground, problem);
  test.tested = find_conditions(ground->discovery, ground->confirmation, ground->reading_vectors,
                                problem.property_candidates, problem.seed, conditions);
  const statistics::Strata pooled = pooled_strata(strata, fresh_strata);
  ConditionOptions shared = conditions;
  shared.alpha /= static_cast<double>(comparison.size() * (comparison.size() - 1));
  result.smallest_detectable =
      smallest_detectable({strata.total(), fresh_strata.total(),
                           static_cast<double>(pooled.total_failures()) / static_cast<double>(pooled.total()),
                           std::max<std::int64_t>(1, test.tested.candidates)},
                          shared, chain_options(options).effects);
  return test;
}

/// Latents on which both classifiers are moved at least, for bounds that say something, and at most, where those of the
/// intervention are fewer.
inline constexpr std::int64_t least_separation_latents = 512;
inline constexpr std::int64_t separation_latents = 2'048;

/// What moving a condition does to the failure rates of both, on valid images of the same latents.
///
/// **Formula**: on each latent the comparison of the intervention for the failures of either classifier, r and w, and w
/// − r; betting bounds at `alpha` / 6 for each end of the three means, for a subspace divided by its comparisons, of
/// which the one that hurts `wrong` most beside `right` is reported. Latents are doubled until w − r is known to be
/// above or below 0. **Cost**: the images of the intervention once more.
inline void measure_both(const ComparisonProblem& comparison, const statistics::Whitening& whitening,
                         const OrderTest& order, const ChainedCondition& chained, HeldOutLatents& held_out,
                         double alpha, std::int64_t most, SeparatingCondition& condition) {
  const ConditionEdit& planned = chained.edit;
  const std::vector<EditComparison> comparisons = comparisons_of(planned);
  const auto label = chained.condition.class_label;
  using Three = std::array<statistics::ValueCounts, 3>;  // right, wrong, half their difference
  std::vector<Three> values(comparisons.size());
  const double own_alpha = alpha / (6.0 * static_cast<double>(comparisons.size()));
  most = std::max(chained.effect.latents, std::min(most, separation_latents));
  std::int64_t taken = 0;
  for (std::int64_t interim = std::max(chained.effect.latents, std::min(most, least_separation_latents));;
       interim = std::min(most, 2 * interim)) {
    const std::vector<std::int64_t> positions =
        held_out.first(interim, label, interim * std::max<std::int64_t>(4, label ? 4 * comparison.common.classes : 1));
    std::vector<EditedLatent> edits;
    for (auto i = static_cast<std::size_t>(taken); i < positions.size(); ++i) {
      const StartLatent start{held_out.latents().w.row_span(positions[i]),
                              held_out.latents().label[static_cast<std::size_t>(positions[i])]};
      const double now = planned.shape == ConditionShape::band ? first_projection(planned, whitening, start) : 0.0;
      for (const EditComparison& one : comparisons)
        for (const EditComparison::Part& part : one.parts) edits.push_back({start, edit_of(part, planned, now)});
    }
    std::vector<std::array<double, 2>> failed;
    answer_in_blocks(comparison.common, edits,
                     {.judge = comparison.common.has_judge, .classifiers = {order.right, order.wrong}},
                     [&](std::size_t, const EditAnswers& answers) {
                       for (std::size_t i = 0; i < answers.first().failed.size(); ++i) {
                         const bool valid = answers.judge_agrees.empty() || answers.judge_agrees[i] != 0;
                         const auto fails = [&](std::size_t c) {
                           return valid && answers.classifiers[c].failed[i] != 0 ? 1.0 : 0.0;
                         };
                         failed.push_back({fails(0), fails(1)});
                       }
                     });
    for (std::size_t at = 0; at < failed.size();) {
      for (std::size_t c = 0; c < comparisons.size(); ++c) {
        double right = 0.0, wrong = 0.0;
        for (const EditComparison::Part& part : comparisons[c].parts) {
          right += part.weight * failed[at][0];
          wrong += part.weight * failed[at++][1];
        }
        values[c][0].add(std::clamp(right, -1.0, 1.0));
        values[c][1].add(std::clamp(wrong, -1.0, 1.0));
        values[c][2].add(std::clamp(0.5 * (wrong - right), -1.0, 1.0));
      }
    }
    const bool grew = static_cast<std::int64_t>(positions.size()) > taken;
    taken = static_cast<std::int64_t>(positions.size());
    if (taken == 0) return;
    std::size_t best = 0;
    for (std::size_t c = 0; c < values.size(); ++c)
      if (values[c][2].mean() > values[best][2].mean()) best = c;
    const auto share = [&](std::size_t which, double unit) {
      const statistics::ValueCounts& counts = values[best][which];
      return Share{unit * counts.mean(), unit * statistics::betting_lower_bound(counts, own_alpha),
                   unit * statistics::betting_upper_bound(counts, own_alpha)};
    };
    condition.latents = taken;
    condition.right_change = share(0, 1.0);
    condition.wrong_change = share(1, 1.0);
    condition.difference = share(2, 2.0);
    if (condition.difference->lower > 0.0 || condition.difference->upper < 0.0 || interim >= most || !grew) return;
  }
}

/// What moving the confirmed conditions of one order does; `all_confirmed` counts those of all orders.
inline void prove_order(const ComparisonProblem& comparison, SharedSamples& samples, ConditionGround& ground,
                        const MethodOptions& options, OrderTest& test, std::int64_t all_confirmed,
                        OrderedComparison& result) {
  const std::string &right = comparison.names[test.right], &wrong = comparison.names[test.wrong];
  const std::int64_t own = test.confirmed();
  if (own > 0) {
    const Problem problem = ordered_problem(comparison, samples, test.right, test.wrong);
    set_outcomes(ground, problem);
    HeldOutLatents held_out(problem, options.batch_size);
    ChainOptions chaining = chain_options(options);
    // each condition's share of the error of all
    const double alpha = options.alpha / static_cast<double>(all_confirmed);
    chaining.conditions.alpha = alpha * static_cast<double>(own);
    const ConditionChain chain = prove_causes(problem, ground, held_out, std::move(test.tested), chaining);
    SortedFindings sorted;
    std::vector<SeparatingCondition> all;
    for (const ChainedCondition& chained : chain.conditions) {
      if (!chained.confirmed) continue;
      SeparatingCondition& condition = all.emplace_back();
      condition.finding = make_finding(problem, ground.whitening, chained, chain.fractions);
      if (chained.edit.movability == Movability::movable && chained.effect.latents > 0)
        measure_both(comparison, ground.whitening, test, chained, held_out, alpha, options.intervention_latents,
                     condition);
      sorted.causes.push_back(condition.finding);
    }
    draw_profile_latents(problem, held_out, sorted.lists(), profile_latents(options.intervention_images));
    const FindingContext context{problem, ground.whitening, options, held_out.latents()};
    measure_profiles(context, sorted.causes, side_effect_sigmas);
    attach_carriers(context, sorted.causes);
    attach_responses(problem, sorted.causes);
    std::vector<Finding>* const lists[] = {&sorted.causes};
    name_findings(lists);
    for (std::size_t k = 0; k < all.size(); ++k) {
      SeparatingCondition& condition = all[k];
      condition.finding = std::move(sorted.causes[k]);
      const bool parts = condition.finding.intervention.decision == Decision::changes && condition.difference &&
                         condition.difference->lower > 0.0;
      condition.finding.headline = separating_headline(condition, right, wrong, parts);
      (parts ? result.conditions : result.others).push_back(std::move(condition));
    }
    std::stable_sort(result.conditions.begin(), result.conditions.end(), [](const auto& a, const auto& b) {
      return a.finding.attributable.lower.value_or(-2.0) > b.finding.attributable.lower.value_or(-2.0);
    });
  }
  const bool systematic = !result.others.empty() || !result.class_findings.empty();
  result.verdict = !result.conditions.empty() ? Verdict::systematic_causes
                   : systematic               ? Verdict::systematic_without_cause
                                              : Verdict::none_found;
  if (result.verdict != Verdict::none_found) result.smallest_detectable.reset();
  result.reason = order_reason(result, right, wrong, comparison.common.property_names);
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
