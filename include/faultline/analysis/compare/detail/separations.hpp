// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the questions of a comparison answer: causes of one classifier's failures, and directions that part two
// classifiers.

#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/compare/detail/direction_tests.hpp>
#include <faultline/analysis/confirm/intervention.hpp>
#include <faultline/analysis/confirm/intervention_directions.hpp>
#include <faultline/analysis/describe/make_finding.hpp>
#include <faultline/analysis/describe/property_profiles.hpp>
#include <faultline/analysis/describe/report_text.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/multiplicity.hpp>

#include <algorithm>
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

/// What a reader should call a direction: "less ink area", "more blur (component 3), class 4 only".
[[nodiscard]] inline std::string direction_title(const ComparisonProblem& comparison, const Finding& finding) {
  const Direction& direction = finding.direction;
  std::string title = direction.name;
  PropertyEffect leading = finding.property;
  if (direction.family == DirectionFamily::property) {
    const auto own = std::find_if(finding.side_effects.begin(), finding.side_effects.end(),
                                  [&](const PropertyEffect& effect) { return effect.name == title; });
    leading = own != finding.side_effects.end() ? *own : PropertyEffect{};
  } else if (!leading.name.empty()) {
    title = leading.name + " (" + title + ")";
  }
  if (std::abs(leading.strength) >= naming_strength && title.rfind("mixed", 0) != 0)
    title = (leading.strength < 0.0 ? "less " : "more ") + title;
  if (!direction.class_label) return title;
  const auto label = static_cast<std::size_t>(*direction.class_label);
  return title + ", class " +
         (label < comparison.class_names.size() ? comparison.class_names[label] : std::to_string(label)) + " only";
}

/// "high blur", "low contrast": what the direction leads to.
[[nodiscard]] inline std::string towards(const std::vector<PropertyEffect>& side_effects, const std::string& title) {
  return side_effects.empty() || std::abs(side_effects.front().strength) < naming_strength
             ? title
             : (side_effects.front().strength < 0.0 ? "low " : "high ") + side_effects.front().name;
}

/// Findings of confirmed candidates, with interventions and names, sorted by strength; `causes` says of each whether it
/// is one.
[[nodiscard]] inline std::vector<Finding> challenge(const detail::DirectionTest& contest,
                                                    const statistics::Whitening& whitening, HeldOutLatents& fresh,
                                                    const MethodOptions& options) {
  const std::vector<std::size_t> confirmed = detail::confirmed_candidates(contest, options.alpha);
  std::vector<Finding> findings;
  if (confirmed.empty()) return findings;
  const auto effects = intervene(contest.problem, whitening, contest.whitened, contest.strata,
                                 contest.candidates.frozen, confirmed, fresh, options);
  for (std::size_t i = 0; i < confirmed.size(); ++i)
    findings.push_back(make_finding(contest.candidates.frozen[confirmed[i]], contest.confirmation.effects[confirmed[i]],
                                    contest.confirmation.explained[confirmed[i]], effects[i]));
  sort_by_strength(findings);
  measure_profiles({contest.problem, whitening, options, fresh.codes()}, findings);
  return findings;
}

/// Name and failure rates of one classifier.
[[nodiscard]] inline ComparedClassifier describe_rates(const ComparisonProblem& comparison, std::size_t who) {
  const auto strata_of = [&](const Population& half) {
    return statistics::count_outcomes(half.label, half.failed, comparison.common.classes);
  };
  FailureReport rates;
  fill_rates(rates, pooled_strata(strata_of(comparison.discovery[who]), strata_of(comparison.confirmation[who])));
  ComparedClassifier result;
  result.name = comparison.names[who];
  result.failure_rate = rates.failure_rate;
  result.class_rates = std::move(rates.class_rates);
  return result;
}

