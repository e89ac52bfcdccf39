// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Two reports of the same generator, one after the other: which causes are new, gone, stronger or weaker.

#include <faultline/analysis/report.hpp>
#include <faultline/core/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A number with its interval; a distance beyond the searched range is +inf.
struct ComparedNumber {
  double estimate = 0.0;
  double lower = 0.0;
  double upper = 0.0;
};
FAULTLINE_MEMBERS(ComparedNumber, estimate, lower, upper)
void null_means_infinite(std::type_identity<ComparedNumber>);

/// A number of two reports, as a difference.
struct NumberChange {
  std::string name;       ///< "failure rate", "failures from it", "effect", "distance"
  ComparedNumber before;  ///< with the interval of its report
  ComparedNumber after;
  /// After minus before; its interval holds together with those of all numbers that are compared. Empty where one of
  /// them is not finite
  std::optional<Share> change = std::nullopt;

  /// Whether the interval of the change excludes 0 from below, or from above.
  [[nodiscard]] bool rose() const noexcept { return change && change->lower > 0.0; }
  [[nodiscard]] bool fell() const noexcept { return change && change->upper < 0.0; }
};
FAULTLINE_MEMBERS(NumberChange, name, before, after, change)

/// What a condition is in a report.
enum class Standing {
  cause,
  associated,
  undecided,
  not_movable,
  absent,  ///< not among the confirmed conditions
};

/// What became of a condition.
enum class ConditionFate {
  appeared,   ///< a cause now, and none before
  gone,       ///< a cause before, and none now
  stronger,   ///< a cause in both, and more failures come from it
  weaker,     ///< a cause in both, and fewer do
  remains,    ///< a cause in both, not known to have changed
  otherwise,  ///< a cause in neither
};

/// One condition in two reports.
struct ConditionChange {
  std::string title;  ///< of the later report where it is there
  ConditionFate fate = ConditionFate::otherwise;
  Standing before = Standing::absent;
  Standing after = Standing::absent;
  std::vector<NumberChange> numbers;  ///< that both reports have
  std::string headline;
};
FAULTLINE_MEMBERS(ConditionChange, title, fate, before, after, numbers, headline)

/// A later report against an earlier one.
struct ReportDifference {
  std::string schema = "faultline.report-difference/1";
  std::string headline;
  std::vector<std::string> notes;  ///< what else differs, and may be behind a change
  bool same_samples = false;       ///< both classified the same images
  double confidence = 0.95;        ///< of all intervals of changes together
  NumberChange failure_rate;
  std::vector<NumberChange> class_rates;    ///< per class; named as the class
  std::vector<ConditionChange> conditions;  ///< causes that appeared, are gone, changed, remain; then the others
  Provenance before;
  Provenance after;
};
FAULTLINE_MEMBERS(ReportDifference, schema, headline, notes, same_samples, confidence, failure_rate, class_rates,
                  conditions, before, after)

/// What a later report says that an earlier one did not.
///
/// A condition of one report is that of the other when properties, kind and class are the same, and of directions
/// without a property when they point the same way in w (cosine at least .8). A cause is stronger or
/// weaker when the share of all samples that fail from it (attributable fraction times failure rate) changed.
/// **Formula**: the interval of a difference from those of its two numbers by their arms in squares (MOVER: Zou and
/// Donner 2008; for rates that is Newcombe's), the arms lengthened as those of a normal variable are so that all
/// intervals hold together (Bonferroni). Where both reports are on the same samples, the numbers are positively
/// correlated and the intervals wider than they need be.
/// **Error rate**: with probability about `confidence` no number is said to have risen or fallen that is the same;
/// simulated in the tests. What appears or goes as a cause is what the two reports say each for itself; the headline
/// says where an earlier run was too small to see it.
/// **Throws** inconsistent_files for reports of different generators, samplings (seed and number apart) or criteria,
/// which cannot be compared; invalid_argument for a confidence that is not strictly between 0 and 1.
/// **Cost**: none of generator or classifier. Example: `difference_of(read_report("old.json"),
/// read_report("new.json"))`
[[nodiscard]] ReportDifference difference_of(const FailureReport& before, const FailureReport& after,
                                             double confidence = 0.95);

/// The same as sentences and a table, for a terminal.
[[nodiscard]] std::string difference_text(const ReportDifference& difference);

}  // namespace analysis

using analysis::difference_of;
using analysis::difference_text;
using analysis::ReportDifference;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/compare/detail/report_difference_impl.hpp>
#endif
