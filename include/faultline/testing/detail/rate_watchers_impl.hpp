// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Gates on one failure rate or one for each class.

#include <faultline/testing/detail/gate_watcher.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/sampling/class_notes.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/rate_monitor.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing/detail/policy_replay.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
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

/// "31 of 256 generated samples failed (12.1 %); at 95 % confidence the failure rate lies between 7 % and 18 %."
inline std::string rate_text(const std::string& counted, std::int64_t failures, std::int64_t samples, double confidence,
                             const statistics::Interval& interval, const std::string& rate_name) {
  const double rate = samples == 0 ? 0.0 : static_cast<double>(failures) / static_cast<double>(samples);
  return std::to_string(failures) + " of " + std::to_string(samples) + " " + counted + " failed (" + percent(rate) +
         "); at " + percent(confidence) + " confidence the " + rate_name + " lies between " + percent(interval.lower) +
         " and " + percent(interval.upper) + ".";
}

/// What an undecided gate on a rate needs.
inline std::string rate_advice(const FailureRateBelow& policy, std::int64_t samples, std::int64_t failures,
                               const statistics::Interval& interval) {
  if (policy.gates > 1 && interval.lower > policy.bound)
    return "By itself this gate would have failed; one of " + std::to_string(policy.gates) +
           " needs more evidence than these samples give: raise max_samples.";
  constexpr std::int64_t most = 200'000;
  const double rate = samples == 0 ? 0.0 : static_cast<double>(failures) / static_cast<double>(samples);
  const statistics::RatePlan plan =
      statistics::plan_rate_test(policy.bound, rate, most, {.alpha_per_side = (1.0 - policy.confidence) / 2.0});
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
      list += (list.empty() ? "{fl::property_named(\"" : ", {fl::property_named(\"") + range.property.name + "\"), " +
              end(range.lower, "-INFINITY") + ", " + end(range.upper, "INFINITY") + "}";
    }
    text.add("where", "{" + list + "}");
  }
  add_mode(text, policy);
  return end_replay(text, run);
}

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

/// What all gates on rates check of their policies.
template <class Policy>
void check_rate_policy(const Policy& policy, std::int64_t first_look) {
  core::require_between("gate", "confidence", policy.confidence, 0.0, 1.0);
  core::require_in("gate", "gates", policy.gates, 1, 10'000);
  if (budget_of(policy) < first_look)
    throw Error(ErrorCode::invalid_argument, "gate",
                std::string(policy.max_samples < first_look ? "max_samples" : "smoke_samples") + " must be at least " +
                    std::to_string(first_look) + ", where the evidence is looked at first, got " +
                    std::to_string(budget_of(policy)) + "; no verdict could be reached");
  core::require_in("gate", "max_samples", policy.max_samples, 1, limits::samples);
}

/// One rate with its bound.
class WatchedRate {
 public:
  WatchedRate(std::shared_ptr<const statistics::RateBoundary> boundary, double evidence_to_fail)
      : monitor_(std::move(boundary)), evidence_to_fail_(evidence_to_fail) {}

  void add(bool failed) {
    if (!known()) monitor_.add(failed);
  }
  void finish() { monitor_.finish(); }
  [[nodiscard]] bool passed() const { return monitor_.decision() == statistics::RateDecision::below; }
  [[nodiscard]] bool failed() const {
    return monitor_.decision() == statistics::RateDecision::above &&
           (evidence_to_fail_ == 0.0 || evidence() >= evidence_to_fail_);
  }
  [[nodiscard]] bool known() const { return passed() || failed(); }
  [[nodiscard]] GateVerdict verdict() const {
    return passed() ? GateVerdict::pass : failed() ? GateVerdict::fail : GateVerdict::undecided;
  }
  [[nodiscard]] double evidence() const {
    return statistics::rate_evidence(monitor_.failures(), monitor_.samples(), monitor_.boundary().bound())
        .against_at_most;
  }
  [[nodiscard]] const statistics::RateMonitor& monitor() const { return monitor_; }

 private:
  statistics::RateMonitor monitor_;
  double evidence_to_fail_;
};

/// The e-value that one of so many statements needs to fail; 0 for a single one, which its boundary decides.
inline double evidence_to_fail(std::int64_t statements, double confidence) {
  return statements == 1 ? 0.0 : static_cast<double>(statements) * 2.0 / (1.0 - confidence);
}

inline std::shared_ptr<const statistics::RateBoundary> boundary_of(double bound, double confidence) {
  core::require_between("gate", "bound", bound, 0.0, 1.0);
  core::require_between("gate", "confidence", confidence, 0.0, 1.0);
  return std::make_shared<const statistics::RateBoundary>(
      bound, statistics::RateSequenceOptions{.alpha_per_side = (1.0 - confidence) / 2.0});
}

class RateWatcher final : public GateWatcher {
 public:
  RateWatcher(FailureRateBelow policy, classify::AnyCriterion criterion)
      : policy_(std::move(policy)), criterion_(std::move(criterion)) {}

  [[nodiscard]] const classify::AnyCriterion& criterion() const override { return criterion_; }
  void begin(const GateModels& models) override {
    rate_.emplace(boundary_of(policy_.bound, policy_.confidence), evidence_to_fail(policy_.gates, policy_.confidence));
    check_rate_policy(policy_, rate_->monitor().next_look());
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
    check_rate_policy(policy_, rates_.front().monitor().next_look());
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
    return std::ranges::any_of(rates_, &WatchedRate::failed) || std::ranges::all_of(rates_, &WatchedRate::passed);
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

FAULTLINE_INLINE std::unique_ptr<detail::GateWatcher> watch(const FailureRateBelow& policy,
                                                            classify::AnyCriterion criterion) {
  return std::make_unique<detail::RateWatcher>(policy, std::move(criterion));
}
FAULTLINE_INLINE std::unique_ptr<detail::GateWatcher> watch(const FailureRateBelowPerClass& policy,
                                                            classify::AnyCriterion criterion) {
  return std::make_unique<detail::PerClassWatcher>(policy, std::move(criterion));
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
