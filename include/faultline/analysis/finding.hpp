// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Finding: one condition of failure with everything that was measured of it, as plain data.

#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/statistics/betting_bounds.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What a condition is.
enum class ConditionKind {
  property,     ///< a measured property, or several that matter by one sum
  pair,         ///< two properties together, neither by itself
  direction,    ///< a direction or subspace of w that no property explains
  class_label,  ///< a class that always fails, or is answered as another
};

/// The shape in which a condition acts, which decides what is compared when it is moved.
enum class ConditionShape {
  one_sided,  ///< more of it, or less of it, fails
  two_sided,  ///< both ends fail
  band,       ///< values in between fail, more than either end
  pair,       ///< two properties together
  subspace,   ///< several directions
};

/// Whether a condition can be moved by itself.
enum class Movability {
  movable,
  not_movable,    ///< no edit of w changes it by half a deviation
  not_separable,  ///< another condition moves along
};

/// What moving a condition does to the failure rate, as far as the latents say.
using Decision = statistics::EffectDecision;

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

/// A share with its 95 % interval.
struct Share {
  double estimate = 0.0;
  double lower = 0.0;
  double upper = 0.0;
};
FAULTLINE_MEMBERS(Share, estimate, lower, upper)

/// A direction in w. Moving by t standard deviations means w + t * `w`.
struct Direction {
  std::string name;                   ///< "noise level", "unnamed direction 1"
  std::vector<double> w = {};         ///< [w_dim] step of one within-class standard deviation towards failure
  std::vector<double> whitened = {};  ///< [r] the unit vector in whitened coordinates
  std::optional<std::int64_t> class_label = std::nullopt;  ///< set when it belongs to one class
  /// Of a pair the steps of its two properties, of a subspace those of all its directions, [w_dim] each; else empty
  std::vector<std::vector<double>> parts = {};
};
FAULTLINE_MEMBERS(Direction, name, w, whitened, class_label, parts)

/// Share of a condition's gain in deviance that lies in one class.
struct ClassShare {
  std::int64_t class_label = 0;
  double share = 0.0;
};
FAULTLINE_MEMBERS(ClassShare, class_label, share)

/// What failures go with (method sections 5.1 and 5.2).
struct ConditionSummary {
  ConditionKind kind = ConditionKind::property;
  std::vector<std::string> properties = {};                ///< one; two of a pair; several that matter by one sum; none
  std::optional<std::int64_t> class_label = std::nullopt;  ///< when it is one class's
  std::optional<ConditionShape> shape = std::nullopt;      ///< as fitted on the discovery split
  int sign = 1;                                           ///< +1: more of it fails, -1: less; of a pair, of the product
  Share deviance_share = {};                              ///< D² beyond the conditions before it, on held-out samples
  double stability = 0.0;                                 ///< share of half-samples in which it is chosen again
  std::vector<ClassShare> classes = {};                   ///< of its gain, largest first, at most five
  std::optional<Movability> movability = std::nullopt;    ///< empty where nothing was to be moved
  std::optional<std::string> moves_along = std::nullopt;  ///< the property it cannot be separated from
  bool is_minor = false;  ///< explains less than a fortieth of what all conditions explain, and was not moved
};
FAULTLINE_MEMBERS(ConditionSummary, kind, properties, class_label, shape, sign, deviance_share, stability, classes,
                  movability, moves_along, is_minor)

/// What held-out samples showed for the frozen condition.
struct ConfirmationEffect {
  double p = 1.0;           ///< one-sided, given the conditions before it
  double p_adjusted = 1.0;  ///< Holm over all frozen conditions
};
FAULTLINE_MEMBERS(ConfirmationEffect, p, p_adjusted)

/// What moving a direction did to the latents of one class.
struct ClassInterventionEffect {
  std::int64_t class_label = 0;
  std::int64_t latents = 0;
  /// Mean of fail(w + 2 sd) - fail(w - 2 sd) over them: a share of so few latents, without an interval
  double effect = 0.0;
};
FAULTLINE_MEMBERS(ClassInterventionEffect, class_label, latents, effect)

