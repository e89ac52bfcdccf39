// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// FailureReport: everything the analysis found, as plain data; every output format is written from it.

#include <faultline/analysis/finding.hpp>
#include <faultline/analysis/provenance.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What the analysis concludes (method.md: Lists and verdicts).
enum class Verdict {
  systematic_causes,         ///< at least one condition is a cause
  systematic_without_cause,  ///< conditions are confirmed, none of which is known to be a cause; see `reason`
  none_found,        ///< no condition was confirmed; see `smallest_detectable` for what would have been reported
  too_few_failures,  ///< neither the whole nor any class can be tested; see `reason`
};

/// Counts in rows and columns.
struct CountTable {
  std::vector<std::vector<std::int64_t>> counts = {};

  [[nodiscard]] std::int64_t rows() const noexcept { return static_cast<std::int64_t>(counts.size()); }
  [[nodiscard]] std::int64_t cols() const noexcept {
    return counts.empty() ? 0 : static_cast<std::int64_t>(counts.front().size());
  }
  [[nodiscard]] std::int64_t& operator()(std::int64_t row, std::int64_t col) noexcept {
    return counts[static_cast<std::size_t>(row)][static_cast<std::size_t>(col)];
  }
  [[nodiscard]] std::int64_t operator()(std::int64_t row, std::int64_t col) const noexcept {
    return counts[static_cast<std::size_t>(row)][static_cast<std::size_t>(col)];
  }
};
FAULTLINE_MEMBERS(CountTable, counts)

/// Whose failures they are (method.md: Whose failures): the judge still gives the label, or it does not either.
/// `failures` of a rate counts what the rate is of, `n` are all failures.
struct Blame {
  Rate classifier;  ///< share of the failures on valid images
  Rate generator;   ///< share on images that the judge cannot read either: the generator's, or ambiguous to anybody
};
FAULTLINE_MEMBERS(Blame, classifier, generator)

/// What can be wrong with a class as a whole.
enum class ClassFault {
  always_fails,  ///< every sample of the class fails
  answered_as,   ///< the class is mostly answered as one other
  swapped,       ///< two classes are answered as each other
};

/// A class that fails as a class.
struct ClassFinding {
  ClassFault fault = ClassFault::always_fails;
  std::int64_t class_label = 0;
  std::optional<std::int64_t> answer = std::nullopt;  ///< what it is mostly answered as
  Rate rate;                                          ///< of failures in the class
  std::string headline;
};
FAULTLINE_MEMBERS(ClassFinding, fault, class_label, answer, rate, headline)

/// Two causes moved together by as little as still makes the classifier fail on a valid image: what is left when shifts
/// are dropped or halved as long as that holds.
struct JointShift {
  std::int64_t latents = 0;    ///< start latents, valid and not failing
  std::int64_t failed = 0;     ///< of them: fail, on a valid image, when both causes are moved
  std::int64_t need_both = 0;  ///< of these: neither shift can be dropped
  /// Median shift of each cause over those that need both, in standard deviations; empty where none does
  std::optional<double> first = std::nullopt;
  std::optional<double> second = std::nullopt;
};
FAULTLINE_MEMBERS(JointShift, latents, failed, need_both, first, second)

/// Two conditions that are more, or less, together than each by itself.
struct InteractionFinding {
  std::string first;  ///< titles of the conditions
  std::string second;
  std::vector<std::string> properties = {};            ///< two
  std::vector<std::string> units = {};                 ///< theirs, empty ones where they have none
  std::optional<Share> deviance_share = std::nullopt;  ///< of their product beyond both; empty where none was found
  std::optional<double> p_adjusted = std::nullopt;
  /// AF_a + AF_b − AF_ab: above 0 failures need both, 0 they act separately; of two causes
  std::optional<Share> overlap = std::nullopt;
  /// Mean of [ℓ_ab < 0] − [ℓ_a + ℓ_b − ℓ_0 < 0], ℓ = log p_y/(1−p_y): failures beyond what adds up on the logit scale
  std::optional<Share> beyond_additive = std::nullopt;
  std::optional<JointShift> joint = std::nullopt;  ///< of two causes
  std::vector<double> first_edges = {};            ///< [A + 1] cells of the map, in units of the properties
  std::vector<double> second_edges = {};           ///< [B + 1]
  CountTable failures = {};                        ///< [A][B] failures on valid images
  CountTable samples = {};                         ///< [A][B]
  std::string headline;
};
FAULTLINE_MEMBERS(InteractionFinding, first, second, properties, units, deviance_share, p_adjusted, overlap,
                  beyond_additive, joint, first_edges, second_edges, failures, samples, headline)

