// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/compare/report_difference.hpp.

#include <faultline/analysis/compare/report_difference.hpp>

#include <faultline/analysis/describe/report_text.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// A condition and the list that it is on.
struct ListedCondition {
  const Finding* finding = nullptr;
  Standing standing = Standing::absent;
};

[[nodiscard]] inline std::vector<ListedCondition> listed_conditions(const FailureReport& report) {
  std::vector<ListedCondition> all;
  const auto add = [&](const std::vector<Finding>& list, Standing standing) {
    for (const Finding& finding : list) all.push_back({&finding, standing});
  };
  add(report.findings, Standing::cause);
  add(report.associated, Standing::associated);
  add(report.undecided, Standing::undecided);
  add(report.not_movable, Standing::not_movable);
  return all;
}

[[nodiscard]] inline bool same_condition(const Finding& a, const Finding& b) {
  const ConditionSummary &x = a.condition, &y = b.condition;
  if (x.kind != y.kind || x.class_label != y.class_label || x.properties != y.properties) return false;
  if (!x.properties.empty() || x.kind != ConditionKind::direction) return true;
  const std::vector<double>&v = a.direction.w, &w = b.direction.w;
  if (v.empty() || v.size() != w.size()) return false;
  const auto as = core::as_vector(std::span<const double>(v)), bs = core::as_vector(std::span<const double>(w));
  return std::abs(as.dot(bs)) >= 0.8 * as.norm() * bs.norm();
}

[[nodiscard]] inline ComparedNumber compared(const Rate& rate) { return {rate.estimate, rate.lower, rate.upper}; }

/// Share of all samples that fail from a cause: attributable fraction times failure rate, arms in squares.
[[nodiscard]] inline std::optional<ComparedNumber> failures_from(const Finding& cause, const Rate& rate) {
  const Attributable& own = cause.attributable;
  if (!own.fraction || !own.lower || !own.upper) return std::nullopt;
  const double f = *own.fraction, r = rate.estimate;
  return ComparedNumber{f * r, f * r - std::hypot(r * (f - *own.lower), f * (r - rate.lower)),
                        f * r + std::hypot(r * (*own.upper - f), f * (rate.upper - r))};
}

[[nodiscard]] inline std::optional<ComparedNumber> effect_of(const Finding& finding) {
  const Intervention& own = finding.intervention;
  if (!own.effect || !own.lower || !own.upper) return std::nullopt;
  return ComparedNumber{*own.effect, *own.lower, *own.upper};
}

[[nodiscard]] inline std::optional<ComparedNumber> distance_of(const Finding& finding) {
  if (!finding.threshold.flip) return std::nullopt;
  const Crossing& flip = *finding.threshold.flip;
  return ComparedNumber{flip.sigmas, flip.lower, flip.upper};
}

/// Intervals of all changes, together at the confidence.
inline void fill_changes(std::span<NumberChange* const> numbers, double confidence) {
  std::vector<NumberChange*> finite;
  for (NumberChange* number : numbers) {
    const double all[] = {number->before.estimate, number->before.lower, number->before.upper,
                          number->after.estimate,  number->after.lower,  number->after.upper};
    if (std::ranges::all_of(all, [](double value) { return std::isfinite(value); })) finite.push_back(number);
  }
  const double each = (1.0 - confidence) / static_cast<double>(std::max<std::size_t>(finite.size(), 1));
  // both numbers have 95 % intervals
  const double longer = statistics::normal_quantile(1.0 - 0.5 * each) / statistics::normal_quantile(0.975);
  for (NumberChange* number : finite) {
    const ComparedNumber &a = number->before, &b = number->after;
    const double change = b.estimate - a.estimate;
    number->change = Share{change, change - longer * std::hypot(b.estimate - b.lower, a.upper - a.estimate),
                           change + longer * std::hypot(b.upper - b.estimate, a.estimate - a.lower)};
  }
}

