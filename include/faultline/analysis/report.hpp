// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// FailureReport: everything the analysis found, as plain data; every output format is written from it.

#include <faultline/analysis/provenance.hpp>
#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What the analysis concludes (method 5.2).
enum class Verdict {
  systematic_causes,  ///< at least one finding that is not generator suspect
  none_found,         ///< no cause survived; see `smallest_detectable` for what would have been confirmed
  too_few_failures,   ///< fewer than 50 effective failures in a half; see `reason`
};

/// Where a candidate direction comes from (method 5.1).
enum class DirectionFamily { property, component, channel };

/// A proportion with a Clopper-Pearson interval.
struct Rate {
  double estimate = 0.0;
  double lower = 0.0;
  double upper = 1.0;
  std::int64_t failures = 0;
  std::int64_t n = 0;
  double confidence = 0.95;
};
FAULTLINE_MEMBERS(Rate, estimate, lower, upper, failures, n, confidence)

/// A direction in w. Moving by t standard deviations means w + t * `w`.
struct Direction {
  DirectionFamily family = DirectionFamily::channel;
  std::string name;  ///< "noise level", "component 3", "b16.conv1:17"
  /// [w_dim] move of one within-class standard deviation towards failure
  std::vector<double> w = {};
  std::vector<double> whitened = {};  ///< the unit vector in whitened coordinates
  /// Share of the total (bias-free) Mahalanobis d^2 between failures and successes
  double explained = 0.0;
  std::optional<std::int64_t> class_label = std::nullopt;  ///< set when the direction belongs to one class
};
FAULTLINE_MEMBERS(Direction, family, name, w, whitened, explained, class_label)

/// What the discovery half showed; selected there, so optimistic.
struct DiscoveryEffect {
  /// Stratified difference failures - successes in standard deviations along the direction
  double effect = 0.0;
  double auc = 0.5;  ///< stratified area under the ROC curve
};
FAULTLINE_MEMBERS(DiscoveryEffect, effect, auc)

/// What fresh samples showed for the frozen direction.
struct ConfirmationEffect {
  double effect = 0.0;
  double auc = 0.5;
  double t = 0.0;           ///< stratified Welch statistic
  double p = 1.0;           ///< one-sided permutation p-value
  double p_adjusted = 1.0;  ///< Holm over all frozen candidates
  double q = 1.0;           ///< Benjamini-Hochberg over the same family
};
FAULTLINE_MEMBERS(ConfirmationEffect, effect, auc, t, p, p_adjusted, q)

/// What moving a direction did to the codes of one class.
struct ClassContrast {
  std::int64_t class_label = 0;
  std::int64_t codes = 0;
  /// Mean of fail(w + 2 sd) - fail(w - 2 sd) over them: a share of so few codes, without an interval
  double contrast = 0.0;
};
FAULTLINE_MEMBERS(ClassContrast, class_label, codes, contrast)

/// What moving the direction did on fresh codes not selected by outcome.
struct InterventionEffect {
  std::int64_t codes = 0;
  double contrast = 0.0;  ///< mean of fail(w + 2 sd) - fail(w - 2 sd)
  double lower = 0.0;     ///< one-sided 95 % lower bound of the contrast
  /// 95th percentile of the contrasts of random directions; empty when none was moved
  std::optional<double> placebo = std::nullopt;
  /// Mean of p(y | w - 2 sd) - p(y | w + 2 sd): positive when the move hurts
  double probability_contrast = 0.0;
  /// Share of fresh failures that disappear when the coordinate is set to its class's success median
  double repaired_share = 0.0;
  /// The same for random directions; empty when none was tried
  std::optional<double> repaired_placebo = std::nullopt;
  std::optional<double> coverage = std::nullopt;  ///< repaired_share - repaired_placebo
  std::int64_t repaired_failures = 0;             ///< number of fresh failures this was measured on
  /// The contrast taken apart by class, ascending; classes without codes are left out
  std::vector<ClassContrast> classes = {};
};
FAULTLINE_MEMBERS(InterventionEffect, codes, contrast, lower, placebo, probability_contrast, repaired_share,
                  repaired_placebo, coverage, repaired_failures, classes)

/// How failures and successes of one class differ along a direction or in a style channel.
struct ClassEffect {
  std::int64_t class_label = 0;
  std::int64_t failures = 0;
  std::int64_t successes = 0;
  double effect = 0.0;  ///< mean of failures - mean of successes, in within-class standard deviations
  double standard_error = 0.0;
};
FAULTLINE_MEMBERS(ClassEffect, class_label, failures, successes, effect, standard_error)

