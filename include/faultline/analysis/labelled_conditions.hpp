// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the failures on real labelled images go with: sought on one random split of them, tested on the other, without a
// generator (labelled_images.md).

#include <faultline/analysis/conditions/condition.hpp>
#include <faultline/analysis/confirm/find_conditions.hpp>
#include <faultline/analysis/describe/response_curve.hpp>
#include <faultline/analysis/problem/labelled_table.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/core/progress.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What is concluded from labelled images.
enum class ConditionsVerdict {
  conditions_found,  ///< at least one condition held on the images that it was not chosen on
  none_found,        ///< none did
  too_few_failures,  ///< nothing was sought; see `reason`
};

/// At which values of its property, or of its two, a condition has the failures. It describes the whole range, by
/// the shape that was fitted on the images on which the condition was chosen.
enum class FailingValues {
  more,        ///< the more of the property, the more failures
  less,        ///< the less, the more
  both_ends,   ///< at both ends, and fewer in between
  in_between,  ///< in between, and fewer at either end
  both_more,   ///< of a pair: where there is much of both
  more_less,   ///< much of the first and little of the second
  less_more,   ///< little of the first and much of the second
  both_less,   ///< little of both
  alike,       ///< much of both or little of both
  opposite,    ///< much of the one and little of the other
};

/// One thing that failures go with. That it makes them, nobody has tried.
struct LabelledCondition {
  std::string name;      ///< "blur", "blur with noise level", "width in class 3"; unique in a report
  std::string sentence;  ///< what a reader takes away
  ConditionKind kind = ConditionKind::property;
  std::vector<std::string> properties;                     ///< one, or the two of a pair
  std::optional<std::int64_t> class_label = std::nullopt;  ///< set when at least .8 of what it explains is one class's
  FailingValues failing = FailingValues::more;
  double share = 0.0;  ///< of the null deviance of the test images that it explains beyond the conditions before it
  double share_lower = 0.0;  ///< 95 % interval of the share
  double share_upper = 0.0;
  double p = 1.0;           ///< one-sided, given the conditions before it
  double p_adjusted = 1.0;  ///< Holm over everything that was tested
  double stability = 0.0;   ///< share of half-samples of the discovery split in which it is chosen again
  bool confirmed = false;
  /// Failure rate against the property, on all images, or on those of its class; `adjusted` for the other confirmed
  /// conditions, by a model fitted to all images. Of a pair two curves of the first property: where the second is up to
  /// its median, and above
  std::vector<ResponseCurve> curves;
};
FAULTLINE_MEMBERS(LabelledCondition, name, sentence, kind, properties, class_label, failing, share, share_lower,
                  share_upper, p, p_adjusted, stability, confirmed, curves)

/// Two conditions that are worse, or less bad, together than their parts say (on the logit scale).
struct LabelledInteraction {
  std::string first;   ///< name of a condition
  std::string second;  ///< name of another
  double share = 0.0;
  double share_lower = 0.0;
  double share_upper = 0.0;
  double p = 1.0;
  double p_adjusted = 1.0;
  bool confirmed = false;
};
FAULTLINE_MEMBERS(LabelledInteraction, first, second, share, share_lower, share_upper, p, p_adjusted, confirmed)

/// How often images of a class got an answer.
struct ConfusionCount {
  std::int64_t label = 0;
  std::int64_t answer = 0;
  std::int64_t count = 0;
};
FAULTLINE_MEMBERS(ConfusionCount, label, answer, count)

/// One of the two parts of the images.
struct LabelledPart {
  std::int64_t images = 0;
  std::int64_t failures = 0;
  double effective_failures = 0.0;  ///< Σ m_c n_c / (m_c + n_c) over classes with at least two of either
};
FAULTLINE_MEMBERS(LabelledPart, images, failures, effective_failures)

