// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The plain middle: two classified populations in, a report out (method sections 4 to 6, 8 and 9). No templates, no
// generator, no classifier.

#include <faultline/analysis/carriers.hpp>
#include <faultline/analysis/class_split.hpp>
#include <faultline/analysis/confirm.hpp>
#include <faultline/analysis/detail/check_options.hpp>
#include <faultline/analysis/detail/coordinate_histogram.hpp>
#include <faultline/analysis/detail/power.hpp>
#include <faultline/analysis/detail/rates.hpp>
#include <faultline/analysis/detail/report_text.hpp>
#include <faultline/analysis/intervene.hpp>
#include <faultline/analysis/omnibus.hpp>
#include <faultline/analysis/name.hpp>
#include <faultline/analysis/rank.hpp>
#include <faultline/analysis/threshold.hpp>
#include <faultline/analysis/validity.hpp>
#include <faultline/core/detail/resources.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/sampling/class_notes.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace detail {

inline void check_population(const Problem& problem, const Population& half, const char* name) {
  const auto n = half.index.size();
  if (n == 0) throw Error(ErrorCode::empty_input, "analyze", std::string("the ") + name + " half has no samples");
  if (half.label.size() != n || half.failed.size() != n || half.w.rows() != half.size() ||
      half.w.cols() != problem.style_matrix.cols() ||
      half.properties.cols() != static_cast<std::int64_t>(problem.property_names.size()) ||
      (half.properties.rows() != half.size() && half.properties.cols() > 0)) {
    throw Error(ErrorCode::shape_mismatch, "analyze",
                std::string("the arrays of the ") + name + " half do not fit together or not the style matrix");
  }
  if (!problem.property_candidates.empty() && problem.property_candidates.size() != problem.property_names.size())
    throw Error(ErrorCode::shape_mismatch, "analyze",
                "property_candidates must be empty or have one entry per property");
}

/// Moves the measured parts of a candidate into the form of the report.
[[nodiscard]] inline Finding make_finding(const FrozenCandidate& candidate, const ConfirmationEffect& confirmation,
                                          double explained, const InterventionEffect& intervention) {
  Finding finding;
  finding.direction = candidate.direction;
  finding.direction.explained = explained;
  finding.discovery = {candidate.discovery_effect, candidate.discovery_auc};
  finding.confirmation = confirmation;
  finding.intervention = intervention;
  return finding;
}

inline void sort_by_strength(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.intervention.lower > b.intervention.lower; });
}

/// Distances along every property, towards more and towards less, cause or not: what a classifier stands is worth
/// knowing where it does not break, and is how classifiers compare.
[[nodiscard]] inline std::vector<PropertyDistance> measure_property_distances(const FindingContext& context,
                                                                              std::span<const Direction> properties) {
  std::vector<Finding> along;  // without carriers, whose distances would cost as much again
  for (const Direction& property : properties) {
    along.emplace_back().direction = property;
    Direction& less = along.emplace_back().direction = property;
    for (auto* values : {&less.whitened, &less.w})
      for (double& value : *values) value = -value;
  }
  measure_thresholds(context, along, ThresholdScope::flip_only);
  std::vector<PropertyDistance> distances;
  for (std::size_t k = 0; k < along.size(); ++k)
    distances.push_back(
        {along[k].direction.name, k % 2 == 0 ? 1 : -1, std::move(along[k].threshold.flip), along[k].validity});
  return distances;
}

}  // namespace detail

