// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What looks on while samples are drawn and knows when it has seen enough: the sampled half of a gate, without the
// types of generator and classifier.

#include <faultline/analysis/problem/property.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/sampling/sampler_options.hpp>
#include <faultline/testing/detail/mode_of.hpp>
#include <faultline/testing/gate_policies.hpp>
#include <faultline/testing/gate_result.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// A population of samples, as far as a gate chooses it. Gates with equal ones can share their samples.
struct GatePopulation {
  SamplerOptions sampling = {};
  double probability_tolerance = classify::default_probability_tolerance;
  friend bool operator==(const GatePopulation&, const GatePopulation&) = default;
};

/// The population that a policy asks for: that of its baseline, where it has one.
template <class Policy>
[[nodiscard]] GatePopulation population_of(const Policy& policy) {
  if constexpr (requires { policy.baseline.run; })
    return {sampler_options(policy.baseline.run), policy.baseline.probability_tolerance};
  else
    return {{.seed = policy.seed,
             .labels = policy.labels,
             .truncation = policy.truncation,
             .cutoff = policy.cutoff,
             .noise = policy.noise,
             .batch_size = policy.batch_size},
            policy.probability_tolerance};
}

/// What is known of generator and classifier before a sample is drawn.
struct GateModels {
  std::int64_t classes = 0;  ///< of the generator; 1 for an unconditional one
  bool conditional = true;   ///< whether its images have labels
  ImageShape image_shape = {};
  std::string generator_digest = {};
  std::string input = {};  ///< what the classifier's input looks like, see `input_spec_text`
};

/// One classified sample.
struct GateSample {
  std::int64_t number = 0;  ///< how many were drawn before it
  std::int64_t label = 0;
  std::int64_t prediction = 0;
  std::span<const float> probabilities = {};
  std::span<const float> properties = {};  ///< values of those that `bind` was told of
};

/// How a population was drawn, and how far.
struct SamplesDrawn {
  Provenance run;
  std::int64_t count = 0;
};

/// One gate while samples are drawn. `add` is called for sample after sample until `known`, or until the budget ends.
class GateWatcher {
 public:
  virtual ~GateWatcher() = default;

  [[nodiscard]] virtual const classify::AnyCriterion& criterion() const = 0;
  /// **Throws** what is wrong with the policy for these models.
  virtual void begin(const GateModels& models) = 0;
  [[nodiscard]] virtual std::int64_t budget() const = 0;
  /// Properties that it has to have measured.
  [[nodiscard]] virtual std::vector<Property> properties() const { return {}; }
  /// Names of all that are measured, in the order in which `GateSample` has them.
  virtual void bind(std::span<const std::string>) {}
  virtual void add(const GateSample& sample) = 0;
  [[nodiscard]] virtual bool known() const = 0;
  /// Ends it. `run` describes the sampling; its number of samples is the watcher's to fill in.
  [[nodiscard]] virtual GateResult conclude(Provenance run) = 0;
};

/// Whether a watcher wants no more: it knows, or its budget has ended.
[[nodiscard]] inline bool is_done(const GateWatcher& watcher, std::int64_t drawn) {
  return watcher.known() || drawn >= watcher.budget();
}

/// What a watcher concludes that an error ended: nothing, but what it has counted until then.
[[nodiscard]] GateResult conclude_interrupted(GateWatcher& watcher, Provenance run, const Error& error);
/// The same of a gate that had not begun to count.
[[nodiscard]] GateResult interrupted_gate(double confidence, const Error& error);

/// The result of a gate on one rate from what was counted.
[[nodiscard]] GateResult rate_result(GateVerdict verdict, const FailureRateBelow& policy, std::int64_t samples,
                                     std::int64_t failures, const statistics::Interval& interval, Provenance run,
                                     std::vector<std::string> notes = {}, std::string advice = {});

}  // namespace detail

/// What watches the samples for a policy; found by the policy's type, so that other headers add theirs.
[[nodiscard]] std::unique_ptr<detail::GateWatcher> watch(const FailureRateBelow& policy,
                                                         classify::AnyCriterion criterion);
[[nodiscard]] std::unique_ptr<detail::GateWatcher> watch(const FailureRateBelowPerClass& policy,
                                                         classify::AnyCriterion criterion);

namespace detail {

/// A policy whose gate watches samples that are drawn for it.
template <class P>
concept WatchedPolicy = requires(const P& policy, classify::AnyCriterion criterion) {
  { watch(policy, criterion) } -> std::same_as<std::unique_ptr<GateWatcher>>;
};

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/per_class_watcher_impl.hpp>
#include <faultline/testing/detail/rate_watcher_impl.hpp>
#endif