/// How much more (or less) of one image property well-classified images withstand, whether the property was found to be
/// a cause or not. The direction depends on generator, labels and seed, not on the classifier: distances of several
/// classifiers along it compare.
struct PropertyDistance {
  std::string name;
  int sign = 1;  ///< +1: towards more of the property, -1: towards less
  /// Along the direction that moves this property with the others held; empty when no start latent crosses
  std::optional<Crossing> flip = std::nullopt;
  std::optional<PropertyAtFlip> at_flip = std::nullopt;  ///< the property itself there
  Validity validity;                                     ///< does the judge still see the class at the flip?
};
FAULTLINE_MEMBERS(PropertyDistance, name, sign, flip, at_flip, validity)

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

/// The smallest condition that the whole procedure, intervention included, would have reported with probability .8: one
/// property that acts in one direction in all classes and is read by w.
struct DetectableEffect {
  double effect = 0.0;          ///< change of the failure rate between −2 and +2 standard deviations
  double deviance_share = 0.0;  ///< D² of such a condition
  double power = 0.8;
};
FAULTLINE_MEMBERS(DetectableEffect, effect, deviance_share, power)

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
  std::string schema = "faultline.report/2";
  Verdict verdict = Verdict::none_found;
  std::string reason;                             ///< one sentence on why the verdict is what it is
  Rate failure_rate;                              ///< both splits pooled
  bool validity_checked = false;                  ///< whether a judge read every sample
  std::optional<Blame> blame = std::nullopt;      ///< empty without a judge or without failures
  std::optional<Rate> class_leak = std::nullopt;  ///< share of all images that are not valid; empty without a judge
  std::vector<Rate> class_leaks = {};             ///< the same per class, simultaneous; empty without a judge
  std::vector<Rate> class_rates;                  ///< per class, both splits pooled, simultaneous intervals
  CountTable confusion;                           ///< label x answer, both splits
  std::vector<ClassFinding> class_findings;       ///< classes that fail as classes
  double effective_failures_discovery = 0.0;      ///< n_eff of the valid samples
  double effective_failures_confirmation = 0.0;
  /// Population per split that would give enough failures; 0 when there are enough, or when more would not help
  std::int64_t samples_needed = 0;
  std::vector<Finding> findings;       ///< causes, the largest lower bound of the attributable fraction first
  std::vector<Finding> associated;     ///< go with failures, but moving them does nothing
  std::vector<Finding> undecided;      ///< moved without a decision, or not moved: minor, or the budget ended before
  std::vector<Finding> not_movable;    ///< this generator does not move them, or not by themselves
  std::vector<Finding> generators;     ///< go with images that are not valid: the generator's
  Attributable attributable_together;  ///< of all causes
  std::optional<Share> explained = std::nullopt;  ///< D² of all conditions together
  std::optional<Share> ceiling = std::nullopt;    ///< D² that all properties and a quadratic rule in w reach together
  std::vector<InteractionFinding> interactions;
  std::optional<DetectableEffect> smallest_detectable = std::nullopt;
  /// Along every property that w predicts, towards more and then towards less
  std::vector<PropertyDistance> property_distances;
  std::vector<RankedChannel> paper_top;  ///< the paper's ten channels
  std::vector<std::string> property_names;
  std::vector<std::string> property_units = {};  ///< as an axis has them: "px"; empty where none has one
  std::vector<double> property_r2;               ///< how well w predicts each property, within class
  std::vector<StyleLayer> layers;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;
  CostCounters cost;
  Provenance provenance;
  std::vector<std::string> warnings;
  bool cut_short = false;  ///< a budget ended the run early; `warnings` say what that left undone
  /// One per class, from the discovery split; empty when all samples fail or none does
  std::vector<ClassRanking> class_rankings;
  /// Every property of every cause on real images, where some were given
  std::vector<RealImageCheck> real_images = {};
};
FAULTLINE_MEMBERS(FailureReport, schema, verdict, reason, failure_rate, validity_checked, blame, class_leak,
                  class_leaks, class_rates, confusion, class_findings, effective_failures_discovery,
                  effective_failures_confirmation, samples_needed, findings, associated, undecided, not_movable,
                  generators, attributable_together, explained, ceiling, interactions, smallest_detectable,
                  property_distances, paper_top, property_names, property_units, property_r2, layers, classes,
                  class_names, cost, provenance, warnings, cut_short, class_rankings, real_images)

}  // namespace analysis

using analysis::CountTable;
using analysis::FailureReport;
using analysis::Verdict;

}  // namespace v1
}  // namespace faultline
