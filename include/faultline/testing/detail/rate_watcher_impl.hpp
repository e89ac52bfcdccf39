// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/detail/gate_watcher.hpp: the gate on one failure rate.

#include <faultline/testing/detail/gate_watcher.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>
#include <faultline/sampling/class_notes.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing/detail/policy_replay.hpp>
#include <faultline/testing/detail/verdict_text.hpp>
#include <faultline/testing/detail/watched_rate.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

inline GateResult with_error(GateFindings found, const Error& error) {
  found.verdict = GateVerdict::undecided;
  found.error = error.what();
  found.headline = "an error ended this gate before it was decided, and no image counts as a failure for it.";
  found.advice.clear();
  found.notes.insert(found.notes.begin(), found.error);
  if (found.statements.empty()) found.statements.push_back({.name = "not run to its end"});
  return GateResult(std::move(found));
}

FAULTLINE_INLINE GateResult interrupted_gate(double confidence, const Error& error) {
  GateFindings found;
  found.confidence = confidence;
  return with_error(std::move(found), error);
}

FAULTLINE_INLINE GateResult conclude_interrupted(GateWatcher& watcher, Provenance run, const Error& error) {
  return with_error(watcher.conclude(std::move(run)).findings(), error);
}

/// What an undecided gate on a rate needs.
inline std::string rate_advice(const FailureRateBelow& policy, std::int64_t samples, std::int64_t failures,
                               const statistics::Interval& interval) {
  if (policy.gates > 1 && interval.lower > policy.bound)
    return "By itself this gate would have failed; one of " + std::to_string(policy.gates) +
           " needs more evidence than these samples give: raise max_samples.";
  constexpr std::int64_t most = 64'000;  // what boundaries are enumerated for
  const double rate = samples == 0 ? 0.0 : static_cast<double>(failures) / static_cast<double>(samples);
  const statistics::RatePlan plan =
      statistics::plan_rate_test(*boundary_of(policy.bound, policy.confidence), rate, most);
  if (plan.median == 0)
    return "If the true rate is what was seen, even " + std::to_string(most) +
           " samples would usually not decide: the rate is too close to the bound.";
  return "If the true rate is what was seen, half of all runs decide within " + std::to_string(plan.median) +
         (policy.where.empty() ? " samples" : " samples of the region") + ": raise max_samples.";
}

/// " where blur is at least 2.5 px"; nothing without ranges.
inline std::string region_text(std::span<const PropertyRange> where) {
  std::string text;
  for (const PropertyRange& range : where) {
    text += (text.empty() ? " where " : " and ") + range.property.name + " is ";
    const std::string unit = range.property.unit.empty() ? "" : " " + range.property.unit;
    const bool from = std::isfinite(range.lower), to = std::isfinite(range.upper);
    if (from && to) text += "between " + rounded_text(range.lower, 3) + " and " + rounded_text(range.upper, 3) + unit;
    else if (from) text += "at least " + rounded_text(range.lower, 3) + unit;
    else if (to) text += "at most " + rounded_text(range.upper, 3) + unit;
    else text += "anything";
  }
  return text;
}

inline std::string replay_of(const FailureRateBelow& policy, const Provenance& run) {
  analysis::ReplayText text;
  begin_replay(text, run, "FailureRateBelow");
  text.add("bound", number_text(policy.bound));
  text.add("confidence", number_text(policy.confidence));
  add_sampling(text, policy);
  if (!policy.where.empty()) {
    std::string list;
    for (const PropertyRange& range : policy.where) {
      const auto end = [](double value, const char* infinite) {
        return std::isfinite(value) ? number_text(value) : std::string(infinite);
      };
      list += (list.empty() ? "{" : ", {") + replayed_property(text, range.property.name) + ", " +
              end(range.lower, "-INFINITY") + ", " + end(range.upper, "INFINITY") + "}";
    }
    text.add("where", "{" + list + "}");
  }
  add_mode(text, policy);
  return end_replay(text, run);
}

