// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The options of the analysis, with the defaults of the method (section 15).

#include <faultline/analysis/problem/budget.hpp>
#include <faultline/analysis/problem/property.hpp>
#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/validate_scores.hpp>
#include <faultline/core/progress.hpp>
#include <faultline/sampling/sampler_options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How the method is carried out; shared by `AnalyzerOptions` and `CharacterizeOptions`.
struct MethodOptions {
  double alpha = 0.05;  ///< family-wise error rate of the confirmed conditions, and again of their effects
  std::int64_t permutations = 9'999;                        ///< of the first condition's test
  std::int64_t half_samples = 20;                           ///< of the discovery split, for stability; 0 leaves it out
  std::int64_t intervention_latents = 4'096;                ///< within which one should decide: see `EffectOptions`
  std::int64_t intervention_images = 30'000;                ///< of all conditions together at most
  std::int64_t fraction_latents = 2'048;                    ///< on which attributable fractions are measured
  std::int64_t placebo_directions = 32;                     ///< 0 leaves them out
  std::int64_t threshold_latents = 64;                      ///< from which distances to failure are measured
  double least_effective_failures = 20.0;                   ///< in each split, where no class can be tested by itself
  std::vector<Property> properties = default_properties();  ///< append your own measures
  /// a second, stronger classifier that reads every sample and is used for validity alone
  std::optional<AnyClassifier> judge = std::nullopt;
  std::int64_t batch_size = 64;  ///< fixed padded batch of generator and classifier
  ProgressCallback progress = nullptr;
  /// Whether distances are measured along every property, cause or not: about 1 000 images per property and side
  bool property_distances = true;
  /// Samples of the discovery split over which the paper's gradient ranking is averaged, where models have gradients; 0
  /// leaves it out
  std::int64_t gradient_samples = 1'024;
  /// Whether distances are also measured from the mean of each class's successes, with the paper's search: some hundred
  /// images per finding
  bool centre_distances = true;
  /// By how much declared probabilities may miss [0, 1] and a sum of 1, in [0, 0.1]
  double probability_tolerance = classify::default_probability_tolerance;
  std::string command = {};  ///< the command line of a program, which the report keeps
  Budget budget = {};        ///< of `FailureAnalyzer::run` and `characterize`; others refuse one
};

/// Calls visit(name, member) for every number among the options, in their order: what descriptions of a run are written
/// from.
template <class Visit>
void for_each_number(const MethodOptions& method, const Visit& visit) {
  visit("alpha", method.alpha);
  visit("permutations", method.permutations);
  visit("half_samples", method.half_samples);
  visit("intervention_latents", method.intervention_latents);
  visit("intervention_images", method.intervention_images);
  visit("fraction_latents", method.fraction_latents);
  visit("placebo_directions", method.placebo_directions);
  visit("threshold_latents", method.threshold_latents);
  visit("least_effective_failures", method.least_effective_failures);
  visit("batch_size", method.batch_size);
  visit("property_distances", method.property_distances);
  visit("gradient_samples", method.gradient_samples);
  visit("centre_distances", method.centre_distances);
  visit("probability_tolerance", method.probability_tolerance);
  visit("budget.seconds", method.budget.seconds);
  visit("budget.images", method.budget.images);
}

/// Options of `FailureAnalyzer`; seed, labels and truncation are the sampler's.
struct AnalyzerOptions {
  std::int64_t samples = 10'000;  ///< per split
  MethodOptions method = {};
};

/// Options of `characterize`.
struct CharacterizeOptions {
  std::int64_t samples = 10'000;  ///< per split
  std::int64_t seed = 0;
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  Noise noise = Noise::constant;
  MethodOptions method = {};
  std::optional<std::int64_t> cutoff = std::nullopt;  ///< truncate the first layers only, see `SamplerOptions`
};

}  // namespace analysis

using analysis::AnalyzerOptions;
using analysis::CharacterizeOptions;
using analysis::MethodOptions;

}  // namespace v1
}  // namespace faultline