/// Failure rates and reasons of one classifier, with its causes for distances to be measured along.
[[nodiscard]] inline ComparedClassifier describe_classifier(const ComparisonProblem& comparison,
                                                            const detail::DirectionTest& contest, std::size_t who,
                                                            const statistics::Whitening& whitening,
                                                            const MethodOptions& options,
                                                            std::vector<Finding>& causes) {
  ComparedClassifier result = describe_rates(comparison, who);
  if (!contest.enough) {
    result.verdict = Verdict::too_few_failures;
    result.reason =
        too_few_reason(contest.strata, contest.fresh_strata, options.minimum_effective_failures,
                       samples_needed(contest.strata, contest.fresh_strata, options.minimum_effective_failures));
    return result;
  }
  HeldOutLatents fresh(contest.problem, options.batch_size);
  for (Finding& finding : challenge(contest, whitening, fresh, options)) {
    if (!is_cause(finding.intervention, options.min_effect)) continue;
    result.findings.push_back(direction_title(comparison, finding));
    causes.push_back(std::move(finding));
  }
  result.verdict = causes.empty() ? Verdict::none_found : Verdict::systematic_causes;
  result.reason =
      causes.empty()
          ? "No direction was both confirmed on fresh samples and found to change the failure rate when moved."
          : counted(static_cast<std::int64_t>(causes.size()), "direction was", "directions were") +
                " confirmed on fresh samples and found to change the failure rate when moved; the strongest: " +
                towards(causes.front().side_effects, result.findings.front()) + ".";
  return result;
}

/// Does moving along the direction hurt one classifier more than the other? Both are asked about the same moved images.
///
/// **Formula**: on each code g = [change of wrong's outcome] − [change of right's], both between −2 and +2 standard
/// deviations. If the two are exchangeable g is symmetric about 0, so the signs of what is not 0 are fair coins: an
/// exact one-sided sign test, the swap of outcomes within pairs of method section 16. **Cost**: 2 images per code.
inline void measure_separation(const ComparisonProblem& comparison, std::size_t right, std::size_t wrong,
                               HeldOutLatents& fresh, const MethodOptions& options, SeparatingDirection& direction) {
  const auto& label = direction.direction.class_label;
  const auto positions =
      fresh.first(options.intervention_codes, label,
                  options.intervention_codes * std::max<std::int64_t>(16, label ? 2 * comparison.common.classes : 0));
  const Population& codes = fresh.codes();
  const Edit edit = Edit::in_w(direction.direction.w);
  std::vector<EditedLatent> edits;
  for (const std::int64_t i : positions) {
    const StartLatent start{codes.w.row_span(i), codes.label[static_cast<std::size_t>(i)]};
    edits.push_back({start, edit.at(+intervention_sigmas)});
    edits.push_back({start, edit.at(-intervention_sigmas)});
  }
  const EditAnswers answers = comparison.common.answer_edits(edits, {.classifiers = {right, wrong}});
  // Fails on the upper side less fails on the lower side, on start latent i
  const auto change = [&](std::size_t classifier, std::size_t i) {
    const auto& failed = answers.classifiers[classifier].failed;
    return static_cast<int>(failed[2 * i]) - static_cast<int>(failed[2 * i + 1]);
  };
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const int one = change(0, i), other = change(1, i);
    direction.right_contrast += static_cast<double>(one) / static_cast<double>(positions.size());
    direction.wrong_contrast += static_cast<double>(other) / static_cast<double>(positions.size());
    direction.codes_for += other > one ? 1 : 0;
    direction.codes_against += other < one ? 1 : 0;
  }
  direction.separation_p =
      statistics::binomial_upper_tail(direction.codes_for, direction.codes_for + direction.codes_against, 0.5);
}