FAULTLINE_INLINE GateResult rate_result(GateVerdict verdict, const FailureRateBelow& policy, std::int64_t samples,
                                        std::int64_t failures, const statistics::Interval& interval, Provenance run,
                                        std::vector<std::string> notes, std::string advice) {
  const std::string region = region_text(policy.where);
  const std::string name = "failure rate" + region;
  const std::string bound = number_text(policy.bound);
  GateFindings found;
  found.verdict = verdict;
  found.policy = "FailureRateBelow";
  switch (verdict) {
    case GateVerdict::pass: found.headline = "the " + name + " is below " + bound + "."; break;
    case GateVerdict::fail: found.headline = "the " + name + " is not below " + bound + "."; break;
    case GateVerdict::undecided:
      found.headline =
          std::to_string(samples) + " samples do not show whether the " + name + " is below " + bound + ".";
      break;
  }
  found.confidence = policy.confidence;
  found.samples = samples;
  found.failures = failures;
  found.mode = mode_of(policy);
  found.allow_undecided = policy.allow_undecided;
  GateStatement statement{.name = name, .verdict = verdict, .samples = samples, .failures = failures};
  statement.estimate = samples == 0 ? 0.0 : static_cast<double>(failures) / static_cast<double>(samples);
  statement.interval = interval;
  statement.bound = policy.bound;
  statement.evidence_against = statistics::rate_evidence(failures, samples, policy.bound).against_at_most;
  statement.text =
      rate_text("generated samples" + region, failures, samples, policy.confidence, interval, "failure rate");
  found.advice = std::move(advice);
  found.statements.push_back(std::move(statement));
  found.notes = std::move(notes);
  found.replay = replay_of(policy, run);
  found.run = std::move(run);
  return GateResult(std::move(found));
}

class RateWatcher final : public GateWatcher {
 public:
  RateWatcher(FailureRateBelow policy, classify::AnyCriterion criterion)
      : policy_(std::move(policy)), criterion_(std::move(criterion)) {}

  [[nodiscard]] const classify::AnyCriterion& criterion() const override { return criterion_; }
  void begin(const GateModels& models) override {
    rate_.emplace(boundary_of(policy_.bound, policy_.confidence), evidence_to_fail(policy_.gates, policy_.confidence));
    check_rate_policy(policy_, rate_->monitor().next_analysis());
    conditional_ = models.conditional;
    for (const PropertyRange& range : policy_.where) {
      if (!(range.lower <= range.upper))
        throw Error(ErrorCode::invalid_argument, "gate",
                    "the range of property \"" + range.property.name + "\" is empty: it goes from " +
                        number_text(range.lower) + " to " + number_text(range.upper));
      if (range.property.channels != 0 && range.property.channels != models.image_shape.channels)
        throw Error(ErrorCode::invalid_argument, "gate",
                    "property \"" + range.property.name + "\" is measured on images of " +
                        std::to_string(range.property.channels) + " channels, the generator's have " +
                        std::to_string(models.image_shape.channels));
    }
  }
  [[nodiscard]] std::int64_t budget() const override { return budget_of(policy_); }
  [[nodiscard]] std::vector<Property> properties() const override {
    std::vector<Property> wanted;
    for (const PropertyRange& range : policy_.where) wanted.push_back(range.property);
    return wanted;
  }
  void bind(std::span<const std::string> names) override {
    for (const PropertyRange& range : policy_.where)
      columns_.push_back(static_cast<std::size_t>(std::ranges::find(names, range.property.name) - names.begin()));
  }
  void add(const GateSample& sample) override {
    ++drawn_;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto value = static_cast<double>(sample.properties[columns_[i]]);
      if (!(policy_.where[i].lower <= value && value <= policy_.where[i].upper)) return;
    }
    // (of a region there may be few samples of a class, which say nothing about how classes are numbered)
    if (conditional_ && policy_.where.empty()) notes_.add(std::array{sample.label}, std::array{sample.prediction});
    rate_->add(judge_outcome("gate", criterion_, sample.probabilities, sample.label));
  }
  [[nodiscard]] bool known() const override { return rate_->known(); }
  [[nodiscard]] GateResult conclude(Provenance run) override {
    rate_->finish();
    const statistics::RateMonitor& monitor = rate_->monitor();
    run.samples_per_split = drawn_;
    std::vector<std::string> notes = notes_.sentences();
    if (!policy_.where.empty())
      notes.push_back(std::to_string(monitor.samples()) + " of " + std::to_string(drawn_) +
                      " samples lie in the region.");
    // More of what the notes say about classes would decide nothing
    std::string advice;
    if (!rate_->known() && notes_.sentences().empty())
      advice = rate_advice(policy_, monitor.samples(), monitor.failures(), monitor.interval());
    return rate_result(rate_->verdict(), policy_, monitor.samples(), monitor.failures(), monitor.interval(),
                       std::move(run), std::move(notes), std::move(advice));
  }

 private:
  FailureRateBelow policy_;
  classify::AnyCriterion criterion_;
  std::optional<WatchedRate> rate_;
  std::vector<std::size_t> columns_;
  sampling::ClassNotes notes_;
  std::int64_t drawn_ = 0;
  bool conditional_ = true;
};

}  // namespace detail

FAULTLINE_INLINE std::unique_ptr<detail::GateWatcher> watch(const FailureRateBelow& policy,
                                                            classify::AnyCriterion criterion) {
  return std::make_unique<detail::RateWatcher>(policy, std::move(criterion));
}
}  // namespace testing
}  // namespace v1
}  // namespace faultline
