// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// gate: a statement about a classifier that a unit test can assert, with a stated error rate and a replay line (method
// section 16).

#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/interrupted.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/testing/detail/draw_gate_samples.hpp>
#include <faultline/testing/detail/gate_watcher.hpp>
#include <faultline/testing/gate_policies.hpp>
#include <faultline/testing/gate_result.hpp>

#include <array>
#include <exception>
#include <memory>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace testing {

/// Draws samples (indices from 2^43) until the policy is decided or its budget ends. Policies: see gate_policies.hpp
/// and baseline.hpp; other headers bring gates of their own for policies that need no such samples.
///
/// Before the first of them it checks, on 16 images of its own, what any verdict rests on (see `preflight`): the laws
/// of the classifier, labels that exist, scores that depend on the image.
/// **Throws** invalid_argument for a bound, confidence or budget out of range, a budget that ends before the first
/// interim analysis, labels that are walked in order, and an environment variable FAULTLINE_MODE that is neither smoke
/// nor full; incompatible_models for an unconditional generator and a criterion or policy that reads the label; what
/// the sampler throws; property_threw for a criterion or property that throws; F2xx when the classifier misbehaves,
/// which is never counted as a failure: after the preflight that is an `Interrupted<GateResult>`, whose `found()` has
/// what was counted.
/// **Randomness**: sample i depends on (seed, i) alone; a verdict at a budget is kept at every larger one.
/// **Cost**: up to max_samples generator and classifier images, in batches of batch_size, one batch in memory; and the
/// preflight.
/// Example: `auto verdict = gate(generator, mine, FailureRateBelow{.bound = 0.02, .seed = 7});
/// REQUIRE(verdict.passed());`
template <StyleGenerator G, Classifier C, detail::WatchedPolicy P = FailureRateBelow,
          FailureCriterion F = Misclassified>
[[nodiscard]] GateResult gate(const G& generator, C& classifier, const P& policy, const F& criterion = {}) {
  const std::unique_ptr<detail::GateWatcher> watcher = watch(policy, classify::AnyCriterion::borrow(criterion));
  std::array watchers{watcher.get()};
  try {
    return watcher->conclude(detail::draw_gate_samples(generator, *classify::hold<typename G::image_type>(classifier),
                                                       detail::population_of(policy), watchers));
  } catch (const Interrupted<detail::SamplesDrawn>& met) {
    std::throw_with_nested(Interrupted<GateResult>(met, detail::conclude_interrupted(*watcher, met.found().run, met)));
  }
}

template <StyleGenerator G, Classifier C, detail::WatchedPolicy P = FailureRateBelow,
          FailureCriterion F = Misclassified>
GateResult gate(const G&& generator, C& classifier, const P& policy, const F& criterion = {}) = delete;

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifdef FAULTLINE_COMPILED
#include <faultline/testing/detail/compiled_gates.hpp>
#endif