/// What was confirmed and challenged about "right is right, wrong is wrong", all of it in `associated`;
/// `conclude_orders` decides.
[[nodiscard]] inline OrderedComparison challenge_order(const ComparisonProblem& comparison,
                                                       const detail::DirectionTest& contest, std::size_t right,
                                                       std::size_t wrong, const statistics::Whitening& whitening,
                                                       const MethodOptions& options) {
  OrderedComparison result;
  result.right = static_cast<std::int64_t>(right);
  result.wrong = static_cast<std::int64_t>(wrong);
  result.effective_failures_discovery = contest.strata.effective_failures;
  result.effective_failures_confirmation = contest.fresh_strata.effective_failures;
  if (!contest.enough) {
    const std::string where = comparison.names[right] + " is right and " + comparison.names[wrong] + " is wrong";
    const std::int64_t discordant = contest.strata.total_failures() + contest.fresh_strata.total_failures();
    result.verdict = Verdict::too_few_failures;
    if (discordant == 0) {
      result.reason = "There is no sample on which " + where + ".";
      return result;
    }
    // The halves hold only what `right` gets right; a run is planned by all its samples.
    const SamplesNeeded needed =
        samples_needed(contest.strata, contest.fresh_strata, options.minimum_effective_failures);
    const double share =
        static_cast<double>(contest.strata.total()) / static_cast<double>(comparison.discovery.front().size());
    result.samples_needed = round_up(static_cast<double>(needed.samples) / std::max(share, 1e-9));
    result.reason = "On only " + std::to_string(discordant) + " samples of both halves " + where +
                    ": too few for directions. " + (needed.exact ? "About " : "At least ") +
                    std::to_string(result.samples_needed) + " samples per half " +
                    (needed.exact ? "would be enough." : "would be needed.");
    return result;
  }
  HeldOutLatents fresh(contest.problem, options.batch_size);
  for (Finding& finding : challenge(contest, whitening, fresh, options)) {
    SeparatingDirection& direction = result.associated.emplace_back();
    direction.title = direction_title(comparison, finding);
    direction.direction = std::move(finding.direction);
    direction.discovery = finding.discovery;
    direction.confirmation = finding.confirmation;
    direction.intervention = finding.intervention;
    direction.side_effects = std::move(finding.side_effects);
    measure_separation(comparison, right, wrong, fresh, options, direction);
  }
  return result;
}

/// Decides over all pairs and orders together which of the confirmed directions part the classifiers; the rest stay
/// associated. Then every order gets its verdict.
inline void conclude_orders(const ComparisonProblem& comparison, std::span<PairComparison> pairs,
                            const MethodOptions& options) {
  std::vector<SeparatingDirection*> all;
  std::vector<double> p;
  for (PairComparison& pair : pairs)
    for (OrderedComparison& order : pair.orders)
      for (SeparatingDirection& direction : order.associated) {
        all.push_back(&direction);
        p.push_back(direction.separation_p);
      }
  const std::vector<double> adjusted = statistics::holm(p);
  for (std::size_t k = 0; k < all.size(); ++k) all[k]->separation_p_adjusted = adjusted[k];

  for (PairComparison& pair : pairs) {
    for (OrderedComparison& order : pair.orders) {
      if (order.verdict == Verdict::too_few_failures) continue;
      std::vector<SeparatingDirection> confirmed;
      confirmed.swap(order.associated);
      for (SeparatingDirection& direction : confirmed) {
        const bool parts =
            is_cause(direction.intervention, options.min_effect) && direction.separation_p_adjusted <= options.alpha;
        (parts ? order.directions : order.associated).push_back(std::move(direction));
      }
      const std::string &right = comparison.names[static_cast<std::size_t>(order.right)],
                        &wrong = comparison.names[static_cast<std::size_t>(order.wrong)];
      const std::string where = right + " is right and " + wrong + " is wrong";
      order.verdict = order.directions.empty() ? Verdict::none_found : Verdict::systematic_causes;
      if (!order.directions.empty()) {
        const SeparatingDirection& first = order.directions.front();
        order.reason =
            counted(static_cast<std::int64_t>(order.directions.size()), "direction leads", "directions lead") +
            " to where " + where + "; the strongest is " + towards(first.side_effects, first.title) +
            ": moving it by two standard deviations either way changes the failure rate of " + wrong + " by " +
            points(first.wrong_contrast) + ", that of " + right + " by " + hundredths(first.right_contrast) + ".";
      } else if (!order.associated.empty()) {
        order.reason = "Some directions go along with samples on which " + where + ", but moving them does not hurt " +
                       wrong + " clearly more than " + right + ".";
      } else {
        order.reason = "Nothing sets the samples on which " + where + " apart from those that both get right.";
      }
    }
  }
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
