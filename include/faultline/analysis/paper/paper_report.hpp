// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// PaperReport: what the method of Le Coz, Herbin and Adjed (2022) says of a classifier, as plain data. No error is
// controlled anywhere in it.

#include <faultline/analysis/paper/attfind.hpp>
#include <faultline/analysis/paper/corner_cases.hpp>
#include <faultline/analysis/rank/agreement.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

/// What moving channels by ± 2 standard deviations does to held-out latents that were not selected by outcome (ours:
/// the paper has no such check).
struct ShiftEffect {
  double effect = 0.0;              ///< mean of fail(+2 sd) - fail(-2 sd), + being the direction of failure
  double lower = 0.0;               ///< one-sided 95 % lower bound
  double probability_effect = 0.0;  ///< mean of p(y | -2 sd) - p(y | +2 sd)
};
FAULTLINE_MEMBERS(ShiftEffect, effect, lower, probability_effect)

/// One row of the paper's table, with what else was measured of the channel.
struct PaperChannel {
  analysis::RankedChannel ranked;
  double theta = 0.0;  ///< StyleSpaceTheta
  ShiftEffect effect;
};
FAULTLINE_MEMBERS(PaperChannel, ranked, theta, effect)

/// Did p(y) reach .5 when channels were shifted from the centre of a class?
enum class PaperCrossing {
  crossed,
  never_crosses,           ///< not within 100 standard deviations
  starts_below_even_odds,  ///< the centre has p(y) <= .5 already
};

/// The paper's search along one channel, or along all top channels together.
struct PaperDistance {
  PaperCrossing status = PaperCrossing::never_crosses;
  std::optional<double> sigmas = std::nullopt;  ///< in total unbiased standard deviations; empty unless crossed
  /// p(y) at the end of the search, asked once more; that of the centre unless crossed
  double probability = 0.0;
};
FAULTLINE_MEMBERS(PaperDistance, status, sigmas, probability)

/// What can be said of a class.
enum class PaperClassStatus {
  complete,
  /// No sample of the class fails: it had no part in the ranking; its centre is shifted all the same
  no_failures,
  no_successes,            ///< no sample of the class succeeds: it has no centre, nothing is shifted
  no_samples,              ///< the label policy draws none
  centre_below_even_odds,  ///< the centre of its successes has p(y) <= .5: distances start beyond their target
};

/// Shifts of the centre of one class.
struct PaperClass {
  std::int64_t class_label = 0;
  PaperClassStatus status = PaperClassStatus::complete;
  /// One sentence wherever something is missing: a status, a distance that is never crossed, corner cases that never
  /// fail
  std::string note;
  std::int64_t failures = 0;
  std::int64_t successes = 0;
  double probability = 0.0;              ///< p(y) of the centre
  std::vector<PaperDistance> distances;  ///< one per top channel, in their order; empty without a centre
  std::optional<PaperDistance> together = std::nullopt;  ///< all top channels shifted at once
  std::vector<CornerCase> corner_cases;
};
FAULTLINE_MEMBERS(PaperClass, class_label, status, note, failures, successes, probability, distances, together,
                  corner_cases)

/// How differently a property separates failures from successes in different classes.
struct PropertySpread {
  std::string name;
  /// Difference of means over the pooled within-class deviation; empty with fewer than 5 failures or successes
  std::vector<std::optional<double>> by_class;
  double common = 0.0;  ///< the mean over classes, weighted by precision
  double error = 0.0;   ///< its standard error
  double spread = 0.0;  ///< standard deviation of the classes' true differences, sampling noise taken out
};
FAULTLINE_MEMBERS(PropertySpread, name, by_class, common, error, spread)

/// The whole answer of the paper's method, next to which agreement of rankings and effects of edits say what it is
/// worth.
struct PaperReport {
  std::string schema = "faultline.paper/1";
  std::string note;   ///< one sentence on what is missing as a whole, or ""
  Rate failure_rate;  ///< discovery split, which everything here is computed on
  /// By pooled normalised difference; empty when all samples fail or none
  std::vector<PaperChannel> top;
  std::vector<analysis::RankedChannel> top_by_gradient;  ///< by the gradient ranking; empty without gradients
  std::optional<ShiftEffect> together = std::nullopt;    ///< all top channels moved at once
  std::vector<double> random_channel_effects;            ///< effects of random channels moved alone, for comparison
  std::int64_t effect_latents = 0;                       ///< latents that effects were measured on
  std::vector<PaperClass> classes;
  std::optional<AttFindResult> attfind = std::nullopt;
  std::vector<analysis::RankingAgreement> agreement;
  std::vector<PropertySpread> properties;
  std::vector<StyleLayer> layers;
  std::vector<std::string> class_names;
  analysis::CostCounters cost;
  Provenance provenance;
};
FAULTLINE_MEMBERS(PaperReport, schema, note, failure_rate, top, top_by_gradient, together, random_channel_effects,
                  effect_latents, classes, attfind, agreement, properties, layers, class_names, cost, provenance)

}  // namespace paper

using paper::PaperReport;

}  // namespace v1
}  // namespace faultline
