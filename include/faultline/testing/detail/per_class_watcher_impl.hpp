// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/detail/gate_watcher.hpp: the gate on the failure rate of every class.

#include <faultline/testing/detail/gate_watcher.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>
#include <faultline/sampling/class_notes.hpp>
#include <faultline/testing/detail/policy_replay.hpp>
#include <faultline/testing/detail/watched_rate.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

inline std::string replay_of(const FailureRateBelowPerClass& policy, const Provenance& run) {
  analysis::ReplayText text;
  begin_replay(text, run, "FailureRateBelowPerClass");
  text.add("bound", number_text(policy.bound));
  text.add("confidence", number_text(policy.confidence));
  add_sampling(text, policy);
  if (!policy.bounds.empty()) {
    std::string list;
    for (const double bound : policy.bounds) list += (list.empty() ? "" : ", ") + number_text(bound);
    text.add("bounds", "{" + list + "}");
  }
  add_mode(text, policy);
  if (!policy.stop_at_first_failure) text.add("stop_at_first_failure", std::string("false"));
  return end_replay(text, run);
}

class PerClassWatcher final : public GateWatcher {
 public:
  PerClassWatcher(FailureRateBelowPerClass policy, classify::AnyCriterion criterion)
      : policy_(std::move(policy)), criterion_(std::move(criterion)) {}

  [[nodiscard]] const classify::AnyCriterion& criterion() const override { return criterion_; }
  void begin(const GateModels& models) override {
    if (!models.conditional)
      throw Error(ErrorCode::incompatible_models, "gate",
                  "the generator is unconditional, so there are no classes to bound the failure rates of; use "
                  "FailureRateBelow");
    if (!policy_.bounds.empty() && static_cast<std::int64_t>(policy_.bounds.size()) != models.classes)
      throw Error(ErrorCode::shape_mismatch, "gate",
                  "expected a bound for each of " + std::to_string(models.classes) + " classes, got " +
                      std::to_string(policy_.bounds.size()));
    const double needed = evidence_to_fail(models.classes * policy_.gates, policy_.confidence);
    std::map<double, std::shared_ptr<const statistics::RateBoundary>> boundaries;
    for (std::int64_t c = 0; c < models.classes; ++c) {
      const double bound = policy_.bounds.empty() ? policy_.bound : policy_.bounds[static_cast<std::size_t>(c)];
      auto& boundary = boundaries[bound];
      if (!boundary) boundary = boundary_of(bound, policy_.confidence);
      rates_.emplace_back(boundary, needed);
    }
    check_rate_policy(policy_, rates_.front().monitor().next_analysis());
  }
  [[nodiscard]] std::int64_t budget() const override { return budget_of(policy_); }
  void add(const GateSample& sample) override {
    ++drawn_;
    notes_.add(std::array{sample.label}, std::array{sample.prediction});
    const bool failed = judge_outcome("gate", criterion_, sample.probabilities, sample.label);
    failures_ += failed ? 1 : 0;
    rates_[static_cast<std::size_t>(sample.label)].add(failed);
  }
  [[nodiscard]] bool known() const override {
    return (policy_.stop_at_first_failure && std::ranges::any_of(rates_, &WatchedRate::failed)) ||
           std::ranges::all_of(rates_, &WatchedRate::known);
  }
  [[nodiscard]] GateResult conclude(Provenance run) override {
    GateFindings found;
    found.policy = "FailureRateBelowPerClass";
    std::int64_t passed = 0, failed = 0;
    for (std::size_t c = 0; c < rates_.size(); ++c) {
      WatchedRate& rate = rates_[c];
      rate.finish();
      const statistics::RateMonitor& monitor = rate.monitor();
      GateStatement statement;
      statement.name = "class " + std::to_string(c);
      statement.verdict = rate.verdict();
      statement.samples = monitor.samples();
      statement.failures = monitor.failures();
      statement.estimate = monitor.samples() == 0
                               ? 0.0
                               : static_cast<double>(monitor.failures()) / static_cast<double>(monitor.samples());
      statement.interval = monitor.interval();
      statement.bound = monitor.boundary().bound();
      statement.evidence_against = rate.evidence();
      statement.text = rate_text("samples", monitor.failures(), monitor.samples(), policy_.confidence,
                                 statement.interval, "failure rate") +
                       " The bound is " + number_text(statement.bound) + ".";
      passed += rate.passed() ? 1 : 0;
      failed += rate.failed() ? 1 : 0;
      found.statements.push_back(std::move(statement));
    }
    const std::string all = std::to_string(rates_.size()) + " classes";
    if (failed > 0) {
      found.verdict = GateVerdict::fail;
      found.headline = "in " + std::to_string(failed) + " of " + all + " the failure rate is not below its bound.";
    } else if (passed == static_cast<std::int64_t>(rates_.size())) {
      found.verdict = GateVerdict::pass;
      found.headline = "in every one of " + all + " the failure rate is below its bound.";
    } else {
      found.headline = std::to_string(drawn_) + " samples show for " + std::to_string(passed) + " of " + all +
                       " that the failure rate is below its bound, and for none that it is not.";
      found.advice = "Raise max_samples.";
    }
    found.confidence = policy_.confidence;
    found.samples = drawn_;
    found.failures = failures_;
    found.notes = notes_.sentences();
    found.mode = mode_of(policy_);
    found.allow_undecided = policy_.allow_undecided;
    run.samples_per_split = drawn_;
    found.replay = replay_of(policy_, run);
    found.run = std::move(run);
    return GateResult(std::move(found));
  }

 private:
  FailureRateBelowPerClass policy_;
  classify::AnyCriterion criterion_;
  std::vector<WatchedRate> rates_;
  sampling::ClassNotes notes_;
  std::int64_t drawn_ = 0;
  std::int64_t failures_ = 0;
};

}  // namespace detail

FAULTLINE_INLINE std::unique_ptr<detail::GateWatcher> watch(const FailureRateBelowPerClass& policy,
                                                            classify::AnyCriterion criterion) {
  return std::make_unique<detail::PerClassWatcher>(policy, std::move(criterion));
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