/// Shares are compared here, so two digits that count are shown of small ones too: "4.2 %".
/// A share in per cent, or a change in points: "0.42", "43", "100".
[[nodiscard]] inline std::string hundredfold_text(double share) {
  return rounded_text(100.0 * share, std::abs(share) < 0.995 ? 2 : 3);
}
[[nodiscard]] inline std::string share_text(double share) { return hundredfold_text(share) + " %"; }
[[nodiscard]] inline std::string points_text(double change) { return hundredfold_text(change) + " percentage points"; }
/// "difference 3.8 percentage points, 3.3 to 4.3"
[[nodiscard]] inline std::string change_text(const Share& change) {
  return "difference " + points_text(change.estimate) + ", " + hundredfold_text(change.lower) + " to " +
         hundredfold_text(change.upper);
}

[[nodiscard]] inline const char* standing_words(Standing standing) {
  switch (standing) {
    case Standing::cause: return "a cause";
    case Standing::associated: return "associated with failures";
    case Standing::undecided: return "undecided";
    case Standing::not_movable: return "not movable";
    case Standing::absent: return "not found";
  }
  return "";
}

[[nodiscard]] inline const NumberChange* number_named(const ConditionChange& change, const std::string& name) {
  const auto found = std::ranges::find(change.numbers, name, &NumberChange::name);
  return found == change.numbers.end() ? nullptr : &*found;
}

/// "4.1 % of all samples fail from it, before 2.0 %"
[[nodiscard]] inline std::string share_words(const NumberChange& number) {
  return share_text(number.after.estimate) + " of all samples fail from it, " + share_text(number.before.estimate) +
         " before (" + change_text(*number.change) + ")";
}

/// Whether an earlier run would have shown a condition that is a cause only later.
[[nodiscard]] inline std::string would_have_shown(const Finding& cause, const FailureReport& other,
                                                  const std::string& run) {
  if (!other.smallest_detectable || !cause.intervention.effect) return "";
  const double size = std::abs(*cause.intervention.effect), smallest = other.smallest_detectable->effect;
  return " Its effect is " + points_text(size) + "; the " + run + " run would have reported one of " +
         points_text(smallest) + " with probability .8" + (size < smallest ? ", so it may have been there." : ".");
}

[[nodiscard]] inline std::string fate_headline(const ConditionChange& change, const Finding* before,
                                               const Finding* after, const FailureReport& old_report,
                                               const FailureReport& new_report) {
  const NumberChange* share = number_named(change, "failures from it");
  const NumberChange* distance = number_named(change, "distance");
  std::string text;
  switch (change.fate) {
    case ConditionFate::appeared:
      text = "New: " + change.title + " is a cause now, and was " + standing_words(change.before) + " before.";
      if (change.before == Standing::absent) text += would_have_shown(*after, old_report, "earlier");
      break;
    case ConditionFate::gone:
      text = "Gone: " + change.title + " was a cause, and is " + standing_words(change.after) + " now.";
      if (change.after == Standing::absent) text += would_have_shown(*before, new_report, "later");
      break;
    case ConditionFate::stronger: text = "Stronger: " + change.title + ": " + share_words(*share) + "."; break;
    case ConditionFate::weaker: text = "Weaker: " + change.title + ": " + share_words(*share) + "."; break;
    case ConditionFate::remains:
      text = "Remains: " + change.title +
             (share != nullptr && share->change ? ": " + share_words(*share) + ", not known to have changed."
                                                : " is a cause in both; nothing says that it changed.");
      break;
    case ConditionFate::otherwise:
      text = std::string("No cause in either: ") + change.title + " is " + standing_words(change.after) +
             " now, and was " + standing_words(change.before) + " before.";
      break;
  }
  if (distance != nullptr && (distance->rose() || distance->fell()))
    text += std::string(" Failure is ") + (distance->fell() ? "nearer" : "farther") + ": " +
            rounded_text(distance->after.estimate, 3) + " standard deviations, " +
            rounded_text(distance->before.estimate, 3) + " before.";
  if (change.before == Standing::cause && change.after == Standing::cause &&
      (before->condition.sign != after->condition.sign || before->condition.shape != after->condition.shape))
    text += " It acts otherwise: " + condition_words(*after) + " now, " + condition_words(*before) + " before.";
  return text;
}