/// What moving the condition did to failures on valid images, on latents not selected by outcome (method.md: Causes).
struct Intervention {
  std::optional<Decision> decision = std::nullopt;  ///< empty when it was not moved
  std::optional<double> effect = std::nullopt;      ///< change of the failure rate
  std::optional<double> lower = std::nullopt;       ///< bounds that hold at any time, for all conditions together
  std::optional<double> upper = std::nullopt;
  std::optional<double> min_effect = std::nullopt;  ///< what counts as an effect
  std::int64_t latents = 0;
  std::optional<std::int64_t> needed = std::nullopt;  ///< forecast of the latents that would decide
  /// 95th percentile of the effects of random directions off all conditions on the same latents
  std::optional<double> placebo = std::nullopt;
  std::optional<double> invalid_high = std::nullopt;  ///< share of images that are no longer valid at the failing end
  std::optional<double> invalid_low = std::nullopt;   ///< at the other end
  std::vector<ClassInterventionEffect> classes = {};  ///< of the latents of the profile, ascending
};
FAULTLINE_MEMBERS(Intervention, decision, effect, lower, upper, min_effect, latents, needed, placebo, invalid_high,
                  invalid_low, classes)

/// Share of the failures on valid images that would not occur with a condition at its usual level (method.md: The
/// attributable fraction); negative where the change adds failures.
struct Attributable {
  std::optional<double> fraction = std::nullopt;  ///< empty when it was not measured
  std::optional<double> lower = std::nullopt;     ///< 95 % interval
  std::optional<double> upper = std::nullopt;
  std::int64_t latents = 0;   ///< that were set, not selected by outcome
  std::int64_t failures = 0;  ///< among them, before
};
FAULTLINE_MEMBERS(Attributable, fraction, lower, upper, latents, failures)

/// An answer that gains when the condition is moved towards failure.
struct GainedAnswer {
  std::int64_t answer = 0;  ///< class that is answered
  double gain = 0.0;        ///< change of the share of valid images that are wrongly answered so
};
FAULTLINE_MEMBERS(GainedAnswer, answer, gain)

/// How failures and successes of one class differ along a direction or in a style channel.
struct ClassEffect {
  std::int64_t class_label = 0;
  std::int64_t failures = 0;
  std::int64_t successes = 0;
  double effect = 0.0;  ///< mean of failures - mean of successes, in within-class standard deviations
  double standard_error = 0.0;
};
FAULTLINE_MEMBERS(ClassEffect, class_label, failures, successes, effect, standard_error)

/// How much of a difference between failures and successes all classes share, and how much belongs to some of them
/// (method.md: Global and class-specific); measured on the confirmation split.
struct ClassSplit {
  /// common^2 / (common^2 + specific^2), noise removed; empty when neither stands out of the noise, and with fewer than
  /// two classes
  std::optional<double> common_share = std::nullopt;
  double lower = 0.0;  ///< 95 % interval of the share
  double upper = 1.0;
  double common = 0.0;    ///< the stratified difference: mean over classes, weighted by precision
  double specific = 0.0;  ///< standard deviation of the classes' differences around it, noise removed
  double q = 0.0;         ///< Cochran's Q
  double p = 1.0;         ///< of equal differences in all classes
  /// Ascending; a class with fewer than two failures or successes is left out
  std::vector<ClassEffect> classes = {};
};
FAULTLINE_MEMBERS(ClassSplit, common_share, lower, upper, common, specific, q, p, classes)

/// A distance to failure: where a confidence curve first crosses its target.
struct Crossing {
  /// Median distance over the start latents, in standard deviations (+inf when fewer than half cross)
  double sigmas = 0.0;
  double lower = 0.0;               ///< lower end of the 95 % interval of the median
  double upper = 0.0;               ///< upper end (+inf possible)
  double quartile_low = 0.0;        ///< first quartile of the distances
  double quartile_high = 0.0;       ///< third quartile (+inf possible)
  double crossed_share = 0.0;       ///< share of eligible start latents that cross within range
  std::int64_t latents = 0;         ///< eligible start latents
  std::int64_t left_out = 0;        ///< start latents already beyond the target
  double percentile = 0.0;          ///< median percentile of the crossing coordinate in the population, 0 to 100
  bool monotone = true;             ///< the profile does not come back for at least 95 % of the latents
  double monotone_share = 1.0;      ///< share of start latents whose profile does not come back
  bool off_manifold = false;        ///< the median crossing lies outside the .1 to 99.9 % range of the coordinate
  double off_manifold_share = 0.0;  ///< share of crossings outside that range
  /// Median root mean square difference between start and failing image, images in [0, 1]
  double image_rms = 0.0;
  double image_ssim = 1.0;  ///< median structural similarity between them
};
FAULTLINE_MEMBERS(Crossing, sigmas, lower, upper, quartile_low, quartile_high, crossed_share, latents, left_out,
                  percentile, monotone, monotone_share, off_manifold, off_manifold_share, image_rms, image_ssim)
