// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The sentences about what separates two classifiers.

#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/describe/report_text.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// "61 (55 to 66)", in hundredths.
[[nodiscard]] inline std::string share_text(const Share& share) {
  return hundredths(share.estimate) + " (" + hundredths(share.lower) + " to " + hundredths(share.upper) + ")";
}

/// "moving it changes the failure rate of B by 61 (55 to 66) percentage points and that of A by 2 (−1 to 4)".
[[nodiscard]] inline std::string changes_text(const SeparatingCondition& condition, const std::string& right,
                                              const std::string& wrong) {
  return "moving it changes the failure rate of " + wrong + " by " + share_text(*condition.wrong_change) +
         " percentage points and that of " + right + " by " + share_text(*condition.right_change);
}

/// What heads a condition on which the one is right and the other wrong; `parts`: moving it is known to separate them.
[[nodiscard]] inline std::string separating_headline(const SeparatingCondition& condition, const std::string& right,
                                                     const std::string& wrong, bool parts) {
  const Finding& finding = condition.finding;
  const Intervention& moved = finding.intervention;
  const std::string where = right + " is right and " + wrong + " wrong with " + condition_words(finding);
  if (parts) {
    std::string text = where + ": " + changes_text(condition, right, wrong);
    const Attributable& share = finding.attributable;
    if (share.fraction && *share.fraction > 0.0)
      text += "; with " + finding.title + " at its usual level, " + percent(*share.fraction) + " (" +
              hundredths(*share.lower) + " to " + hundredths(*share.upper) + ") of these samples would not be so";
    return text + ".";
  }
  if (finding.condition.is_minor)
    return where + " a little: it explains less than a fortieth of what all conditions explain, and was not moved.";
  if (finding.condition.movability != Movability::movable) {
    std::string text = where + ", but this generator does not move it";
    if (finding.condition.movability == Movability::not_separable)
      text += " without " + finding.condition.moves_along.value_or("other properties");
    return text + ": whether it separates them cannot be told.";
  }
  if (!moved.effect || !condition.difference) return where + "; it was not moved: the budget ended before.";
  const std::string both = changes_text(condition, right, wrong);
  if (moved.decision == Decision::does_not)
    return where + ", but moving it by itself does not bring this about: " + both + ".";
  if (condition.difference->lower > 0.0)
    return where + "; " + both + "; it is undecided whether that is enough to count (" +
           points(moved.min_effect.value_or(0.0)) + " of all images).";
  return where + ", but moving it is not known to hurt " + wrong + " more than " + right + ": " + both + ".";
}

/// Why the verdict of an order is what it is.
[[nodiscard]] inline std::string order_reason(const OrderedComparison& order, const std::string& right,
                                              const std::string& wrong, const std::vector<std::string>& properties) {
  std::string classes;
  for (const ClassFinding& finding : order.class_findings)
    classes += " Where " + right + " is right, of " + wrong + ": " + finding.headline;
  const std::string where = right + " is right and " + wrong + " wrong";
  if (!order.conditions.empty()) {
    std::string names;
    for (const SeparatingCondition& condition : order.conditions)
      names += (names.empty() ? "" : ", ") + condition_words(condition.finding);
    return right + " is right and " + wrong + " wrong with " + names + ": confirmed on held-out samples, and moving " +
           (order.conditions.size() == 1 ? "it" : "each of them") + " hurts " + wrong + " more." + classes;
  }
  if (!order.others.empty()) {
    std::string names;
    for (const SeparatingCondition& condition : order.others)
      names += (names.empty() ? "" : ", ") + condition_words(condition.finding);
    return "That " + where + " goes with " + names + ", but moving " +
           (order.others.size() == 1 ? "it is" : "these is") + " not known to hurt " + wrong + " more than " + right +
           "." + classes;
  }
  if (!order.class_findings.empty())
    return "Whole classes separate them; within classes nothing that goes with it was confirmed." + classes;
  std::string text = "Nothing that sets the samples on which " + where +
                     " apart from those that both get right was confirmed among means and spreads of w and " +
                     counted(static_cast<std::int64_t>(properties.size()), "property", "properties") +
                     ", their pairs and each class by itself.";
  if (order.smallest_detectable)
    text +=
        " A property that changes how often this happens by " + points(order.smallest_detectable->effect) +
        " or more when it is moved by two standard deviations either way would have been reported with probability " +
        percent(order.smallest_detectable->power) + ".";
  return text;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
