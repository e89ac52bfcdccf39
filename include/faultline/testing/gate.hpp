// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// gate: a statement about a classifier that a unit test can assert, with a stated error rate and a replay line (method
// section 16).

#include <faultline/classify/any_criterion.hpp>
#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/analysis/problem/replay_text.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/class_notes.hpp>
#include <faultline/sampling/preflight.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

#include <algorithm>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// What a gate concludes. `undecided` means that the budget ended before the evidence sufficed for either answer.
enum class GateVerdict { pass, fail, undecided };

/// Policy: the failure rate on generated samples is below `bound`.
///
/// Passes when a confidence sequence excludes every rate of `bound` and above, fails when it excludes every rate of
/// `bound` and below. The probability of a wrong verdict is at most 1 - confidence at any true rate, the bound
/// included, although the gate looks every 64 samples (each side gets half of it). That rate is over seeds: with a
/// fixed seed the same build always gives the same verdict. A suite of gates should split one budget: twenty gates at
/// 95 % have up to 64 % chance of at least one wrong verdict.
struct FailureRateBelow {
  double bound = 0.01;       ///< strictly between 0 and 1
  double confidence = 0.95;  ///< strictly between 0 and 1
  std::int64_t seed = 0;
  /// Budget, at least the 128 of the first look. A larger one continues the same samples, and a verdict once reached
  /// stays.
  std::int64_t max_samples = 4'000;
  LabelPolicy labels = LabelPolicy::uniform();  ///< with `given` the rate is that of the list
  double truncation = 1.0;
  std::int64_t batch_size = 64;                       ///< fixed padded batch of generator and classifier
  std::optional<std::int64_t> cutoff = std::nullopt;  ///< truncate the first layers only, see `SamplerOptions`
  Noise noise = Noise::constant;
  /// By how much declared probabilities may miss [0, 1] and a sum of 1, in [0, 0.1]
  double probability_tolerance = classify::default_probability_tolerance;
};

/// The outcome of a gate, and everything needed to understand and repeat it.
class GateResult {
 public:
  GateResult(GateVerdict verdict, FailureRateBelow policy, std::int64_t samples, std::int64_t failures,
             statistics::Interval interval, Provenance run, std::vector<std::string> notes = {})
      : verdict_(verdict),
        policy_(std::move(policy)),
        samples_(samples),
        failures_(failures),
        interval_(interval),
        run_(std::move(run)),
        notes_(std::move(notes)) {}

  [[nodiscard]] GateVerdict verdict() const noexcept { return verdict_; }
  [[nodiscard]] bool passed() const noexcept { return verdict_ == GateVerdict::pass; }
  [[nodiscard]] bool failed() const noexcept { return verdict_ == GateVerdict::fail; }
  [[nodiscard]] bool undecided() const noexcept { return verdict_ == GateVerdict::undecided; }
  /// Samples drawn, and how many of them failed.
  [[nodiscard]] std::int64_t samples() const noexcept { return samples_; }
  [[nodiscard]] std::int64_t failures() const noexcept { return failures_; }
  /// Limits of the failure rate that hold at the policy's confidence whenever the gate stopped.
  [[nodiscard]] const statistics::Interval& interval() const noexcept { return interval_; }
  [[nodiscard]] const FailureRateBelow& policy() const noexcept { return policy_; }
  /// How the run came about: digests of generator and classifier, criterion, sampling, versions.
  [[nodiscard]] const Provenance& run() const noexcept { return run_; }
  /// Classes that are nearly always answered as another, one sentence each.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

  /// A line that repeats this gate, sample for sample, with everything that decided its verdict. What a line cannot
  /// carry (a criterion of one's own, a long list of labels, a classifier that states no digest) is named behind `//`.
  [[nodiscard]] std::string replay() const {
    const FailureRateBelow standard;
    faultline::analysis::ReplayText text;
    text.write("fl::testing::gate(" + text.model("generator", "", run_.generator_digest) + ", ");
    text.write(text.model("classifier", run_.classifier_name, run_.classifier_digest));
    text.write(", fl::testing::FailureRateBelow{");
    text.add("bound", number_text(policy_.bound));
    text.add("confidence", number_text(policy_.confidence));
    text.add("seed", policy_.seed);
    text.add("max_samples", policy_.max_samples);
    if (policy_.labels.kind != LabelPolicy::Kind::uniform) text.add("labels", text.labels(policy_.labels));
    if (policy_.truncation != standard.truncation) text.add("truncation", number_text(policy_.truncation));
    text.add("batch_size", policy_.batch_size);
    if (policy_.cutoff) text.add("cutoff", *policy_.cutoff);
    if (policy_.noise != standard.noise)
      text.add("noise", "fl::Noise::" + std::string(core::enumerator_of(policy_.noise)));
    if (policy_.probability_tolerance != standard.probability_tolerance)
      text.add("probability_tolerance", number_text(policy_.probability_tolerance));
    text.write("}");
    text.criterion(run_);
    text.write(")");
    return text.text();
  }

