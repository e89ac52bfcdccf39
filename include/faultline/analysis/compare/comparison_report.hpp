// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// ComparisonReport: everything a comparison of classifiers found, as plain data; every output format is written from
// it.

#include <faultline/analysis/report.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/statistics/mcnemar.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A cause of one classifier's failures, in short.
struct ComparedFinding {
  std::string title;
  std::string headline;
  Attributable attributable;  ///< of its own failures
};
FAULTLINE_MEMBERS(ComparedFinding, title, headline, attributable)

/// One of the compared classifiers, by itself.
struct ComparedClassifier {
  std::string name;                           ///< unique: a second classifier of the same name gets " (2)"
  Rate failure_rate;                          ///< both splits pooled
  std::vector<Rate> class_rates;              ///< simultaneous intervals
  std::optional<Blame> blame = std::nullopt;  ///< empty without a judge or without failures
  /// On its own failures on valid images, found as `analyze` finds them
  Verdict verdict = Verdict::none_found;
  std::string reason;                     ///< one sentence or more
  std::vector<ComparedFinding> findings;  ///< its causes, by the lower bound of the attributable fraction
};
FAULTLINE_MEMBERS(ComparedClassifier, name, failure_rate, class_rates, blame, verdict, reason, findings)

/// A condition on which the one is right and the other wrong.
struct SeparatingCondition {
  /// With everything that is measured of a condition; its outcome is "the one right, the other wrong", its attributable
  /// fraction the share of these samples that would not be so with the condition at its usual level
  Finding finding;
  std::int64_t latents = 0;  ///< that were moved for both, not selected by outcome; 0: not moved
  /// Change of the failure rate on valid images of the one that is right, by the comparison of the intervention; all
  /// bounds of all conditions, pairs and orders hold together, at any number of latents
  std::optional<Share> right_change = std::nullopt;
  std::optional<Share> wrong_change = std::nullopt;  ///< the same for the one that is wrong, on the same latents
  /// wrong_change − right_change: above 0 the edit hurts the one that is wrong more
  std::optional<Share> difference = std::nullopt;
};
FAULTLINE_MEMBERS(SeparatingCondition, finding, latents, right_change, wrong_change, difference)

/// Both right against one right and the other wrong, in one order of two classifiers.
struct OrderedComparison {
  std::int64_t right = 0;  ///< position of the classifier that is right
  std::int64_t wrong = 0;  ///< position of the one that is wrong
  /// `systematic_causes` when a condition separates them
  Verdict verdict = Verdict::none_found;
  std::string reason;  ///< one sentence or more
  /// Among the samples that the one gets right, how often the other is wrong: in all, and per class with simultaneous
  /// intervals
  Rate rate;
  std::vector<Rate> class_rates;
  std::vector<ClassFinding> class_findings;  ///< classes that the other fails as classes
  double effective_failures_discovery = 0.0;
  double effective_failures_confirmation = 0.0;
  std::int64_t samples_needed = 0;              ///< per split, when there are too few; 0 when there are enough
  std::vector<SeparatingCondition> conditions;  ///< confirmed, and moving them separates the classifiers
  /// Confirmed, but not shown to separate them: moving does nothing, or hurts both alike, is undecided or not possible
  std::vector<SeparatingCondition> others;
  std::optional<DetectableEffect> smallest_detectable = std::nullopt;  ///< that would have been reported
};
FAULTLINE_MEMBERS(OrderedComparison, right, wrong, verdict, reason, rate, class_rates, class_findings,
                  effective_failures_discovery, effective_failures_confirmation, samples_needed, conditions, others,
                  smallest_detectable)

/// Two classifiers on the same samples.
struct PairComparison {
  std::int64_t first = 0;  ///< position in `classifiers`
  std::int64_t second = 0;
  statistics::PairedTest test;            ///< both splits pooled
  double p_adjusted = 1.0;                ///< Holm over the pairs
  std::vector<OrderedComparison> orders;  ///< first right and second wrong, then the reverse
};
FAULTLINE_MEMBERS(PairComparison, first, second, test, p_adjusted, orders)

/// How far along a direction a classifier withstands an edit, over start latents that all classifiers get right.
struct ComparedDistance {
  /// Median distance to the flip, in standard deviations (+inf when fewer than half flip within range)
  double sigmas = 0.0;
  double lower = 0.0;  ///< 95 % interval of the median
  double upper = 0.0;
  double crossed_share = 0.0;                ///< share of start latents that flip within range
  bool off_manifold = false;                 ///< the median flip lies outside the .1 to 99.9 % range of the coordinate
  Validity validity = {};                    ///< does the judge still see the class at the flip?
  std::vector<PropertyAtFlip> at_flip = {};  ///< what was moved, on the images that flip
};
FAULTLINE_MEMBERS(ComparedDistance, sigmas, lower, upper, crossed_share, off_manifold, validity, at_flip)
void null_means_infinite(std::type_identity<ComparedDistance>);  // beyond the searched range