inline void require_comparable(const FailureReport& before, const FailureReport& after) {
  const Provenance &a = before.provenance, &b = after.provenance;
  const auto refuse = [](const std::string& what, const std::string& old_value, const std::string& new_value) {
    throw Error(ErrorCode::inconsistent_files, "difference_of",
                "the reports are of different " + what + " (" + old_value + " before, " + new_value +
                    " after), so that a change says nothing about the classifier");
  };
  if (a.generator_digest != b.generator_digest)
    refuse("generators", a.generator_digest.substr(0, 12), b.generator_digest.substr(0, 12));
  if (a.criterion != b.criterion) refuse("criteria", a.criterion, b.criterion);
  if (a.truncation != b.truncation) refuse("truncations", number_text(a.truncation), number_text(b.truncation));
  if (a.cutoff != b.cutoff || a.noise != b.noise || !(a.labels == b.labels))
    refuse("samplings", "labels, noise or cutoff", "another of them");
}

inline void note_differences(ReportDifference& result, const FailureReport& before, const FailureReport& after) {
  const Provenance &a = before.provenance, &b = after.provenance;
  const auto note = [&](bool differs, const std::string& text) {
    if (differs) result.notes.push_back(text);
  };
  result.same_samples = a.seed == b.seed && a.samples_per_split == b.samples_per_split;
  note(a.samples_per_split != b.samples_per_split, "The runs have " + std::to_string(a.samples_per_split) + " and " +
                                                       std::to_string(b.samples_per_split) +
                                                       " samples per split: the larger one sees weaker conditions.");
  note(a.judge_digest != b.judge_digest, "The judges differ, and so may what counts as valid.");
  note(a.properties != b.properties, "The properties that were measured differ.");
  note(a.method != b.method, "The options of the method differ.");
  note(a.library_version != b.library_version,
       "The library differs: " + a.library_version + " before, " + b.library_version + " after.");
  note(a.classifier_digest && a.classifier_digest == b.classifier_digest,
       "Both reports are of the same classifier, by its digest: what differs comes from seed, samples or options.");
  note(before.cut_short || after.cut_short, "A run was cut short: what it lacks may be missing for that reason.");
}

[[nodiscard]] inline std::string difference_headline(const ReportDifference& result) {
  const auto count = [&](ConditionFate fate) {
    return std::ranges::count(result.conditions, fate, &ConditionChange::fate);
  };
  const auto part = [&](ConditionFate fate, const char* word) {
    const auto n = count(fate);
    return n == 0 ? std::string() : std::to_string(n) + " " + word;
  };
  std::string causes;
  for (const std::string& one : {part(ConditionFate::appeared, "new"), part(ConditionFate::gone, "gone"),
                                 part(ConditionFate::stronger, "stronger"), part(ConditionFate::weaker, "weaker"),
                                 part(ConditionFate::remains, "not known to have changed")})
    if (!one.empty()) causes += (causes.empty() ? "" : ", ") + one;
  const NumberChange& rate = result.failure_rate;
  return "The failure rate " +
         std::string(rate.rose()   ? "rose"
                     : rate.fell() ? "fell"
                                   : "is not known to have changed") +
         ": " + share_text(rate.before.estimate) + " before, " + share_text(rate.after.estimate) + " now (" +
         change_text(*rate.change) + "). " +
         (causes.empty() ? "Neither report has a cause." : "Causes: " + causes + ".");
}

}  // namespace detail