void null_means_infinite(std::type_identity<Crossing>);  // beyond the searched range

/// Distance from the success centre of one class (the paper's start latent).
struct CentreDistance {
  std::int64_t class_label = 0;
  double probability = 0.0;                        ///< p(y) at the centre
  std::optional<double> even_odds = std::nullopt;  ///< standard deviations to p(y) = .5, if crossed within range
  std::optional<double> flip = std::nullopt;       ///< standard deviations to the change of outcome
  std::optional<double> paper = std::nullopt;      ///< the paper's search from the same centre
};
FAULTLINE_MEMBERS(CentreDistance, class_label, probability, even_odds, flip, paper)

/// Mean behaviour along a direction over the start latents.
struct Profile {
  std::vector<double> sigmas;         ///< grid of edits, negative to positive
  std::vector<double> probability;    ///< mean p(y)
  std::vector<double> failure_share;  ///< share of latents that fail
  /// Share of images the judge still gives the label (empty without a judge)
  std::vector<double> judge_agreement;
  std::vector<std::vector<double>> properties;  ///< [P][grid] mean of each property
};
FAULTLINE_MEMBERS(Profile, sigmas, probability, failure_share, judge_agreement, properties)

/// A property of the images at which classifiers give way.
struct PropertyAtFlip {
  std::string name;
  std::int64_t flips = 0;
  double median = 0.0;  ///< in units of the property
  double quartile_low = 0.0;
  double quartile_high = 0.0;
  std::string unit = {};  ///< "px"; empty for a number without one
};
FAULTLINE_MEMBERS(PropertyAtFlip, name, flips, median, quartile_low, quartile_high, unit)

/// Both crossings along one direction or channel (method.md: Distances to failure).
struct Threshold {
  std::optional<Crossing> even_odds = std::nullopt;  ///< p(y) = .5, empty when no start latent crosses
  std::optional<Crossing> flip = std::nullopt;       ///< the outcome changes, empty when no start latent crosses
  std::vector<CentreDistance> centres = {};          ///< per class, from the success centre
  std::vector<PropertyAtFlip> at_flip = {};          ///< the properties of the condition on the images that flip
};
FAULTLINE_MEMBERS(Threshold, even_odds, flip, centres, at_flip)

/// A style channel that goes along with a direction (method.md: Back to StyleSpace).
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

/// What a judge's answers decide of the images at the flip.
enum class ValidityDecision {
  mostly_valid,    ///< the interval of the agreement lies above one half
  mostly_invalid,  ///< below
  undecided,
};

/// Is a shifted image still what it should be (method.md: Distances to failure)? Of the images at the flip.
struct Validity {
  std::optional<Share> agreement = std::nullopt;            ///< share that the judge gives the label, exact interval
  std::int64_t flips = 0;                                   ///< images asked about
  std::optional<ValidityDecision> decision = std::nullopt;  ///< empty without a judge
};
FAULTLINE_MEMBERS(Validity, agreement, flips, decision)

/// The samples with values in [lower, upper); of the last bin, in [lower, upper].
struct ResponseBin {
  double lower = 0.0;
  double upper = 0.0;
  std::optional<double> median = std::nullopt;  ///< of the values in it; empty without samples
  /// Its interval is wider than one by itself: those of all bins hold together with probability `confidence`
  Rate rate;
  /// Failure rate that a model gives to all samples of the curve at the median of this bin, everything else that is in
  /// it as it is; empty where there is nothing else
  std::optional<double> adjusted = std::nullopt;
};
FAULTLINE_MEMBERS(ResponseBin, lower, upper, median, rate, adjusted)