/// How much of an effect all classes share, and how much belongs to some of them (method 10); measured on the
/// confirmation half.
struct ClassSplit {
  /// common^2 / (common^2 + specific^2), noise removed; empty when neither stands out of the noise, and with fewer than
  /// two classes
  std::optional<double> common_share = std::nullopt;
  double lower = 0.0;  ///< 95 % interval of the share
  double upper = 1.0;
  double common = 0.0;    ///< the stratified effect: mean over classes, weighted by precision
  double specific = 0.0;  ///< standard deviation of the classes' effects around it, noise removed
  double q = 0.0;         ///< Cochran's Q
  double p = 1.0;         ///< of equal effects in all classes
  /// Ascending; a class with fewer than two failures or successes is left out
  std::vector<ClassEffect> classes = {};
};
FAULTLINE_MEMBERS(ClassSplit, common_share, lower, upper, common, specific, q, p, classes)

/// A distance to failure: where a confidence curve first crosses its target.
struct Crossing {
  /// Median distance over the start codes, in standard deviations (+inf when fewer than half cross)
  double sigmas = 0.0;
  double lower = 0.0;               ///< lower end of the 95 % interval of the median
  double upper = 0.0;               ///< upper end (+inf possible)
  double quartile_low = 0.0;        ///< first quartile of the distances
  double quartile_high = 0.0;       ///< third quartile (+inf possible)
  double crossed_share = 0.0;       ///< share of eligible start codes that cross within range
  std::int64_t codes = 0;           ///< eligible start codes
  std::int64_t left_out = 0;        ///< start codes already beyond the target
  double percentile = 0.0;          ///< median percentile of the crossing coordinate in the population, 0 to 100
  bool monotone = true;             ///< the profile does not come back for at least 95 % of the codes
  double monotone_share = 1.0;      ///< share of start codes whose profile does not come back
  bool off_manifold = false;        ///< the median crossing lies outside the .1 to 99.9 % range of the coordinate
  double off_manifold_share = 0.0;  ///< share of crossings outside that range
  /// Median root mean square difference between start and failing image, images in [0, 1]
  double image_rms = 0.0;
  double image_ssim = 1.0;  ///< median structural similarity between them
};
FAULTLINE_MEMBERS(Crossing, sigmas, lower, upper, quartile_low, quartile_high, crossed_share, codes, left_out,
                  percentile, monotone, monotone_share, off_manifold, off_manifold_share, image_rms, image_ssim)
void null_means_infinite(std::type_identity<Crossing>);  // beyond the searched range

/// Distance from the success centre of one class (the paper's start code).
struct CentreDistance {
  std::int64_t class_label = 0;
  double probability = 0.0;                    ///< p(y) at the centre
  std::optional<double> half = std::nullopt;   ///< standard deviations to p(y) = .5, if crossed within range
  std::optional<double> flip = std::nullopt;   ///< standard deviations to the change of outcome
  std::optional<double> paper = std::nullopt;  ///< the paper's search from the same centre
};
FAULTLINE_MEMBERS(CentreDistance, class_label, probability, half, flip, paper)

/// Mean behaviour along a direction over the start codes.
struct Profile {
  std::vector<double> sigmas;         ///< grid of moves, negative to positive
  std::vector<double> probability;    ///< mean p(y)
  std::vector<double> failure_share;  ///< share of codes that fail
  /// Share of images the judge still gives the label (empty without a judge)
  std::vector<double> judge_agreement;
  std::vector<std::vector<double>> properties;  ///< [P][grid] mean of each property
};
FAULTLINE_MEMBERS(Profile, sigmas, probability, failure_share, judge_agreement, properties)

/// Both crossings along one direction or channel (method 6).
struct Threshold {
  std::optional<Crossing> half = std::nullopt;  ///< p(y) = .5, empty when no start code crosses
  std::optional<Crossing> flip = std::nullopt;  ///< the outcome changes, empty when no start code crosses
  std::vector<CentreDistance> centres;          ///< per class, from the success centre
};
FAULTLINE_MEMBERS(Threshold, half, flip, centres)

/// A style channel that goes along with a direction (method 5.3).
struct Carrier {
  StyleChannel channel;
  std::string layer_name;
  int sign = 1;               ///< sign of its correlation with the failing direction
  double correlation = 0.0;   ///< within-class correlation with the direction
  double effect = 0.0;        ///< stratified difference in units of the pooled within-class sigma
  double paper_effect = 0.0;  ///< the paper's pooled normalised difference
  double sigma = 0.0;         ///< pooled within-class standard deviation of the channel, in style units
  /// Distance when this channel alone is moved; filled for the first carrier
  std::optional<Threshold> threshold = std::nullopt;
};
FAULTLINE_MEMBERS(Carrier, channel, layer_name, sign, correlation, effect, paper_effect, sigma, threshold)

