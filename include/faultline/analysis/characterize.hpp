// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// characterize: the whole way in one call.

#include <faultline/analysis/failure_analyzer.hpp>

#include <concepts>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Samples `generator`, classifies the images, finds, confirms, challenges and measures the directions along which
/// `classifier` fails.
///
/// Sampler and FailureAnalyzer composed: see there for error rates, exceptions and cost. Both models are borrowed for
/// the call.
/// Example: `FailureReport report = characterize(generator, mine, {.samples = 10'000, .seed = 7});`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  requires AffineStyles<G> && std::copy_constructible<F>
[[nodiscard]] FailureReport characterize(const G& generator, C& classifier, CharacterizeOptions options = {},
                                         F criterion = {}) {
  const StyleSpaceSampler<G> sampler(generator, {.seed = options.seed,
                                                 .labels = options.labels,
                                                 .truncation = options.truncation,
                                                 .cutoff = options.cutoff,
                                                 .noise = options.noise,
                                                 .batch_size = options.method.batch_size});
  FailureAnalyzer<G, C, F> analyzer(sampler, classifier, std::move(criterion),
                                    {.samples = options.samples, .method = std::move(options.method)});
  return analyzer.run();
}

}  // namespace analysis

using analysis::characterize;

}  // namespace v1
}  // namespace faultline
