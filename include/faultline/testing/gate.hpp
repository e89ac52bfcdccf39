// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// gate: a statement about a classifier that a unit test can assert, with a stated error rate and a replay line (method
// section 16).

#include <faultline/classify/any_criterion.hpp>
#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/class_notes.hpp>
#include <faultline/sampling/preflight.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/rate_monitor.hpp>
#include <faultline/testing/gate_result.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace testing {

namespace detail {

/// A gate on classifier and criterion as they are held; see `gate`.
template <StyleGenerator G, Classifier C>
[[nodiscard]] GateResult run_gate(const G& generator, C& classifier, const FailureRateBelow& policy,
                                  const classify::AnyCriterion& criterion) {
  faultline::core::require_between("gate", "bound", policy.bound, 0.0, 1.0);
  faultline::core::require_between("gate", "confidence", policy.confidence, 0.0, 1.0);
  faultline::core::require_in("gate", "gates", policy.gates, 1, 10'000);
  const double alpha_per_side = (1.0 - policy.confidence) / 2.0;
  statistics::RateMonitor monitor(policy.bound, {.alpha_per_side = alpha_per_side});
  if (policy.max_samples < monitor.next_look())
    throw Error(ErrorCode::invalid_argument, "gate",
                "max_samples must be at least " + std::to_string(monitor.next_look()) +
                    ", where the evidence is looked at first, got " + std::to_string(policy.max_samples) +
                    "; no verdict could be reached");
  faultline::core::require_in("gate", "max_samples", policy.max_samples, 1, limits::samples);
  const auto known = [&] {
    if (monitor.decision() != statistics::RateDecision::above || policy.gates == 1)
      return monitor.decision() != statistics::RateDecision::undecided;
    return statistics::rate_evidence(monitor.failures(), monitor.samples(), policy.bound).against_at_most >=
           static_cast<double>(policy.gates) / alpha_per_side;
  };
  return faultline::core::within_memory("gate", [&]() -> GateResult {
    const StyleSpaceSampler<G> sampler(generator, {.seed = policy.seed,
                                                   .labels = policy.labels,
                                                   .truncation = policy.truncation,
                                                   .cutoff = policy.cutoff,
                                                   .noise = policy.noise,
                                                   .batch_size = policy.batch_size});
    classify::Scorer<C> scorer(classifier, generator.image_shape(), generator.value_range(), sampler.classes(),
                               policy.batch_size, policy.probability_tolerance);
    sampling::preflight("gate", sampler, classifier, scorer, criterion);
    sampling::ClassNotes notes;
    while (monitor.samples() < policy.max_samples && !known()) {
      // Batches start at multiples of the batch size, whatever the budget, so that a larger budget sees the same bits.
      const std::int64_t first = core::gate_first + monitor.samples();
      const auto batch = sampler.sample(first, std::min(policy.batch_size, policy.max_samples - monitor.samples()));
      const classify::SampleOrigin origin{batch.index, policy.seed};
      const classify::ScoredImages scored = [&] {
        if constexpr (ResidentClassifier<C, typename G::image_type>)
          return scorer.resident(batch.images, batch.label, origin);
        else return scorer(generator.image_to_host(batch.images), batch.label, origin);
      }();
      if (generator.num_classes() > 0) notes.add(batch.label, scored.prediction);
      for (std::int64_t i = 0; i < batch.size() && !known(); ++i)
        monitor.add(judge_outcome("gate", criterion, scored.probabilities.row_span(i),
                                  batch.label[static_cast<std::size_t>(i)]));
    }
    monitor.finish();
    const GateVerdict verdict = !known()                                                ? GateVerdict::undecided
                                : monitor.decision() == statistics::RateDecision::below ? GateVerdict::pass
                                                                                        : GateVerdict::fail;
    Provenance run = faultline::analysis::describe_sampling(sampler, criterion, monitor.samples());
    faultline::analysis::describe_classifier(run, classifier);
    return {verdict,        policy,           monitor.samples(), monitor.failures(), monitor.interval(),
            std::move(run), notes.sentences()};
  });
}

}  // namespace detail

/// Draws samples (indices from 2^43) until the policy is decided or its budget ends.
///
/// Before the first of them it checks, on 16 images of its own, what any verdict rests on (see `preflight`): the laws
/// of the classifier, labels that exist, scores that depend on the image.
/// **Throws** invalid_argument for a bound, confidence or budget out of range, a budget that ends before the first
/// look, and labels that are walked in order; incompatible_models for an unconditional generator and a criterion that
/// reads the label; what the sampler throws; property_threw for a criterion that throws; F2xx when the classifier
/// misbehaves, which is never counted as a failure.
/// **Randomness**: sample i depends on (seed, i) alone; a verdict at a budget is kept at every larger one.
/// **Cost**: up to max_samples generator and classifier images, in batches of batch_size, one batch in memory; and the
/// preflight.
/// Example: `auto verdict = gate(generator, mine, FailureRateBelow{.bound = 0.02, .seed = 7});
/// REQUIRE(verdict.passed());`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
[[nodiscard]] GateResult gate(const G& generator, C& classifier, const FailureRateBelow& policy,
                              const F& criterion = {}) {
  return detail::run_gate(generator, *classify::hold<typename G::image_type>(classifier), policy,
                          classify::AnyCriterion::borrow(criterion));
}

template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
GateResult gate(const G&& generator, C& classifier, const FailureRateBelow& policy, const F& criterion = {}) = delete;

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifdef FAULTLINE_COMPILED
#include <faultline/testing/detail/compiled_gates.hpp>
#endif