/// How strongly a property follows the direction.
struct PropertyEffect {
  std::string name;
  double strength = 0.0;  ///< [m(+2 sd) - m(-2 sd)] / within-class standard deviation of m
};
FAULTLINE_MEMBERS(PropertyEffect, name, strength)

/// Is a shifted image still what it should be? (method 8)
struct Validity {
  /// Share of flipped images the judge still gives the label; empty without a judge
  std::optional<double> judge_agreement = std::nullopt;
  bool generator_suspect = false;  ///< below the bar of .9
};
FAULTLINE_MEMBERS(Validity, judge_agreement, generator_suspect)

/// Counts of one coordinate for failures and successes over the confirmation half.
struct CoordinateHistogram {
  double lower = 0.0;  ///< left edge of the first bin, in within-class standard deviations from the class mean
  double upper = 0.0;
  std::vector<std::int64_t> failed;
  std::vector<std::int64_t> passed;
};
FAULTLINE_MEMBERS(CoordinateHistogram, lower, upper, failed, passed)

/// A start code that sheets are drawn from: reproducible from (seed, index).
struct ExampleLatent {
  std::int64_t index = 0;
  std::int64_t label = 0;
  double probability = 0.0;                   ///< p(y) before the move
  std::optional<double> flip = std::nullopt;  ///< its own distance to failure along the finding
};
FAULTLINE_MEMBERS(ExampleLatent, index, label, probability, flip)

/// One confirmed cause (or, in `associated`, a direction that only goes along with failures).
struct Finding {
  Direction direction;
  StyleChannel channel;  ///< the first carrier
  int sign = 1;          ///< sign of the first carrier
  DiscoveryEffect discovery;
  ConfirmationEffect confirmation;
  InterventionEffect intervention;
  Threshold threshold;
  Profile profile;
  /// The strongest property; name "mixed: a + b" when there is no clear winner, "" when none moves
  PropertyEffect property;
  std::vector<PropertyEffect> side_effects;  ///< all properties, strongest first
  std::vector<Carrier> carriers;
  Validity validity;
  CoordinateHistogram histogram;
  std::vector<ExampleLatent> examples;
  std::string headline;         ///< one sentence a reader understands
  ClassSplit class_split = {};  ///< is it the same in all classes?
};
FAULTLINE_MEMBERS(Finding, direction, channel, sign, discovery, confirmation, intervention, threshold, profile,
                  property, side_effects, carriers, validity, histogram, examples, headline, class_split)

/// How much more (or less) of one image property well-classified images stand, whether the property was found to be a
/// cause or not. The direction depends on generator, labels and seed, not on the classifier: distances of several
/// classifiers along it compare.
struct PropertyDistance {
  std::string name;
  int sign = 1;  ///< +1: towards more of the property, -1: towards less
  /// Along the direction that moves this property with the others held; empty when no start code crosses
  std::optional<Crossing> flip = std::nullopt;
  Validity validity;  ///< does the judge still see the class at the flip?
};
FAULTLINE_MEMBERS(PropertyDistance, name, sign, flip, validity)

/// One row of the paper's table: pooled ranking of single channels, no error control.
struct RankedChannel {
  StyleChannel channel;
  std::string layer_name;
  int sign = 1;
  double normalized_difference = 0.0;  ///< pooled, the paper's
  double stratified = 0.0;             ///< within classes
  double auc = 0.5;                    ///< stratified RankAuc
  /// The paper's second ranking; 0 when classifier or generator has no gradient
  double gradient = 0.0;
  double sigma_total = 0.0;     ///< standard deviation over all samples
  double sigma_within = 0.0;    ///< pooled within-class standard deviation
  ClassSplit class_split = {};  ///< of the normalised difference within classes
};
FAULTLINE_MEMBERS(RankedChannel, channel, layer_name, sign, normalized_difference, stratified, auc, gradient,
                  sigma_total, sigma_within, class_split)

/// A style channel in the ranking of one class.
struct ClassChannel {
  StyleChannel channel;
  std::string layer_name;
  int sign = 1;
  /// Mean of the class's failures - mean of its successes, over the pooled within-class standard deviation
  double effect = 0.0;
};
FAULTLINE_MEMBERS(ClassChannel, channel, layer_name, sign, effect)

/// The channels that set failures of one class apart, no error control.
struct ClassRanking {
  std::int64_t class_label = 0;
  std::int64_t failures = 0;
  std::int64_t successes = 0;
  bool skipped = false;           ///< fewer than two failures or successes: nothing to compare, and no channels
  std::vector<ClassChannel> top;  ///< ten, strongest first
};
FAULTLINE_MEMBERS(ClassRanking, class_label, failures, successes, skipped, top)

