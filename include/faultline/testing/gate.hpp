// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// gate: a statement about a classifier that a unit test can assert, with a stated error rate and a replay line (method section 16).

#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/scoring.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/random.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace testing {

/// What a gate concludes. `undecided` means that the budget ended before the evidence sufficed for either answer.
enum class GateVerdict { pass, fail, undecided };

/// Policy: the failure rate on generated samples is below `bound`.
///
/// Passes when a confidence sequence excludes every rate of `bound` and above, fails when it excludes every rate of `bound` and below. The
/// probability of a wrong verdict is at most 1 - confidence at any true rate, the bound included, although the gate looks every 64 samples
/// (each side gets half of it). That rate is over seeds: with a fixed seed the same build always gives the same verdict. A suite of gates
/// should split one budget: twenty gates at 95 % have up to 64 % chance of at least one wrong verdict.
struct FailureRateBelow {
  double bound = 0.01;               ///< strictly between 0 and 1
  double confidence = 0.95;          ///< strictly between 0 and 1
  std::int64_t seed = 0;
  std::int64_t max_samples = 4'000;  ///< budget. A larger one continues the same samples, and a verdict once reached stays.
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  std::int64_t batch_size = 64;      ///< fixed padded batch of generator and classifier
};

/// The outcome of a gate, and everything needed to understand and repeat it.
class GateResult {
 public:
  GateResult(GateVerdict verdict, FailureRateBelow policy, std::int64_t samples, std::int64_t failures, Interval interval, std::string generator_digest)
      : verdict_(verdict), policy_(std::move(policy)), samples_(samples), failures_(failures), interval_(interval), digest_(std::move(generator_digest)) {}

  [[nodiscard]] GateVerdict verdict() const noexcept { return verdict_; }
  [[nodiscard]] bool passed() const noexcept { return verdict_ == GateVerdict::pass; }
  [[nodiscard]] bool failed() const noexcept { return verdict_ == GateVerdict::fail; }
  [[nodiscard]] bool undecided() const noexcept { return verdict_ == GateVerdict::undecided; }
  /// Samples drawn, and how many of them failed.
  [[nodiscard]] std::int64_t samples() const noexcept { return samples_; }
  [[nodiscard]] std::int64_t failures() const noexcept { return failures_; }
  /// Limits of the failure rate that hold at the policy's confidence although the gate stopped when it liked.
  [[nodiscard]] const Interval& interval() const noexcept { return interval_; }
  [[nodiscard]] const FailureRateBelow& policy() const noexcept { return policy_; }

  /// A line that repeats this gate, sample for sample.
  [[nodiscard]] std::string replay() const {
    std::string labels;
    if (policy_.labels.kind == LabelPolicy::Kind::fixed) labels = ", .labels = fl::LabelPolicy::fixed(" + std::to_string(policy_.labels.label) + ")";
    if (policy_.labels.kind == LabelPolicy::Kind::given) labels = ", .labels = fl::LabelPolicy::given(/* " + std::to_string(policy_.labels.labels.size()) + " labels */)";
    const std::string truncation = policy_.truncation == 1.0 ? "" : ", .truncation = " + detail::plain_number(policy_.truncation);
    return "fl::testing::gate(generator /* " + digest_.substr(0, 12) + " */, classifier, fl::testing::FailureRateBelow{.bound = " + detail::plain_number(policy_.bound) +
           ", .confidence = " + detail::plain_number(policy_.confidence) + ", .seed = " + std::to_string(policy_.seed) + ", .max_samples = " + std::to_string(policy_.max_samples) + labels +
           truncation + "})";
  }

  /// What happened, in sentences for the person who reads the test log.
  [[nodiscard]] std::string explain() const {
    const std::string bound = detail::plain_number(policy_.bound);
    const std::string counted = std::to_string(failures_) + " of " + std::to_string(samples_) + " generated samples failed (" + detail::percent(rate()) + ")";
    const std::string limits = "at " + detail::percent(policy_.confidence) + " confidence the failure rate lies between " + detail::percent(interval_.lower) + " and " + detail::percent(interval_.upper);
    std::string text;
    switch (verdict_) {
      case GateVerdict::pass: text = "PASS: the failure rate is below " + bound + ". "; break;
      case GateVerdict::fail: text = "FAIL: the failure rate is not below " + bound + ". "; break;
      case GateVerdict::undecided: text = "UNDECIDED: " + std::to_string(samples_) + " samples do not show whether the failure rate is below " + bound + ". "; break;
    }
    text += counted + "; " + limits + ".";
    if (undecided()) text += advice();
    return text + "\nReplay: " + replay();
  }

