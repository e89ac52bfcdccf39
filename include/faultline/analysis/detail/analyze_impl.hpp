// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/analyze.hpp.

#include <faultline/analysis/analyze.hpp>

#include <faultline/analysis/confirm/confirm.hpp>
#include <faultline/analysis/confirm/intervention.hpp>
#include <faultline/analysis/confirm/intervention_directions.hpp>
#include <faultline/analysis/confirm/omnibus.hpp>
#include <faultline/analysis/confirm/power.hpp>
#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/describe/carriers.hpp>
#include <faultline/analysis/describe/coordinate_histogram.hpp>
#include <faultline/analysis/describe/make_finding.hpp>
#include <faultline/analysis/describe/property_profiles.hpp>
#include <faultline/analysis/describe/report_text.hpp>
#include <faultline/analysis/distance/property_distances.hpp>
#include <faultline/analysis/distance/threshold.hpp>
#include <faultline/analysis/distance/validity.hpp>
#include <faultline/analysis/problem/check_options.hpp>
#include <faultline/analysis/problem/check_population.hpp>
#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/analysis/rank/class_split.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/class_notes.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE FailureReport analyze(const Problem& problem, const MethodOptions& options) {
  check_options(options);
  check_population(problem, problem.discovery, "discovery");
  check_population(problem, problem.confirmation, "confirmation");
  const Population& discovery = problem.discovery;
  const Population& confirmation = problem.confirmation;
  const statistics::Strata strata = statistics::count_outcomes(discovery.label, discovery.failed, problem.classes);
  const statistics::Strata fresh_strata =
      statistics::count_outcomes(confirmation.label, confirmation.failed, problem.classes);
  const statistics::Strata pooled = pooled_strata(strata, fresh_strata);

  FailureReport report;
  report.layers = problem.layout.layers();
  report.classes = problem.classes;
  report.property_names = problem.property_names;
  fill_rates(report, pooled);
  report.effective_failures_discovery = strata.effective_failures;
  report.effective_failures_confirmation = fresh_strata.effective_failures;
  if (pooled.total_failures() > 0 && pooled.total_failures() < pooled.total()) {
    report.paper_top = paper_table(problem, discovery, 10, options.gradient_samples);
    split_channels(problem, report.paper_top);
    report.class_rankings = rank_per_class(problem, discovery);
  }

  sampling::ClassNotes answers;
  if (problem.classes > 1) {
    answers.add(discovery.label, discovery.prediction);
    answers.add(confirmation.label, confirmation.prediction);
  }
  report.warnings = answers.sentences();

  const double wanted = options.minimum_effective_failures;
  if (std::min(strata.effective_failures, fresh_strata.effective_failures) < wanted) {
    const auto needed = samples_needed(strata, fresh_strata, wanted);
    report.verdict = Verdict::too_few_failures;
    report.samples_needed = report.warnings.empty() ? needed.samples : 0;
    report.reason = too_few_reason(strata, fresh_strata, wanted, needed, report.warnings);
    return report;
  }

  report_progress(options.progress, "candidates", 0, 1);
  const statistics::Whitening whitening = statistics::fit_whitening(discovery.w, discovery.label, problem.classes);
  const Matrix<double> whitened = statistics::whiten(whitening, discovery.w, discovery.label);
  const Matrix<double> fresh_whitened = statistics::whiten(whitening, confirmation.w, confirmation.label);
  Candidates candidates = find_candidates(problem, whitening, whitened, strata, options);
  report.property_r2 = candidates.property_r2;
  for (std::string& warning : candidates.warnings) report.warnings.push_back(std::move(warning));
  report_progress(options.progress, "candidates", 1, 1);

  report_progress(options.progress, "confirmation", 0, 1);
  const Confirmation confirmed_effects = confirm(problem, fresh_whitened, fresh_strata, candidates.frozen, options);
  report.omnibus = test_omnibus(problem, whitened, strata, fresh_whitened, fresh_strata, options.alpha);
  report.smallest_detectable = smallest_detectable(strata, fresh_strata, candidates.detection_bar,
                                                   static_cast<std::int64_t>(candidates.frozen.size()), options.alpha);
  report_progress(options.progress, "confirmation", 1, 1);

  std::vector<std::size_t> confirmed;
  for (std::size_t k = 0; k < candidates.frozen.size(); ++k) {
    if (confirmed_effects.effects[k].p_adjusted <= options.alpha) confirmed.push_back(k);
  }
  HeldOutLatents fresh(problem, options.batch_size);
  if (!confirmed.empty()) {
    const auto effects = intervene(problem, whitening, whitened, strata, candidates.frozen, confirmed, fresh, options);
    for (std::size_t i = 0; i < confirmed.size(); ++i) {
      const std::size_t k = confirmed[i];
      Finding finding =
          make_finding(candidates.frozen[k], confirmed_effects.effects[k], confirmed_effects.explained[k], effects[i]);
      const auto values = coordinate(fresh_whitened, finding.direction.whitened);
      finding.histogram = coordinate_histogram(values, confirmation, finding.direction.class_label);
      finding.class_split = split_by_class(values, confirmation.label, confirmation.failed, fresh_strata, problem.seed);
      (is_cause(effects[i], options.min_effect) ? report.findings : report.associated).push_back(std::move(finding));
    }
    if (whitening.rank() <= static_cast<std::int64_t>(span_of(candidates.frozen).size())) {
      report.warnings.push_back(
          "The candidates span all directions in which w varies, so there was no room for a placebo orthogonal to "
          "them; interventions are compared with min_effect alone.");
    }
  }
  sort_by_strength(report.findings);
  sort_by_strength(report.associated);

  // Distances start from codes that do not fail; a very failing classifier needs a larger pool for enough of them.
  if (!report.findings.empty())
    (void)fresh.passing(options.threshold_codes, std::nullopt,
                        16 * std::max(options.threshold_codes, options.intervention_codes));
  if (report.findings.empty() && problem.has_judge)
    (void)fresh.first(options.intervention_codes, std::nullopt, options.intervention_codes);
  const FindingContext context{problem, whitening, options, fresh.codes()};
  attach_carriers(context, std::span(report.findings));
  attach_carriers(context, std::span(report.associated));
  measure_profiles(context, report.findings);
  measure_profiles(context, report.associated, naming_sigmas);
  measure_thresholds(context, report.findings);
  if (options.property_distances)
    report.property_distances = measure_property_distances(context, candidates.properties);
  report.class_leak = measure_class_leak(context);

  std::vector<std::vector<double>> directions;
  for (const Finding& finding : report.findings) directions.push_back(finding.direction.whitened);
  report.explained_share = explained_together(
      statistics::stratified_difference(fresh_whitened, confirmation.label, confirmation.failed, fresh_strata),
      directions, fresh_strata.effective_failures);

  for (Finding& finding : report.findings) finding.headline = headline(finding);
  for (Finding& finding : report.associated) finding.headline = associated_headline(finding, options.min_effect);
  const auto sound = std::stable_partition(report.findings.begin(), report.findings.end(),
                                           [](const Finding& finding) { return !finding.validity.generator_suspect; });
  report.generator_suspect.assign(std::make_move_iterator(sound), std::make_move_iterator(report.findings.end()));
  report.findings.erase(sound, report.findings.end());

  report.verdict = report.findings.empty() ? Verdict::none_found : Verdict::systematic_causes;
  report.reason = verdict_reason(report, options.min_effect);
  return report;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