  /// What happened, in sentences for the person who reads the test log.
  [[nodiscard]] std::string explain() const {
    const std::string bound = number_text(policy_.bound);
    const std::string counted = std::to_string(failures_) + " of " + std::to_string(samples_) +
                                " generated samples failed (" + detail::percent(rate()) + ")";
    const std::string limits = "at " + detail::percent(policy_.confidence) +
                               " confidence the failure rate lies between " + detail::percent(interval_.lower) +
                               " and " + detail::percent(interval_.upper);
    std::string text;
    switch (verdict_) {
      case GateVerdict::pass: text = "PASS: the failure rate is below " + bound + ". "; break;
      case GateVerdict::fail: text = "FAIL: the failure rate is not below " + bound + ". "; break;
      case GateVerdict::undecided:
        text = "UNDECIDED: " + std::to_string(samples_) + " samples do not show whether the failure rate is below " +
               bound + ". ";
        break;
    }
    text += counted + "; " + limits + ".";
    if (undecided() && notes_.empty()) text += advice();  // more of what the notes say would decide nothing
    for (const std::string& note : notes_) text += "\n" + note;
    return text + "\nReplay: " + replay();
  }

 private:
  [[nodiscard]] double rate() const noexcept {
    return samples_ == 0 ? 0.0 : static_cast<double>(failures_) / static_cast<double>(samples_);
  }

  [[nodiscard]] std::string advice() const {
    constexpr std::int64_t most = 200'000;
    const statistics::RatePlan plan =
        statistics::plan_rate_test(policy_.bound, rate(), most, {.alpha_per_side = (1.0 - policy_.confidence) / 2.0});
    if (plan.median == 0)
      return " If the true rate is what was seen, even " + std::to_string(most) +
             " samples would usually not decide: the rate is too close to the bound.";
    return " If the true rate is what was seen, half of all runs decide within " + std::to_string(plan.median) +
           " samples: raise max_samples.";
  }

  GateVerdict verdict_;
  FailureRateBelow policy_;
  std::int64_t samples_;
  std::int64_t failures_;
  statistics::Interval interval_;
  Provenance run_;
  std::vector<std::string> notes_;
};

/// Writes `result.explain()`: what test frameworks print of a result.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const GateResult& result) {
  return out << result.explain();
}

namespace detail {

/// A gate on classifier and criterion as they are held; see `gate`.
template <StyleGenerator G, Classifier C>
[[nodiscard]] GateResult run_gate(const G& generator, C& classifier, const FailureRateBelow& policy,
                                  const classify::AnyCriterion& criterion) {
  faultline::core::require_between("gate", "confidence", policy.confidence, 0.0, 1.0);
  statistics::RateMonitor monitor(policy.bound, {.alpha_per_side = (1.0 - policy.confidence) / 2.0});
  if (policy.max_samples < monitor.next_look())
    throw Error(ErrorCode::invalid_argument, "gate",
                "max_samples must be at least " + std::to_string(monitor.next_look()) +
                    ", where the evidence is looked at first, got " + std::to_string(policy.max_samples) +
                    "; no verdict could be reached");
  faultline::core::require_in("gate", "max_samples", policy.max_samples, 1, limits::samples);
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
    while (monitor.samples() < policy.max_samples && monitor.decision() == statistics::RateDecision::undecided) {
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
      for (std::int64_t i = 0; i < batch.size() && monitor.decision() == statistics::RateDecision::undecided; ++i)
        monitor.add(judge_outcome("gate", criterion, scored.probabilities.row_span(i),
                                  batch.label[static_cast<std::size_t>(i)]));
    }
    const GateVerdict verdict = monitor.decision() == statistics::RateDecision::below   ? GateVerdict::pass
                                : monitor.decision() == statistics::RateDecision::above ? GateVerdict::fail
                                                                                        : GateVerdict::undecided;
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
