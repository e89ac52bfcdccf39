// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/report_text.hpp.

#include <faultline/analysis/describe/report_text.hpp>

#include <faultline/core/number_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::string hundredths(double share) {
  const double value = std::abs(share) < 0.0005 ? 0.0 : 100.0 * share;
  return fixed_text(value, std::abs(value) < 0.95 && value != 0.0 ? 1 : 0);
}

FAULTLINE_INLINE std::string percent(double share) { return hundredths(share) + " %"; }

FAULTLINE_INLINE std::string points(double difference) {
  const std::string text = hundredths(difference);
  return text + (text == "1" || text == "-1" ? " percentage point" : " percentage points");
}

FAULTLINE_INLINE std::string counted(std::int64_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

FAULTLINE_INLINE std::string condition_words(const Finding& finding) {
  const std::string& title = finding.title;
  if (!finding.condition.shape) return title;
  const auto sided = [&](int sign) {
    if (title.ends_with(" level")) return (sign > 0 ? "a higher " : "a lower ") + title;
    return (sign > 0 ? "more " : "less ") + title;
  };
  switch (finding.condition.shape.value_or(ConditionShape::one_sided)) {
    case ConditionShape::two_sided: return "much or little " + title;
    case ConditionShape::band: return "values of " + title + " in between";
    case ConditionShape::pair:
      return title + (finding.condition.sign > 0 ? ", both high or both low" : ", one high and the other low");
    case ConditionShape::subspace: return "the ends of " + title;
    case ConditionShape::one_sided: break;
  }
  if (finding.condition.kind == ConditionKind::direction) return title;
  return sided(finding.condition.sign);
}

namespace detail {

[[nodiscard]] inline std::string confirmed_words(const Finding& finding) {
  return "explains " + percent(finding.condition.deviance_share.estimate) + " of the deviance on held-out samples";
}

}  // namespace detail

FAULTLINE_INLINE std::string headline(const Finding& finding) {
  const Intervention& moved = finding.intervention;
  const Attributable& share = finding.attributable;
  const std::string goes = "Failures go with " + condition_words(finding);
  if (finding.condition.is_minor)
    return goes + " a little: it " + detail::confirmed_words(finding) +
           ", less than a fortieth of what all conditions explain, and was not moved.";
  if (finding.condition.movability == Movability::not_separable)
    return goes + ", but this generator does not move it without " +
           finding.condition.moves_along.value_or("other properties") + ": whether it is a cause cannot be told (it " +
           detail::confirmed_words(finding) + ").";
  if (finding.condition.movability != Movability::movable)
    return goes + ", but this generator does not move it: whether it is a cause cannot be told (it " +
           detail::confirmed_words(finding) + ").";
  if (moved.decision == Decision::changes) {
    if (share.fraction && *share.fraction > 0.0)
      return "With " + finding.title + " at its usual level, " + percent(*share.fraction) + " (" +
             hundredths(*share.lower) + " to " + hundredths(*share.upper) +
             ") of the failures would not occur; failures come with " + condition_words(finding) + ".";
    if (share.fraction)
      return "Moving " + finding.title + " changes the failure rate by " + points(moved.effect.value_or(0.0)) +
             ", but setting it to its usual level " +
             (*share.upper < 0.0 ? "would add failures" : "is not shown to prevent any") + " (" +
             hundredths(*share.lower) + " to " + hundredths(*share.upper) + " % of them); failures come with " +
             condition_words(finding) + ".";
    return "Moving " + finding.title + " changes the failure rate by " + points(moved.effect.value_or(0.0)) +
           "; failures come with " + condition_words(finding) + ".";
  }
  if (moved.decision == Decision::does_not)
    return goes + ", but moving it by itself does not add failures: it changes the failure rate by " +
           points(moved.effect.value_or(0.0)) + ", at most by " + hundredths(moved.upper.value_or(0.0)) + ", where " +
           hundredths(moved.min_effect.value_or(0.0)) + " would count.";
  if (!moved.effect) return goes + "; it was not moved: the budget ended before.";
  return goes + "; after " + counted(moved.latents, "latent", "latents") +
         " it is undecided whether moving it changes the failure rate: by " + hundredths(*moved.effect) + " (" +
         hundredths(moved.lower.value_or(-1.0)) + " to " + hundredths(moved.upper.value_or(1.0)) +
         ") percentage points, where " + hundredths(moved.min_effect.value_or(0.0)) + " would count" +
         (moved.needed ? "; about " + std::to_string(*moved.needed) + " latents would decide" : std::string()) + ".";
}

FAULTLINE_INLINE std::string generator_headline(const Finding& finding) {
  return "Images that the judge cannot read either come with " + condition_words(finding) +
         ": what fails there says nothing about the classifier.";
}

FAULTLINE_INLINE std::string interaction_headline(const InteractionFinding& interaction) {
  const auto interval = [](const Share& share) {
    return percent(share.estimate) + " (" + hundredths(share.lower) + " to " + hundredths(share.upper) + ")";
  };
  std::string text = interaction.first + " and " + interaction.second;
  std::string said;
  if (const auto& overlap = interaction.overlap) {
    if (overlap->lower > 0.0)
      said = ": " + interval(*overlap) + " of the failures need both, and either at its usual level takes them away";
    else if (overlap->upper < 0.0)
      said = ": " + interval({-overlap->estimate, -overlap->upper, -overlap->lower}) +
             " of the failures are taken away only by both at their usual levels";
    else said = " act separately, as far as could be seen: failures that need both are " + interval(*overlap);
  }
  if (const auto& beyond = interaction.beyond_additive; beyond && (beyond->lower > 0.0 || beyond->upper < 0.0))
    said += std::string(said.empty() ? ":" : ";") + " moved together they change the failure rate by " +
            interval(*beyond) + " more than their separate effects add up to";
  if (interaction.deviance_share)
    said += std::string(said.empty() ? ":" : ";") + " together they explain " +
            percent(interaction.deviance_share->estimate) + " of the deviance beyond each by itself";
  if (const auto& joint = interaction.joint; joint && joint->first && joint->second)
    said += std::string(said.empty() ? ":" : ";") + " moved together, " + fixed_text(*joint->first, 1) +
            " standard deviations of " + interaction.first + " and " + fixed_text(*joint->second, 1) + " of " +
            interaction.second + " are enough (medians of the " + std::to_string(joint->need_both) + " of " +
            std::to_string(joint->latents) + " latents that fail, on a valid image, only with both)";
  return text + said + ".";
}

FAULTLINE_INLINE std::string verdict_reason(const FailureReport& report) {
  const auto number = [](const std::vector<Finding>& list) { return static_cast<std::int64_t>(list.size()); };
  std::string classes;
  for (const ClassFinding& finding : report.class_findings) classes += " " + finding.headline;
  if (report.verdict == Verdict::systematic_causes) {
    const Attributable& all = report.attributable_together;
    std::string text =
        counted(number(report.findings), "cause was", "causes were") +
        " found: confirmed on held-out samples, and changing the failure rate when moved with the others "
        "held.";
    if (all.fraction && *all.fraction > 0.0)
      text += " With " + std::string(report.findings.size() == 1 ? "it" : "all of them") + " at the usual level " +
              percent(*all.fraction) + " (" + hundredths(*all.lower) + " to " + hundredths(*all.upper) +
              ") of the failures would not occur.";
    return text + classes;
  }
  if (report.verdict == Verdict::systematic_without_cause) {
    std::string text;
    const auto say = [&](const std::vector<Finding>& list, const char* why) {
      for (const Finding& finding : list) text += (text.empty() ? "" : ", ") + finding.title + " (" + why + ")";
    };
    for (const Finding& finding : report.undecided)
      text += (text.empty() ? "" : ", ") + finding.title + (finding.condition.is_minor ? " (minor)" : " (undecided)");
    say(report.not_movable, "not movable by itself");
    say(report.associated, "moving it adds no failures");
    if (text.empty())
      return "Whole classes fail; within classes nothing that failures go with was confirmed." + classes;
    return "Failures go with " + text + "; none of these is known to be a cause." + classes;
  }
  const std::int64_t properties = static_cast<std::int64_t>(report.property_names.size());
  std::string text = "Nothing that failures go with was confirmed among means and spreads of w and " +
                     counted(properties, "property", "properties") + ", their pairs and each class by itself.";
  if (report.smallest_detectable)
    text += " A property that changes the failure rate by " + points(report.smallest_detectable->effect) +
            " or more when it is moved by two standard deviations either way would have been reported as a cause with "
            "probability " +
            fixed_text(report.smallest_detectable->power, 1) + ".";
  return text + classes;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