FAULTLINE_INLINE ReportDifference difference_of(const FailureReport& before, const FailureReport& after,
                                                double confidence) {
  core::require_between("difference_of", "confidence", confidence, 0.0, 1.0);
  detail::require_comparable(before, after);
  ReportDifference result;
  result.confidence = confidence;
  result.before = before.provenance;
  result.after = after.provenance;
  detail::note_differences(result, before, after);
  result.failure_rate = {"failure rate", detail::compared(before.failure_rate), detail::compared(after.failure_rate)};
  for (std::size_t c = 0; c < std::min(before.class_rates.size(), after.class_rates.size()); ++c)
    result.class_rates.push_back({c < after.class_names.size() ? after.class_names[c] : std::to_string(c),
                                  detail::compared(before.class_rates[c]), detail::compared(after.class_rates[c])});

  struct Pair {
    detail::ListedCondition before, after;
  };
  std::vector<Pair> pairs;
  std::vector<detail::ListedCondition> earlier = detail::listed_conditions(before);
  for (const detail::ListedCondition& own : detail::listed_conditions(after)) {
    const auto found = std::ranges::find_if(
        earlier, [&](const auto& other) { return detail::same_condition(*own.finding, *other.finding); });
    pairs.push_back({found == earlier.end() ? detail::ListedCondition{} : *found, own});
    if (found != earlier.end()) earlier.erase(found);
  }
  for (const detail::ListedCondition& other : earlier) pairs.push_back({other, {}});
  for (const Pair& pair : pairs) {
    ConditionChange& change = result.conditions.emplace_back();
    const Finding *old_one = pair.before.finding, *new_one = pair.after.finding;
    change.title = new_one != nullptr ? new_one->title : old_one->title;
    change.before = pair.before.standing;
    change.after = pair.after.standing;
    if (old_one == nullptr || new_one == nullptr) continue;
    const auto add = [&](const char* name, const auto& first, const auto& second) {
      if (first && second) change.numbers.push_back({name, *first, *second});
    };
    add("failures from it", detail::failures_from(*old_one, before.failure_rate),
        detail::failures_from(*new_one, after.failure_rate));
    add("effect", detail::effect_of(*old_one), detail::effect_of(*new_one));
    add("distance", detail::distance_of(*old_one), detail::distance_of(*new_one));
  }
  std::vector<NumberChange*> numbers{&result.failure_rate};
  for (NumberChange& rate : result.class_rates) numbers.push_back(&rate);
  for (ConditionChange& change : result.conditions)
    for (NumberChange& number : change.numbers) numbers.push_back(&number);
  detail::fill_changes(numbers, confidence);

  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ConditionChange& change = result.conditions[i];
    const bool was = change.before == Standing::cause, is = change.after == Standing::cause;
    const NumberChange* share = detail::number_named(change, "failures from it");
    change.fate = !was && !is                         ? ConditionFate::otherwise
                  : !was                              ? ConditionFate::appeared
                  : !is                               ? ConditionFate::gone
                  : share != nullptr && share->rose() ? ConditionFate::stronger
                  : share != nullptr && share->fell() ? ConditionFate::weaker
                                                      : ConditionFate::remains;
    change.headline = detail::fate_headline(change, pairs[i].before.finding, pairs[i].after.finding, before, after);
  }
  std::ranges::stable_sort(result.conditions, {}, &ConditionChange::fate);
  result.headline = detail::difference_headline(result);
  return result;
}

FAULTLINE_INLINE std::string difference_text(const ReportDifference& difference) {
  std::string text = difference.headline + "\n";
  std::string classes, neither;
  for (const ConditionChange& change : difference.conditions)
    if (change.fate == ConditionFate::otherwise) neither += (neither.empty() ? "" : ", ") + change.title;
    else text += "  " + change.headline + "\n";
  if (!neither.empty()) text += "Conditions that are a cause in neither report: " + neither + ".\n";
  for (const NumberChange& rate : difference.class_rates)
    if (rate.rose() || rate.fell())
      classes += (classes.empty() ? "" : ", ") + rate.name + " (" + detail::share_text(rate.before.estimate) +
                 " before, " + detail::share_text(rate.after.estimate) + " now)";
  if (!classes.empty()) text += "Classes whose failure rate changed: " + classes + ".\n";
  for (const std::string& note : difference.notes) text += note + "\n";
  text +=
      "All intervals of differences hold together at about " + percent(difference.confidence) + " confidence" +
      (difference.same_samples ? "; both reports are on the same samples, so the intervals are wider than they need be"
                               : "") +
      ".\n";
  return text;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