/// How a result came about.
struct LabelledRun {
  std::string library_version;
  std::int64_t seed = 0;
  double alpha = 0.05;
  double least_share = 0.005;
  std::int64_t permutations = 0;
  std::int64_t half_samples = 0;
  // A program fills in the rest
  std::string images = {};      ///< folder
  std::string answers = {};     ///< file of the classifier or of the scores
  std::string digest = {};      ///< of the classifier's file; empty for scores
  std::string corruption = {};  ///< what was done to the images: "none", "independent"
  std::string command = {};
};
FAULTLINE_MEMBERS(LabelledRun, library_version, seed, alpha, least_share, permutations, half_samples, images, answers,
                  digest, corruption, command)

/// Everything that labelled images say about when a classifier fails. Plain data.
struct LabelledConditions {
  std::string schema = "faultline.conditions/1";
  ConditionsVerdict verdict = ConditionsVerdict::none_found;
  std::string reason;                         ///< one or two sentences on why the verdict is what it is
  std::vector<LabelledCondition> conditions;  ///< that held, in the order in which they were found
  std::vector<LabelledCondition> not_confirmed;
  std::vector<LabelledInteraction> interactions;
  double share = 0.0;  ///< of the null deviance that everything tested explains together
  double share_lower = 0.0;
  double share_upper = 0.0;
  std::int64_t candidates = 0;  ///< properties, classes and pairs that were compared
  Rate failure_rate;
  std::vector<Rate> class_rates;          ///< their intervals hold together
  std::vector<ConfusionCount> confusion;  ///< cells that are not empty, by label and answer
  LabelledPart discovery;                 ///< what conditions were sought in
  LabelledPart confirmation;              ///< what they were tested on: one of each group
  std::int64_t images_needed = 0;         ///< that would give enough failures; 0 when there are enough
  std::vector<std::string> property_names;
  std::vector<std::string> property_units;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;
  std::vector<std::string> notes;  ///< properties that took no part and why, classes answered as others, groups
  LabelledRun run;
};
FAULTLINE_MEMBERS(LabelledConditions, schema, verdict, reason, conditions, not_confirmed, interactions, share,
                  share_lower, share_upper, candidates, failure_rate, class_rates, confusion, discovery, confirmation,
                  images_needed, property_names, property_units, classes, class_names, notes, run)

/// How conditions are sought on labelled images.
struct LabelledConditionOptions {
  std::int64_t seed = 0;
  ConditionOptions conditions = {};
  ResponseBinning curves = {};
  ProgressCallback progress = nullptr;
};

/// Effective failures of either part from which conditions are sought; or so many failures and successes in one class.
inline constexpr double least_effective_failures = 20.0;

/// Splits a table at random, seeks conditions of the failures in one part and tests them on the other.
///
/// Every property is a candidate, but for those that do not vary within any class and those that order the images as an
/// earlier one does, which are named in `notes`. A property is compared within classes: that one class fails more
/// often than another is found in `class_rates` and is no condition. The outcome of a class takes part in conditions of
/// its own from `selection.class_outcomes` failures and successes on.
/// **Error rate**: if failures depend on nothing but the class, any condition is confirmed with probability at most
/// `conditions.alpha`. Groups stay together, and of each one row, drawn at random, is tested on, since rows of one
/// group are not independent. Intervals of rates and curves take all rows as independent.
/// **Randomness**: (seed, stream 7 and permutations): the split as `split_table`, the row of each group by index 2^41.
/// **Throws** what `check_table` and `split_table` throw; `invalid_argument` for a property that is not finite (with
/// its image), without a name or named twice, and for options out of range. Too few failures are no error.
/// **Cost**: some fits of N rows and four columns per property, and as many per half-sample: seconds for 10 000 rows.
/// Example: `for (const auto& found : find_labelled_conditions(table).conditions) puts(found.sentence.c_str());`
[[nodiscard]] LabelledConditions find_labelled_conditions(const LabelledTable& table,
                                                          const LabelledConditionOptions& options = {});

}  // namespace analysis

using analysis::find_labelled_conditions;
using analysis::LabelledConditionOptions;
using analysis::LabelledConditions;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/detail/labelled_conditions_impl.hpp>
#endif