/// Held-out predictability of failure from w (method 5.2).
struct Omnibus {
  double auc = 0.5;
  double lower = 0.0;
  double upper = 1.0;
  double p = 1.0;
  bool significant = false;
};
FAULTLINE_MEMBERS(Omnibus, auc, lower, upper, p, significant)

/// The smallest effect that discovery and confirmation together would have let through with 80 % power; the
/// intervention that follows is not in it.
struct DetectableEffect {
  double effect = 0.0;  ///< standardised mean difference
  double auc = 0.5;
};
FAULTLINE_MEMBERS(DetectableEffect, effect, auc)

/// What the run cost, in numbers that do not depend on the machine. A batch is one call. The calls that try the laws of
/// a classifier before the run are not among them.
struct CostCounters {
  std::int64_t generator_images = 0;
  std::int64_t generator_batches = 0;
  std::int64_t classifier_images = 0;
  std::int64_t classifier_batches = 0;
  std::int64_t gradient_images = 0;
  std::int64_t property_images = 0;
  std::int64_t judge_images = 0;
  /// multiply-accumulates of all rows that the generator computed, padding too; 0 when it does not state its cost (see
  /// `StatesCost`)
  std::int64_t generator_macs = 0;
  std::int64_t generator_bytes = 0;     ///< activations that it read and wrote; likewise
  std::int64_t generator_launches = 0;  ///< kernels that it started on a device; 0 on the CPU

  /// What came after `before`.
  [[nodiscard]] CostCounters since(const CostCounters& before) const {
    return {generator_images - before.generator_images,   generator_batches - before.generator_batches,
            classifier_images - before.classifier_images, classifier_batches - before.classifier_batches,
            gradient_images - before.gradient_images,     property_images - before.property_images,
            judge_images - before.judge_images,           generator_macs - before.generator_macs,
            generator_bytes - before.generator_bytes,     generator_launches - before.generator_launches};
  }
};
FAULTLINE_MEMBERS(CostCounters, generator_images, generator_batches, classifier_images, classifier_batches,
                  gradient_images, property_images, judge_images, generator_macs, generator_bytes, generator_launches)

/// The whole result of a characterisation. Plain data; `write_json`, `DirectionRenderer` and the gates read it.
struct FailureReport {
  std::string schema = "faultline.report/1";
  Verdict verdict = Verdict::none_found;
  std::string reason;                         ///< one sentence on why the verdict is what it is
  Rate failure_rate;                          ///< both halves pooled
  std::vector<Rate> class_rates;              ///< per class, both halves pooled
  double effective_failures_discovery = 0.0;  ///< n_eff
  double effective_failures_confirmation = 0.0;
  /// Population per half that would give enough failures; 0 when there are enough, or when more would not help
  std::int64_t samples_needed = 0;
  std::vector<Finding> findings;  ///< causes, by the lower bound of the intervention contrast
  /// Go along with failures but moving them changes nothing; their distances are not measured
  std::vector<Finding> associated;
  std::vector<Finding> generator_suspect;  ///< causes that may be the generator's fault
  /// Along every property that w predicts, towards more and then towards less
  std::vector<PropertyDistance> property_distances;
  Omnibus omnibus;
  /// Share of what a linear rule can explain that the findings carry together
  double explained_share = 0.0;
  DetectableEffect smallest_detectable;
  std::vector<RankedChannel> paper_top;  ///< the paper's ten channels
  std::vector<std::string> property_names;
  std::vector<double> property_r2;  ///< how well w predicts each property, within class
  /// Share of unshifted images the judge gives another label; empty without a judge
  std::optional<double> class_leak = std::nullopt;
  std::vector<StyleLayer> layers;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;
  CostCounters cost;
  Provenance provenance;
  std::vector<std::string> warnings;
  /// One per class, from the discovery half; empty when all samples fail or none does
  std::vector<ClassRanking> class_rankings;
};
FAULTLINE_MEMBERS(FailureReport, schema, verdict, reason, failure_rate, class_rates, effective_failures_discovery,
                  effective_failures_confirmation, samples_needed, findings, associated, generator_suspect,
                  property_distances, omnibus, explained_share, smallest_detectable, paper_top, property_names,
                  property_r2, class_leak, layers, classes, class_names, cost, provenance, warnings, class_rankings)

}  // namespace analysis

using analysis::Crossing;
using analysis::DirectionFamily;
using analysis::FailureReport;
using analysis::Finding;
using analysis::Rate;
using analysis::Verdict;

}  // namespace v1
}  // namespace faultline
