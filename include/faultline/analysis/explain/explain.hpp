// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Explainer: of which known cause is one failing image an instance? Its latent is read along every finding, and each
// coordinate is repaired in turn.

#include <faultline/classify/any_criterion.hpp>
#include <faultline/analysis/confirm/intervention_directions.hpp>
#include <faultline/analysis/distance/boundary_search.hpp>
#include <faultline/analysis/problem/build_problem.hpp>
#include <faultline/analysis/problem/check_options.hpp>
#include <faultline/analysis/problem/held_out_latents.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/statistics/whitening.hpp>

#include <cstddef>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A cause that an image can be an instance of: a finding of an earlier characterisation.
struct KnownCause {
  std::string title;    ///< what a reader calls it
  Direction direction;  ///< of which `w` and `class_label` are used
  /// Median distance to failure of well-classified latents
  double flip = std::numeric_limits<double>::infinity();
};

/// One image seen along one known cause. Coordinates are in within-class standard deviations from the class mean,
/// positive towards failure.
struct ExplainedCause {
  std::size_t cause = 0;  ///< position in the list of known causes
  double coordinate = 0.0;
  double percentile = 50.0;     ///< of the coordinate among samples of the class, 0 to 100
  double success_median = 0.0;  ///< of the coordinate among the class's successes
  bool failing_side = false;    ///< the coordinate lies beyond that median, towards failure
  /// The image fails, and no longer does with this coordinate at the success median
  bool repaired = false;
  double probability = 0.0;     ///< p(y) then
  std::int64_t prediction = 0;  ///< class with the highest probability then
  double gain = 0.0;            ///< log-odds of y gained by that
  /// Empty where the causes leave no direction to move in at random; else the share of 16 random edits of the same
  /// length that make the image right as well: near 1, the image fails by little and repairing it says little
  std::optional<double> random_repaired = std::nullopt;
  /// Shortest edit along the cause at which the outcome changes: away from failure (negative) when the image fails,
  /// towards it otherwise
  std::optional<double> flip = std::nullopt;
};

/// Why an image fails, as far as known causes tell.
struct Explanation {
  std::int64_t label = 0;
  bool failed = false;
  std::int64_t prediction = 0;
  double probability = 0.0;  ///< p(y)
  /// On the failing side and repairing first, then on the failing side, then the others; each group by log-odds gained
  std::vector<ExplainedCause> causes;
  /// All coordinates on a failing side set to their success medians at once
  bool together_repaired = false;
  double together_probability = 0.0;
  std::int64_t together_prediction = 0;
  /// [0, 1]: the image, then one repaired image per entry of `causes`, then the one with all repaired
  ImageBatch images;
};

/// How far an image is moved along a cause to find where its outcome changes, in standard deviations.
inline constexpr double explanation_range = 8.0;

/// Explains images, given as latents, by known causes.
///
/// Borrowed: `problem`, whose `discovery` split (the population that the causes were found on, or another of the same
/// generator) gives class means, spread and the medians of successes, and whose `answer_edits` judges edited latents.
/// Causes that belong to another class than an image are left out. A repair is a counterfactual about what the
/// generator makes of the latent: for a real image, look first whether the classifier says the same of image and
/// reconstruction.
/// **Throws** shape_mismatch when a cause's direction or a latent has another dimension than w, label_out_of_range;
/// incompatible_models when a direction is not one standard deviation long in this population (the causes are another
/// generator's); what `fit_whitening` throws.
/// **Randomness**: random edits from (problem.seed, Stream::start_latents, 2^41 + j). **Cost**: per image about 60
/// edited images per cause. Example: `Explainer explainer(analyzer.problem(), known_causes); Explanation why =
/// explainer(projection.w, projection.label);`
class Explainer {
 public:
  Explainer(const Problem& problem, std::vector<KnownCause> causes);
  Explainer(const Problem&&, std::vector<KnownCause>) = delete;

  [[nodiscard]] Explanation operator()(std::span<const float> w, std::int64_t label) const;

  [[nodiscard]] const std::vector<KnownCause>& causes() const noexcept { return causes_; }
  [[nodiscard]] const statistics::Whitening& whitening() const noexcept { return whitening_; }

 private:
  void find_flips(std::span<const float> w, Explanation& explanation) const;

  const Problem* problem_;
  std::vector<KnownCause> causes_;
  statistics::Whitening whitening_;
  Matrix<double> whitened_;                                     ///< of the discovery split
  std::vector<InterventionDirection> intervention_directions_;  ///< one per cause
  std::vector<Edit> random_edits_;  ///< one standard deviation each, orthogonal to all causes
};

/// The population that a characterisation discovered its causes on, drawn and classified again: what an `Explainer`
/// needs, without properties and confirmation split.
///
/// Sampler, classifier and criterion must be those of the characterisation, as its provenance has them. Generator and
/// classifier are borrowed.
/// **Throws** empty_input for no samples; what the classifier gives rise to (F2xx). **Cost**: `samples` images, and the
/// preflight.
/// Example: `Problem problem = discovery_problem(sampler, classifier, Misclassified{},
/// report.provenance.samples_per_split, {.batch_size = report.provenance.batch_size});`
template <StyleGenerator G, Classifier C, FailureCriterion F>
  requires AffineStyles<G> && std::copy_constructible<F>
[[nodiscard]] Problem discovery_problem(const StyleSpaceSampler<G>& sampler, C& classifier, F criterion,
                                        std::int64_t samples, MethodOptions method = {}) {
  check_samples("discovery_problem", samples);
  check_options(method);
  method.properties.clear();
  const AnySource source = make_source(sampler, classify::hold<typename G::image_type>(classifier),
                                       classify::AnyCriterion(std::move(criterion)), method, "discovery_problem");
  Problem problem = source.problem;
  source.preflight();
  core::within_memory("discovery_problem",
                      [&] { problem.discovery = source.sample(core::discovery_first, samples, "sampling"); });
  return problem;
}

}  // namespace analysis

using analysis::Explainer;
using analysis::Explanation;

}  // namespace v1
}  // namespace faultline

#include <faultline/analysis/properties/default_properties.hpp>

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/explain/detail/explain_impl.hpp>
#endif
