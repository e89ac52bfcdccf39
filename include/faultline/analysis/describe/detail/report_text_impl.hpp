// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/report_text.hpp.

#include <faultline/analysis/describe/report_text.hpp>

#include <faultline/core/number_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

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

FAULTLINE_INLINE std::string title(const Finding& finding) {
  return finding.property.name.empty() ? finding.direction.name : finding.property.name;
}

FAULTLINE_INLINE std::string condition(const Finding& finding) {
  const std::string& name = finding.property.name;
  const bool property = finding.direction.family == DirectionFamily::property;
  const std::string own = (property ? " (along " : " (") + finding.direction.name + ")";
  if (name.empty()) return "a direction that no measured property follows" + own;
  if (name.rfind("mixed", 0) == 0) return "a mixture of " + name.substr(name.size() > 7 ? 7 : 0) + own;
  const std::string words = std::string(finding.property.strength < 0.0 ? "low " : "high ") + name;
  return name == finding.direction.name || finding.direction.name.empty() ? words : words + own;
}

FAULTLINE_INLINE double required_effect(const InterventionEffect& effect, double min_effect) {
  return std::max(min_effect, effect.placebo.value_or(0.0));
}

FAULTLINE_INLINE bool is_undecided(const InterventionEffect& effect, double min_effect) {
  return effect.contrast > required_effect(effect, min_effect);
}

FAULTLINE_INLINE std::string headline(const Finding& finding) {
  const InterventionEffect& effect = finding.intervention;
  const std::string where = finding.direction.class_label
                                ? "Class " + std::to_string(*finding.direction.class_label) + " fails with "
                                : "Failures come with ";
  if (effect.repaired_failures == 0)
    return where + condition(finding) +
           ": moving it by two standard deviations either way changes the failure rate by " + points(effect.contrast) +
           (effect.placebo ? ", a random direction by at most " + hundredths(*effect.placebo) : std::string()) + ".";
  return where + condition(finding) +
         ": repairing this direction (setting its coordinate to its class's success median) removes " +
         percent(effect.repaired_share) + " of the failures" +
         (effect.repaired_placebo ? "; a random direction " + percent(*effect.repaired_placebo) : std::string()) + ".";
}

FAULTLINE_INLINE std::string associated_headline(const Finding& finding, double min_effect) {
  const InterventionEffect& effect = finding.intervention;
  return std::string(finding.direction.class_label
                         ? "Failures of class " + std::to_string(*finding.direction.class_label) + " go"
                         : "Failures go") +
         " along with " + condition(finding) +
         "; moving it by two standard deviations either way changes the failure rate by " + points(effect.contrast) +
         " (at least " + hundredths(std::max(0.0, effect.lower)) + ") on " +
         counted(effect.codes, "fresh code", "fresh codes") +
         (is_undecided(effect, min_effect) ? ": it may be a cause, which so few codes do not decide."
                                           : ": too little to call it a cause.");
}

FAULTLINE_INLINE std::string verdict_reason(const FailureReport& report, double min_effect) {
  if (report.verdict == Verdict::systematic_causes) {
    return counted(static_cast<std::int64_t>(report.findings.size()), "direction was", "directions were") +
           " confirmed on fresh samples and found to change the failure rate when moved; together " +
           (report.findings.size() == 1 ? "it explains " : "they explain ") + percent(report.explained_share) +
           " of what a linear rule can explain. The strongest: " + title(report.findings.front()) + ".";
  }
  const std::string reach = "An effect of AUC " + fixed_text(report.smallest_detectable.auc, 2) +
                            " or more would have been confirmed on fresh samples with 80 % power; what an intervention "
                            "then shows is not in that figure.";
  if (!report.generator_suspect.empty()) {
    return "The only causes found may be the generator's fault: too few of the images that fail still show their class "
           "(" +
           title(report.generator_suspect.front()) + "). " + reach;
  }
  const auto undecided = std::find_if(report.associated.begin(), report.associated.end(),
                                      [&](const Finding& f) { return is_undecided(f.intervention, min_effect); });
  const std::string systematic =
      report.omnibus.significant ? "Failures are systematic (a linear rule predicts them on fresh samples with AUC " +
                                       fixed_text(report.omnibus.auc, 2) + "), but "
                                 : "";
  if (undecided != report.associated.end())
    return (systematic.empty() ? std::string("It was not decided") : systematic + "it was not decided") +
           " whether the direction that goes along with them is a cause: moving " + title(*undecided) +
           " changed the failure rate by " + points(undecided->intervention.contrast) + " (at least " +
           hundredths(std::max(0.0, undecided->intervention.lower)) + ") on " +
           counted(undecided->intervention.codes, "fresh code", "fresh codes") +
           "; more intervention_codes decide it. " + reach;
  if (!report.associated.empty())
    return (systematic.empty() ? std::string("D") : systematic + "d") +
           "irections that go along with failures do not change the failure rate enough when they are moved. " + reach;
  if (report.omnibus.significant)
    return systematic + "none of the directions that were tried was confirmed to carry them. " + reach;
  return "No direction sets failures apart from successes. " + reach;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