/// Failure rate against one property.
struct ResponseCurve {
  std::string property;
  std::optional<std::int64_t> class_label = std::nullopt;  ///< set when it is of the samples of one class
  std::vector<ResponseBin> bins;                           ///< ascending; the upper end of one is the lower of the next
  std::string unit = {};                                   ///< of the property: "px"; empty for a number without one
  std::string among = {};  ///< which samples, where it is not all of them: "width below 14.2 px"
};
FAULTLINE_MEMBERS(ResponseCurve, property, class_label, bins, unit, among)

/// One property on generated and on real images, in the same bins.
struct RealImageCheck {
  std::string property;
  ResponseCurve generated;
  ResponseCurve real;
  /// Spearman's, of the failure rates over the bins; empty where the bins, or what varies over them, are too few
  std::optional<double> rank_correlation = std::nullopt;
  std::int64_t bins = 0;                      ///< that it is over
  std::optional<double> flip = std::nullopt;  ///< of a cause: the property where moved images flip, a median
  /// Failure rate of the real images minus that of the generated ones in the bin of the flip
  std::optional<double> difference = std::nullopt;
  /// Of a cause: failure rate that the generated images predict for the real ones of each bin, from their class and all
  /// properties of all causes (`OutcomeModel`): what the real rate is to be compared with where their mix differs
  std::vector<double> predicted = {};
  std::optional<double> prediction_correlation = std::nullopt;  ///< Spearman's, of predicted and real rates
};
FAULTLINE_MEMBERS(RealImageCheck, property, generated, real, rank_correlation, bins, flip, difference, predicted,
                  prediction_correlation)

/// Counts of one coordinate for failures and successes over the confirmation split.
struct CoordinateHistogram {
  double lower = 0.0;  ///< left edge of the first bin, in within-class standard deviations from the class mean
  double upper = 0.0;
  std::vector<std::int64_t> failed;
  std::vector<std::int64_t> passed;
};
FAULTLINE_MEMBERS(CoordinateHistogram, lower, upper, failed, passed)

/// A start latent that sheets are drawn from: reproducible from (seed, index).
struct ExampleLatent {
  std::int64_t index = 0;
  std::int64_t label = 0;
  double probability = 0.0;                   ///< p(y) before the edit
  std::optional<double> flip = std::nullopt;  ///< its own distance to failure along the finding
};
FAULTLINE_MEMBERS(ExampleLatent, index, label, probability, flip)

/// One confirmed condition: a cause in `findings`; what it is not known to be in the other lists.
struct Finding {
  std::string title;     ///< unique in a report: "blur", "ink area in class 1"
  std::string headline;  ///< one sentence a reader understands, unique too
  ConditionSummary condition;
  ConfirmationEffect confirmation;
  Intervention intervention;
  Attributable attributable;                          ///< of causes
  Direction direction;                                ///< empty where nothing can be moved
  StyleChannel channel;                               ///< the first carrier
  int sign = 1;                                       ///< sign of the first carrier
  Threshold threshold;                                ///< of causes
  std::optional<Threshold> other_end = std::nullopt;  ///< where both ends fail: towards the other one
  Profile profile;
  std::vector<PropertyEffect> side_effects;  ///< all properties, strongest first
  std::vector<GainedAnswer> answers;    ///< wrong answers that gain at the failing end, largest first, at most three
  std::vector<ResponseCurve> response;  ///< one per property of the condition; of the generator's: invalid share
  std::vector<Carrier> carriers;
  Validity validity;
  CoordinateHistogram histogram;
  std::vector<ExampleLatent> examples;
  ClassSplit class_split = {};  ///< is it the same in all classes?
};
FAULTLINE_MEMBERS(Finding, title, headline, condition, confirmation, intervention, attributable, direction, channel,
                  sign, threshold, other_end, profile, side_effects, answers, response, carriers, validity, histogram,
                  examples, class_split)

}  // namespace analysis

using analysis::ConditionKind;
using analysis::Crossing;
using analysis::Decision;
using analysis::Finding;
using analysis::Rate;
using analysis::RealImageCheck;
using analysis::ResponseCurve;

}  // namespace v1
}  // namespace faultline