/// How many times as far one classifier withstands as another, on the same latents.
struct DistanceRatio {
  std::int64_t first = 0;  ///< position in `classifiers`
  std::int64_t second = 0;
  /// Median distance of the second over that of the first; empty when either lies beyond the searched range
  std::optional<double> ratio = std::nullopt;
  /// 95 % bootstrap interval over the latents; what lies beyond the range counts as the worst for either end
  double lower = 0.0;
  double upper = 0.0;               ///< (+inf possible)
  std::int64_t second_farther = 0;  ///< latents on which the second withstands more
  /// Latents on which the first does; on the rest both flip at once, or not within range
  std::int64_t first_farther = 0;
  double p = 1.0;           ///< exact sign test of the two
  double p_adjusted = 1.0;  ///< Holm over all directions and pairs
};
FAULTLINE_MEMBERS(DistanceRatio, first, second, ratio, lower, upper, second_farther, first_farther, p, p_adjusted)
void null_means_infinite(std::type_identity<DistanceRatio>);  // beyond the searched range

/// Distances of all classifiers along one direction.
struct PairedDistance {
  std::string title;   ///< what is moved: "blur", "less contrast"
  std::string source;  ///< "property", or the name of the classifier whose finding it is
  /// For properties +1 towards more, −1 towards less; for findings +1 towards failure, −1 the other way where both ends
  /// fail
  int sign = 1;
  Direction direction;
  std::int64_t latents = 0;                 ///< start latents, all of which every classifier gets right
  std::vector<ComparedDistance> distances;  ///< one per classifier
  std::vector<DistanceRatio> ratios;        ///< one per pair
};
FAULTLINE_MEMBERS(PairedDistance, title, source, sign, direction, latents, distances, ratios)

/// How much more of its failures one classifier loses than another.
struct FractionDifference {
  std::int64_t first = 0;  ///< position in `classifiers`
  std::int64_t second = 0;
  /// Fraction of the first minus that of the second; all intervals of a comparison hold together. Empty where either
  /// did not fail
  std::optional<Share> difference = std::nullopt;
};
FAULTLINE_MEMBERS(FractionDifference, first, second, difference)

/// What setting the same latents to the usual level of one cause does to the failures of every classifier.
struct PairedFraction {
  std::string title;                            ///< of the cause
  std::string source;                           ///< classifier whose cause it is
  std::vector<Attributable> fractions;          ///< one per classifier, 95 % intervals, each by itself
  std::vector<FractionDifference> differences;  ///< one per pair
};
FAULTLINE_MEMBERS(PairedFraction, title, source, fractions, differences)

/// Failure rate among samples whose distance from the centre lies in [lower, upper).
struct AccuracyBin {
  double lower = 0.0;
  double upper = 0.0;  ///< +inf for the last bin
  Rate rate;           ///< of failures; accuracy is 1 − estimate
};
FAULTLINE_MEMBERS(AccuracyBin, lower, upper, rate)
void null_means_infinite(std::type_identity<AccuracyBin>);  // beyond the searched range

/// Accuracy against distance, for one classifier on all samples or on those of one class.
struct AccuracyCurve {
  std::string name;  ///< of the classifier
  std::optional<std::int64_t> class_label = std::nullopt;
  std::vector<AccuracyBin> bins;
};
FAULTLINE_MEMBERS(AccuracyCurve, name, class_label, bins)

/// The whole result of a comparison. Plain data.
struct ComparisonReport {
  std::string schema = "faultline.comparison/2";
  std::vector<ComparedClassifier> classifiers;
  std::vector<PairComparison> pairs;
  std::vector<PairedFraction> fractions;  ///< one per cause of each classifier
  std::vector<PairedDistance> distances;
  /// Per classifier over all classes, then per classifier and class
  std::vector<AccuracyCurve> accuracy;
  std::vector<StyleChannel> accuracy_channels;  ///< what spans the subspace of `accuracy`
  std::vector<std::string> property_names;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;
  /// Of both splits alone: one image per sample, however many classifiers
  CostCounters population_cost;
  CostCounters cost;      ///< of everything
  Provenance provenance;  ///< `classifier_name` lists all
  std::vector<std::string> warnings;
};
FAULTLINE_MEMBERS(ComparisonReport, schema, classifiers, pairs, fractions, distances, accuracy, accuracy_channels,
                  property_names, classes, class_names, population_cost, cost, provenance, warnings)

}  // namespace analysis

using analysis::ComparedClassifier;
using analysis::ComparisonReport;

}  // namespace v1
}  // namespace faultline