 private:
  [[nodiscard]] double rate() const noexcept { return samples_ == 0 ? 0.0 : static_cast<double>(failures_) / static_cast<double>(samples_); }

  [[nodiscard]] std::string advice() const {
    constexpr std::int64_t most = 200'000;
    const RatePlan plan = plan_rate_test(policy_.bound, rate(), most, {.alpha_per_side = (1.0 - policy_.confidence) / 2.0});
    if (plan.median == 0) return " If the true rate is what was seen, even " + std::to_string(most) + " samples would usually not decide: the rate is too close to the bound.";
    return " If the true rate is what was seen, half of all runs decide within " + std::to_string(plan.median) + " samples: raise max_samples.";
  }

  GateVerdict verdict_;
  FailureRateBelow policy_;
  std::int64_t samples_;
  std::int64_t failures_;
  Interval interval_;
  std::string digest_;
};

/// Draws samples (indices from 2^43) until the policy is decided or its budget ends.
///
/// **Throws** invalid_argument for a bound, confidence or budget out of range; what the sampler throws; F2xx when the classifier misbehaves, which
/// is never counted as a failure.
/// **Randomness**: sample i depends on (seed, i) alone; a verdict at a budget is kept at every larger one.
/// **Cost**: up to max_samples generator and classifier images, in batches of batch_size, one batch in memory.
/// Example: `auto verdict = gate(generator, mine, FailureRateBelow{.bound = 0.02, .seed = 7}); REQUIRE(verdict.passed());`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
[[nodiscard]] GateResult gate(const G& generator, C& classifier, const FailureRateBelow& policy, const F& criterion = {}) {
  if (!(policy.confidence > 0.0 && policy.confidence < 1.0))
    throw Error(ErrorCode::invalid_argument, "gate", "confidence must lie strictly between 0 and 1, got " + detail::plain_number(policy.confidence));
  if (policy.max_samples < 1) throw Error(ErrorCode::invalid_argument, "gate", "max_samples must be at least 1, got " + std::to_string(policy.max_samples));
  RateMonitor monitor(policy.bound, {.alpha_per_side = (1.0 - policy.confidence) / 2.0});
  const StyleSpaceSampler<G> sampler(generator, {.seed = policy.seed, .labels = policy.labels, .truncation = policy.truncation, .batch_size = policy.batch_size});
  Scorer<C> scorer(classifier, generator.image_shape(), generator.value_range(), sampler.classes(), policy.batch_size);
  while (monitor.samples() < policy.max_samples && monitor.decision() == RateDecision::undecided) {
    // Batches start at multiples of the batch size, whatever the budget, so that a larger budget sees the same bits.
    const std::int64_t first = gate_first + monitor.samples();
    const auto batch = sampler.sample(first, std::min(policy.batch_size, policy.max_samples - monitor.samples()));
    const SampleOrigin origin{batch.index, policy.seed};
    const ScoredImages scored = [&] {
      if constexpr (ResidentClassifier<C, typename G::image_type>) return scorer.resident(batch.images, batch.label, origin);
      else return scorer(generator.image_to_host(batch.images), batch.label, origin);
    }();
    for (std::int64_t i = 0; i < batch.size() && monitor.decision() == RateDecision::undecided; ++i)
      monitor.add(criterion(scored.probabilities.row(i), batch.label[static_cast<std::size_t>(i)]));
  }
  const GateVerdict verdict = monitor.decision() == RateDecision::below ? GateVerdict::pass : monitor.decision() == RateDecision::above ? GateVerdict::fail : GateVerdict::undecided;
  return {verdict, policy, monitor.samples(), monitor.failures(), monitor.interval(), generator.digest()};
}

template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
GateResult gate(const G&& generator, C& classifier, const FailureRateBelow& policy, const F& criterion = {}) = delete;

}  // namespace testing
}  // namespace v1
}  // namespace faultline
