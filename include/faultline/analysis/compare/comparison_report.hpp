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

/// One of the compared classifiers, by itself.
struct ComparedClassifier {
  std::string name;   ///< unique: a second classifier of the same name gets " (2)"
  Rate failure_rate;  ///< both halves pooled
  std::vector<Rate> class_rates;
  /// On its own findings, found as `analyze` finds them; validity is not asked here
  Verdict verdict = Verdict::none_found;
  std::string reason;                 ///< one sentence
  std::vector<std::string> findings;  ///< titles of its causes, strongest first
};
FAULTLINE_MEMBERS(ComparedClassifier, name, failure_rate, class_rates, verdict, reason, findings)

/// A direction on which one classifier is right and the other wrong.
struct SeparatingDirection {
  /// What it leads to, with its own name behind: "less ink area", "more blur (component 3)"
  std::string title;
  Direction direction;              ///< towards "the one right, the other wrong"
  DiscoveryEffect discovery;        ///< the one right and the other wrong against both right
  ConfirmationEffect confirmation;  ///< p_adjusted: Holm over the candidates of all pairs and both orders
  InterventionEffect intervention;  ///< of the outcome "the one right, the other wrong"
  /// Change of the failure rate of the one that is right, between 2 standard deviations either way, on the same codes
  double right_contrast = 0.0;
  double wrong_contrast = 0.0;         ///< the same for the one that is wrong
  std::int64_t codes_for = 0;          ///< codes on which the move made the wrong one fail more than the right one
  std::int64_t codes_against = 0;      ///< codes on which it was the other way round
  double separation_p = 1.0;           ///< exact one-sided sign test of the two
  double separation_p_adjusted = 1.0;  ///< Holm over the confirmed directions of all pairs and both orders
  std::vector<PropertyEffect> side_effects;  ///< all properties, strongest first
};
FAULTLINE_MEMBERS(SeparatingDirection, title, direction, discovery, confirmation, intervention, right_contrast,
                  wrong_contrast, codes_for, codes_against, separation_p, separation_p_adjusted, side_effects)

/// Both right against one right and the other wrong, in one order of two classifiers.
struct OrderedComparison {
  std::int64_t right = 0;  ///< position of the classifier that is right
  std::int64_t wrong = 0;  ///< position of the one that is wrong
  Verdict verdict = Verdict::none_found;
  std::string reason;  ///< one sentence
  double effective_failures_discovery = 0.0;
  double effective_failures_confirmation = 0.0;
  std::int64_t samples_needed = 0;  ///< per half, when there are too few; 0 when there are enough
  /// Confirmed, and moving along them parts the classifiers; strongest first
  std::vector<SeparatingDirection> directions;
  std::vector<SeparatingDirection> associated;  ///< confirmed, but not shown to part them when moved
};
FAULTLINE_MEMBERS(OrderedComparison, right, wrong, verdict, reason, effective_failures_discovery,
                  effective_failures_confirmation, samples_needed, directions, associated)

/// Two classifiers on the same samples.
struct PairComparison {
  std::int64_t first = 0;  ///< position in `classifiers`
  std::int64_t second = 0;
  statistics::PairedTest test;            ///< both halves pooled
  double p_adjusted = 1.0;                ///< Holm over the pairs
  std::vector<OrderedComparison> orders;  ///< first right and second wrong, then the reverse
};
FAULTLINE_MEMBERS(PairComparison, first, second, test, p_adjusted, orders)

/// How far along a direction a classifier holds out, over start codes that all classifiers get right.
struct ComparedDistance {
  /// Median distance to the flip, in standard deviations (+inf when fewer than half flip within range)
  double sigmas = 0.0;
  double lower = 0.0;  ///< 95 % interval of the median
  double upper = 0.0;
  double crossed_share = 0.0;  ///< share of start codes that flip within range
  bool off_manifold = false;   ///< the median flip lies outside the .1 to 99.9 % range of the coordinate
  /// Share of flipped images the judge still gives the label
  std::optional<double> judge_agreement = std::nullopt;
};
FAULTLINE_MEMBERS(ComparedDistance, sigmas, lower, upper, crossed_share, off_manifold, judge_agreement)
void null_means_infinite(std::type_identity<ComparedDistance>);  // beyond the searched range

/// How many times as far one classifier holds out as another, on the same codes.
struct DistanceRatio {
  std::int64_t first = 0;  ///< position in `classifiers`
  std::int64_t second = 0;
  /// Median distance of the second over that of the first; empty when either lies beyond the searched range
  std::optional<double> ratio = std::nullopt;
  /// 95 % bootstrap interval over the codes; what lies beyond the range counts as the worst for either end
  double lower = 0.0;
  double upper = 0.0;               ///< (+inf possible)
  std::int64_t second_farther = 0;  ///< codes on which the second holds out longer
  /// Codes on which the first does; on the rest both flip at once, or not within range
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
  /// For properties +1 towards more, −1 towards less; +1 for findings, which point towards failure
  int sign = 1;
  Direction direction;
  std::int64_t codes = 0;                   ///< start codes, all of which every classifier gets right
  std::vector<ComparedDistance> distances;  ///< one per classifier
  std::vector<DistanceRatio> ratios;        ///< one per pair
};
FAULTLINE_MEMBERS(PairedDistance, title, source, sign, direction, codes, distances, ratios)

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
  std::string schema = "faultline.comparison/1";
  std::vector<ComparedClassifier> classifiers;
  std::vector<PairComparison> pairs;
  std::vector<PairedDistance> distances;
  /// Per classifier over all classes, then per classifier and class
  std::vector<AccuracyCurve> accuracy;
  std::vector<StyleChannel> accuracy_channels;  ///< what spans the subspace of `accuracy`
  std::vector<std::string> property_names;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;
  /// Of both halves alone: one image per sample, however many classifiers
  CostCounters population_cost;
  CostCounters cost;      ///< of everything
  Provenance provenance;  ///< `classifier_name` lists all
  std::vector<std::string> warnings;
};
FAULTLINE_MEMBERS(ComparisonReport, schema, classifiers, pairs, distances, accuracy, accuracy_channels, property_names,
                  classes, class_names, population_cost, cost, provenance, warnings)

}  // namespace analysis

using analysis::ComparedClassifier;
using analysis::ComparisonReport;

}  // namespace v1
}  // namespace faultline