/// Carries out the method on a problem: rates, candidates, confirmation, intervention, distances, names, verdict.
///
/// **Shapes**: `problem.discovery` and `problem.confirmation` hold classified samples with labels in 0 .. classes − 1;
/// `evaluate` is called with edited codes.
/// **Error rates**: a run on a classifier whose failures depend on nothing in w reports a cause with probability at
/// most `alpha` (Holm over all frozen candidates; the screening before and the intervention after it only lower that).
/// Rates carry exact 95 % intervals. The paper's table and `discovery` effects carry no claim.
/// **Throws** `invalid_argument` for options out of range, `empty_input`, `shape_mismatch`, `label_out_of_range`; what
/// the callbacks throw. Too few failures are a verdict, not an error.
/// **Randomness**: (problem.seed, streams permutations and codes); the same problem and options give the same report,
/// whatever the number of threads.
/// **Cost**: beyond the populations, images for intervention (see `intervene`), distances and profiles of the findings;
/// distances along properties alone when nothing is confirmed. Provenance and cost counters are the caller's, who knows
/// the models.
/// Example: `FailureReport report = analyze(problem, {});`
[[nodiscard]] inline FailureReport analyze(const Problem& problem, const MethodOptions& options) {
  detail::check_options(options);
  detail::check_population(problem, problem.discovery, "discovery");
  detail::check_population(problem, problem.confirmation, "confirmation");
  const Population& discovery = problem.discovery;
  const Population& confirmation = problem.confirmation;
  const Strata strata = count_outcomes(discovery.label, discovery.failed, problem.classes);
  const Strata fresh_strata = count_outcomes(confirmation.label, confirmation.failed, problem.classes);
  const Strata pooled = detail::pooled_strata(strata, fresh_strata);

  FailureReport report;
  report.layers = problem.layout.layers();
  report.classes = problem.classes;
  report.property_names = problem.property_names;
  detail::fill_rates(report, pooled);
  report.effective_failures_discovery = strata.effective_failures;
  report.effective_failures_confirmation = fresh_strata.effective_failures;
  if (pooled.total_failures() > 0 && pooled.total_failures() < pooled.total()) {
    report.paper_top = paper_table(problem, discovery, 10, options.gradient_samples);
    split_channels(problem, report.paper_top);
    report.class_rankings = rank_per_class(problem, discovery);
  }

  ClassNotes answers;
  if (problem.classes > 1) {
    answers.add(discovery.label, discovery.prediction);
    answers.add(confirmation.label, confirmation.prediction);
  }
  report.warnings = answers.sentences();

  const double wanted = options.minimum_effective_failures;
  if (std::min(strata.effective_failures, fresh_strata.effective_failures) < wanted) {
    const auto needed = detail::samples_needed(strata, fresh_strata, wanted);
    report.verdict = Verdict::too_few_failures;
    report.samples_needed = report.warnings.empty() ? needed.samples : 0;
    report.reason = detail::too_few_reason(strata, fresh_strata, wanted, needed, report.warnings);
    return report;
  }

  report_progress(options.progress, "candidates", 0, 1);
  const Whitening whitening = fit_whitening(discovery.w, discovery.label, problem.classes);
  const Matrix<double> whitened = whiten(whitening, discovery.w, discovery.label);
  const Matrix<double> fresh_whitened = whiten(whitening, confirmation.w, confirmation.label);
  Candidates candidates = find_candidates(problem, whitening, whitened, strata, options);
  report.property_r2 = candidates.property_r2;
  for (std::string& warning : candidates.warnings) report.warnings.push_back(std::move(warning));
  report_progress(options.progress, "candidates", 1, 1);

  report_progress(options.progress, "confirmation", 0, 1);
  const Confirmation confirmed_effects = confirm(problem, fresh_whitened, fresh_strata, candidates.frozen, options);
  report.omnibus = test_omnibus(problem, whitened, strata, fresh_whitened, fresh_strata, options.alpha);
  report.smallest_detectable =
      detail::smallest_detectable(strata, fresh_strata, candidates.detection_bar,
                                  static_cast<std::int64_t>(candidates.frozen.size()), options.alpha);
  report_progress(options.progress, "confirmation", 1, 1);

  std::vector<std::size_t> confirmed;
  for (std::size_t k = 0; k < candidates.frozen.size(); ++k) {
    if (confirmed_effects.effects[k].p_adjusted <= options.alpha) confirmed.push_back(k);
  }
  FreshCodes fresh(problem, options.batch_size);
  if (!confirmed.empty()) {
    const auto effects = intervene(problem, whitening, whitened, strata, candidates.frozen, confirmed, fresh, options);
    for (std::size_t i = 0; i < confirmed.size(); ++i) {
      const std::size_t k = confirmed[i];
      Finding finding = detail::make_finding(candidates.frozen[k], confirmed_effects.effects[k],
                                             confirmed_effects.explained[k], effects[i]);
      const auto values = coordinate(fresh_whitened, finding.direction.whitened);
      finding.histogram = detail::coordinate_histogram(values, confirmation, finding.direction.class_label);
      finding.class_split = split_by_class(values, confirmation.label, confirmation.failed, fresh_strata, problem.seed);
      (is_cause(effects[i], options.min_effect) ? report.findings : report.associated).push_back(std::move(finding));
    }
    if (whitening.rank() <= static_cast<std::int64_t>(detail::span_of(candidates.frozen).size())) {
      report.warnings.push_back(
          "The candidates span all directions in which w varies, so there was no room for a placebo orthogonal to "
          "them; interventions are compared with min_effect alone.");
    }
  }
  detail::sort_by_strength(report.findings);
  detail::sort_by_strength(report.associated);

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
    report.property_distances = detail::measure_property_distances(context, candidates.properties);
  report.class_leak = measure_class_leak(context);

  std::vector<std::vector<double>> directions;
  for (const Finding& finding : report.findings) directions.push_back(finding.direction.whitened);
  report.explained_share = detail::explained_together(
      stratified_difference(fresh_whitened, confirmation.label, confirmation.failed, fresh_strata), directions,
      fresh_strata.effective_failures);

  for (Finding& finding : report.findings) finding.headline = detail::headline(finding);
  for (Finding& finding : report.associated)
    finding.headline = detail::associated_headline(finding, options.min_effect);
  const auto sound = std::stable_partition(report.findings.begin(), report.findings.end(),
                                           [](const Finding& finding) { return !finding.validity.generator_suspect; });
  report.generator_suspect.assign(std::make_move_iterator(sound), std::make_move_iterator(report.findings.end()));
  report.findings.erase(sound, report.findings.end());

  report.verdict = report.findings.empty() ? Verdict::none_found : Verdict::systematic_causes;
  report.reason = detail::verdict_reason(report, options.min_effect);
  return report;
}

}  // namespace v1
}  // namespace faultline
