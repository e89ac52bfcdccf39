// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Each of the compared classifiers by itself: how often it fails, and why, as an analysis finds it.

#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/compare/detail/questions.hpp>
#include <faultline/analysis/confirm/condition_chain.hpp>
#include <faultline/analysis/confirm/cause_settings.hpp>
#include <faultline/analysis/confirm/detectable.hpp>
#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/describe/make_finding.hpp>
#include <faultline/analysis/describe/property_profiles.hpp>
#include <faultline/analysis/describe/report_text.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The causes of one classifier, for others to be asked about them.
struct OwnCauses {
  std::vector<Finding> findings;      ///< in the order of its report
  std::vector<std::size_t> position;  ///< of each among the settings
  std::optional<CauseSettings> settings;
};

/// Conditions, edits and positions of the causes of a chain, as settings take them.
[[nodiscard]] inline CauseSettings settings_of(const ConditionGround& ground, const ConditionChain& chain) {
  Conditions found;
  std::vector<ConditionEdit> planned;
  std::vector<std::size_t> causes;
  for (const ChainedCondition& condition : chain.conditions) {
    if (condition.cause) causes.push_back(planned.size());
    found.conditions.push_back(condition.condition);
    planned.push_back(condition.edit);
  }
  return CauseSettings(ground.whitening, ground.discovery, found, planned, causes);
}

/// Failure rates and causes of one classifier; `ground` is given its outcomes.
[[nodiscard]] inline ComparedClassifier describe_classifier(const ComparisonProblem& comparison, SharedSamples& samples,
                                                            std::size_t who, ConditionGround* ground,
                                                            const MethodOptions& options, OwnCauses& own) {
  const Problem problem = single_problem(comparison, samples, who);
  FailureReport report;
  report.property_names = problem.property_names;
  fill_rates(report, problem);
  ComparedClassifier result;
  result.name = comparison.names[who];
  result.failure_rate = report.failure_rate;
  result.class_rates = report.class_rates;
  result.blame = report.blame;
  std::vector<std::string> class_notes;
  for (const ClassFinding& finding : report.class_findings) class_notes.push_back(finding.headline);
  const statistics::Strata strata = valid_outcomes(problem.discovery, problem.classes);
  const statistics::Strata fresh_strata = valid_outcomes(problem.confirmation, problem.classes);
  const double wanted = options.least_effective_failures;
  if (ground == nullptr || !enough_failures(strata, fresh_strata, wanted)) {
    result.verdict = report.verdict =
        class_notes.empty() ? Verdict::too_few_failures : Verdict::systematic_without_cause;
    if (!class_notes.empty()) result.reason = verdict_reason(report);
    else if (ground == nullptr) result.reason = "The samples do not vary enough to look for conditions.";
    else result.reason = too_few_reason(strata, fresh_strata, wanted, samples_needed(strata, fresh_strata, wanted));
    return result;
  }
  set_outcomes(*ground, problem);
  HeldOutLatents held_out(problem, options.batch_size);
  const ChainOptions chaining = chain_options(options);
  const ConditionChain chain = find_causes(problem, *ground, held_out, chaining);
  SortedFindings sorted = sort_findings(problem, ground->whitening, chain);
  draw_profile_latents(problem, held_out, sorted.lists(), profile_latents(options.intervention_images));
  const FindingContext context{problem, ground->whitening, options, held_out.latents()};
  const auto lists = sorted.lists();
  for (std::vector<Finding>* list : lists) measure_profiles(context, *list, side_effect_sigmas);
  name_findings(lists);
  for (std::vector<Finding>* list : lists)
    for (Finding& finding : *list) finding.headline = headline(finding);

  // positions in the order of `sort_findings`
  std::vector<double> lower;
  for (const ChainedCondition& condition : chain.conditions)
    if (condition.cause) lower.push_back(condition.fraction ? condition.fraction->interval.lower : -2.0);
  for (std::size_t k = 0; k < lower.size(); ++k) own.position.push_back(k);
  std::stable_sort(own.position.begin(), own.position.end(),
                   [&](std::size_t a, std::size_t b) { return lower[a] > lower[b]; });
  if (!lower.empty()) own.settings.emplace(settings_of(*ground, chain));
  own.findings = sorted.causes;
  for (const Finding& finding : own.findings)
    result.findings.push_back({finding.title, finding.headline, finding.attributable});

  if (chain.fractions.together)
    report.attributable_together = {chain.fractions.together->value, chain.fractions.together->interval.lower,
                                    chain.fractions.together->interval.upper, chain.fractions.latents,
                                    chain.fractions.failures};
  report.findings = std::move(sorted.causes);
  report.associated = std::move(sorted.associated);
  report.undecided = std::move(sorted.undecided);
  report.not_movable = std::move(sorted.not_movable);
  const bool systematic = !report.associated.empty() || !report.undecided.empty() || !report.not_movable.empty() ||
                          !report.class_findings.empty();
  report.verdict = !report.findings.empty() ? Verdict::systematic_causes
                   : systematic             ? Verdict::systematic_without_cause
                                            : Verdict::none_found;
  if (report.verdict == Verdict::none_found) {
    const statistics::Strata pooled = pooled_strata(strata, fresh_strata);
    report.smallest_detectable =
        smallest_detectable({chain.samples[0], chain.samples[1],
                             static_cast<double>(pooled.total_failures()) / static_cast<double>(pooled.total()),
                             std::max<std::int64_t>(1, chain.candidates)},
                            chaining.conditions, chaining.effects);
  }
  result.verdict = report.verdict;
  result.reason = verdict_reason(report);
  return result;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
