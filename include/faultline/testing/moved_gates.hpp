// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Gates on samples that are moved along a measured property: how far they are from failure, and how often they fail on
// the way.

#include <faultline/analysis/problem/build_problem.hpp>
#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/testing/gate_result.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// Which way a property is moved: towards more of it, or less.
enum class Towards { more, less };

/// What an edit is measured in: standard deviations of the population along the direction that moves the property
/// within classes, or the property's own unit, as measured on the images.
enum class EditUnit { standard_deviations, property };

/// Policy: moved along one property, at least `share` of all samples fail nowhere nearer than `distance`.
///
/// Each sample is moved in steps of a quarter of a standard deviation, the other properties held; with
/// `EditUnit::property` until its image's property has changed by `distance`, or ten deviations are reached. A sample
/// counts as too near where it fails unmoved, at a step, or at `distance` itself; with a judge, failures on images that
/// the judge cannot read do not count. A sample whose property cannot be moved so far, and that does not fail, speaks
/// neither for nor against.
/// **Error rate**: as that of `FailureRateBelow`, for the share of the samples that are too near: passes when every
/// share of 1 - `share` and above is excluded even if all samples that could not be moved so far failed, fails when
/// every one of 1 - `share` and below is although none of them did. What lies between two steps is not seen.
/// The direction is fitted to `direction_samples` samples of their own and to their properties; no outcome enters.
struct DistanceAtLeast {
  std::string property = {};  ///< name of one of `properties`
  Towards towards = Towards::more;
  double distance = 1.0;  ///< above 0; in standard deviations at most 10
  EditUnit unit = EditUnit::standard_deviations;
  double share = 0.9;  ///< strictly between 0 and 1
  double confidence = 0.95;
  std::int64_t seed = 0;
  std::int64_t max_samples = 2'000;
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  std::int64_t batch_size = 64;
  std::optional<std::int64_t> cutoff = std::nullopt;
  double probability_tolerance = classify::default_probability_tolerance;
  std::int64_t gates = 1;
  std::vector<Property> properties = default_properties();
  std::optional<AnyClassifier> judge = std::nullopt;
  std::int64_t direction_samples = 2'000;
  std::int64_t smoke_samples = 256;
  std::optional<GateMode> mode = std::nullopt;
  bool allow_undecided = false;
};

/// Policy: the failure rate stays below `bound` while all samples are moved along one property by up to `shift`
/// standard deviations: unmoved, and after each of `steps` equal steps.
///
/// It passes when every step does, which errs no more often than one would; it fails when one does, by an e-value of
/// 2 · (steps + 1) · gates / (1 - confidence). With a judge, failures on images that it cannot read do not count.
/// Directions: as for `DistanceAtLeast`.
struct FailureRateAlongBelow {
  std::string property = {};
  Towards towards = Towards::more;
  double shift = 1.0;  ///< standard deviations, above 0, at most 10
  std::int64_t steps = 4;
  double bound = 0.05;
  double confidence = 0.95;
  std::int64_t seed = 0;
  std::int64_t max_samples = 2'000;
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  std::int64_t batch_size = 64;
  std::optional<std::int64_t> cutoff = std::nullopt;
  double probability_tolerance = classify::default_probability_tolerance;
  std::int64_t gates = 1;
  std::vector<Property> properties = default_properties();
  std::optional<AnyClassifier> judge = std::nullopt;
  std::int64_t direction_samples = 2'000;
  std::int64_t smoke_samples = 256;
  std::optional<GateMode> mode = std::nullopt;
  bool allow_undecided = false;
};

namespace detail {

template <class P>
concept MovedPolicy = std::same_as<P, DistanceAtLeast> || std::same_as<P, FailureRateAlongBelow>;

/// What is wrong with a policy. **Throws** invalid_argument.
void check_moved_policy(const DistanceAtLeast& policy);
void check_moved_policy(const FailureRateAlongBelow& policy);

[[nodiscard]] GateResult moved_gate(const Problem& problem, const DistanceAtLeast& policy, Provenance run);
[[nodiscard]] GateResult moved_gate(const Problem& problem, const FailureRateAlongBelow& policy, Provenance run);

}  // namespace detail

/// Moves samples (indices from 2^43) until the policy is decided or its budget ends.
///
/// Undecided, with the reason, for a property that w does not predict or that the others hold entirely: this generator
/// cannot move it by itself.
/// **Throws** invalid_argument for a property that is not measured and for numbers out of range; else as the gate of
/// `FailureRateBelow`.
/// **Randomness**: sample i depends on (seed, i) alone, the direction on the seed; noise is constant. **Cost**:
/// direction_samples images, and for each sample as many as there are steps until it fails.
/// Example: `gate(generator, mine, DistanceAtLeast{.property = "blur", .distance = 1.5, .unit = EditUnit::property})`
template <StyleGenerator G, Classifier C, detail::MovedPolicy P, FailureCriterion F = Misclassified>
  requires AffineStyles<G>
[[nodiscard]] GateResult gate(const G& generator, C& classifier, const P& policy, const F& criterion = {}) {
  return core::within_memory("gate", [&] {
    detail::check_moved_policy(policy);
    const StyleSpaceSampler<G> sampler(generator, {.seed = policy.seed,
                                                   .labels = policy.labels,
                                                   .truncation = policy.truncation,
                                                   .cutoff = policy.cutoff,
                                                   .batch_size = policy.batch_size});
    const auto held = classify::hold<typename G::image_type>(classifier);
    analysis::MethodOptions method;
    method.properties = policy.properties;
    for (Property& property : method.properties)  // any may be asked for, whether conditions may have its name or not
      property.candidate = property.candidate || property.name == policy.property;
    method.judge = policy.judge;
    method.batch_size = policy.batch_size;
    method.probability_tolerance = policy.probability_tolerance;
    const auto any = classify::AnyCriterion::borrow(criterion);
    const analysis::AnySource source = analysis::make_source(sampler, held, any, method, "gate");
    source.preflight();
    Provenance run = analysis::describe_sampling(sampler, any, 0);
    analysis::describe_classifier(run, *held);
    return detail::moved_gate(source.problem, policy, std::move(run));
  });
}
template <StyleGenerator G, Classifier C, detail::MovedPolicy P, FailureCriterion F = Misclassified>
GateResult gate(const G&& generator, C& classifier, const P& policy, const F& criterion = {}) = delete;

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/distance_at_least_impl.hpp>
#include <faultline/testing/detail/failure_rate_along_impl.hpp>
#endif
