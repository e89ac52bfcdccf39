// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a gate asserts and what it found: policy, verdict, counts, limits, and a line that repeats it.

#include <faultline/analysis/problem/replay_text.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/sampling/sampler_options.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

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
/// Passes when every rate of `bound` and above is excluded, fails when every rate of `bound` and below is. The
/// probability of a wrong verdict is at most 1 - confidence at any true rate, the bound included, although the gate
/// looks every 64 samples (each side gets half of it, and uses nearly all: see `statistics::RateBoundary`).
/// That rate is over seeds, not over builds: with a fixed seed the same build always gives the same verdict, right or
/// wrong, and a hundred builds of one classifier are one trial. Gates that are asserted together share one budget:
/// `gates` says how many, see `GateSuite`.
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
  /// How many gates share the error rate, up to 10 000. With more than one, a gate that would fail goes on until its
  /// e-value reaches 2 gates / (1 - confidence), so that all of them together fail one wrongly no more often than one
  /// gate would by itself; to pass takes no more, because the suite passes only if all do.
  std::int64_t gates = 1;
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
  /// Limits of the failure rate that hold at the policy's confidence although the gate stopped when it knew; the bound
  /// lies inside exactly where nothing was decided. With several gates to a suite, the limits of the look that decided.
  [[nodiscard]] const statistics::Interval& interval() const noexcept { return interval_; }
  /// What the samples say against either side of the bound, as e-values.
  [[nodiscard]] statistics::RateEvidence evidence() const {
    return statistics::rate_evidence(failures_, samples_, policy_.bound);
  }
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
    if (policy_.gates != standard.gates) text.add("gates", policy_.gates);
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
    if (policy_.gates > 1 && interval_.lower > policy_.bound)
      return " By itself this gate would have failed; one of " + std::to_string(policy_.gates) +
             " needs more evidence than these samples give: raise max_samples.";
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

}  // namespace testing
}  // namespace v1
}  // namespace faultline
