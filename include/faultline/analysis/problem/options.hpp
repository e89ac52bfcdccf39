// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The options of the analysis, with the defaults of the method (section 15).

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
  double alpha = 0.05;       ///< family-wise error rate of the confirmed directions
  double min_effect = 0.02;  ///< smallest intervention contrast that counts as a cause
  std::int64_t permutations_discovery = 999;
  std::int64_t permutations_confirmation = 9'999;
  std::int64_t common_candidates = 10;    ///< at most so many directions common to all classes
  std::int64_t class_candidates = 2;      ///< at most so many more per class
  std::int64_t intervention_codes = 128;  ///< 512 in a campaign
  std::int64_t placebo_directions = 32;
  std::int64_t threshold_codes = 64;
  double minimum_effective_failures = 50.0;
  std::vector<Property> properties = default_properties();  ///< append your own measures
  /// a second, stronger classifier used only for validity
  std::optional<AnyClassifier> judge = std::nullopt;
  std::int64_t batch_size = 64;  ///< fixed padded batch of generator and classifier
  ProgressCallback progress = nullptr;
  /// Whether distances are measured along every property, cause or not: about 1 000 images per property and side
  bool property_distances = true;
  /// Samples of the discovery half over which the paper's gradient ranking is averaged, where models have gradients; 0
  /// leaves it out
  std::int64_t gradient_samples = 1'024;
  /// Whether distances are also measured from the mean of each class's successes, with the paper's search: some hundred
  /// images per finding
  bool centre_distances = true;
  /// By how much declared probabilities may miss [0, 1] and a sum of 1, in [0, 0.1]
  double probability_tolerance = classify::default_probability_tolerance;
  std::string command = {};  ///< the command line of a program, which the report keeps
};

/// Calls visit(name, member) for every number among the options, in their order: what descriptions of a run are written
/// from.
template <class Visit>
void for_each_number(const MethodOptions& method, const Visit& visit) {
  visit("alpha", method.alpha);
  visit("min_effect", method.min_effect);
  visit("permutations_discovery", method.permutations_discovery);
  visit("permutations_confirmation", method.permutations_confirmation);
  visit("common_candidates", method.common_candidates);
  visit("class_candidates", method.class_candidates);
  visit("intervention_codes", method.intervention_codes);
  visit("placebo_directions", method.placebo_directions);
  visit("threshold_codes", method.threshold_codes);
  visit("minimum_effective_failures", method.minimum_effective_failures);
  visit("batch_size", method.batch_size);
  visit("property_distances", method.property_distances);
  visit("gradient_samples", method.gradient_samples);
  visit("centre_distances", method.centre_distances);
  visit("probability_tolerance", method.probability_tolerance);
}

/// Options of `FailureAnalyzer`; seed, labels and truncation are the sampler's.
struct AnalyzerOptions {
  std::int64_t samples = 10'000;  ///< per half
  MethodOptions method = {};
};

/// Options of `characterize`.
struct CharacterizeOptions {
  std::int64_t samples = 10'000;  ///< per half
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
