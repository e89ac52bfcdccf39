// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/baseline.hpp: the gates against a baseline.

#include <faultline/testing/baseline.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/mcnemar.hpp>
#include <faultline/statistics/multiplicity.hpp>
#include <faultline/statistics/paired_effect.hpp>
#include <faultline/testing/detail/policy_replay.hpp>
#include <faultline/testing/detail/verdict_text.hpp>
#include <faultline/testing/detail/watched_difference.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
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

/// What gates against a baseline have in common: that the models fit it, its outcomes, and the third of each property
/// in which a sample lies. The baseline is borrowed.
class AgainstBaseline {
 public:
  AgainstBaseline(const Baseline& baseline, std::vector<Property> measures)
      : baseline_(&baseline), measures_(std::move(measures)) {}

  void check(const GateModels& models, const classify::AnyCriterion& criterion) const {
    if (baseline_->samples == 0)
      throw Error(ErrorCode::invalid_argument, "gate",
                  "the policy has no baseline; read one with read_baseline or make one with make_baseline");
    const Provenance& run = baseline_->run;
    const auto refuse = [](const std::string& what, const std::string& then, const std::string& now) {
      throw Error(ErrorCode::incompatible_models, "gate",
                  what + " is not that of the baseline (" + then + " then, " + now +
                      " now), so the samples do not compare; renew the baseline on purpose, with the release that is "
                      "to be the measure");
    };
    if (models.generator_digest != run.generator_digest)
      refuse("the generator", run.generator_digest.substr(0, 12), models.generator_digest.substr(0, 12));
    if (models.input != baseline_->input)
      refuse("the way in which images are prepared", baseline_->input.empty() ? "as they are" : baseline_->input,
             models.input.empty() ? "as they are" : models.input);
    if (criterion.name() != run.criterion) refuse("the criterion", run.criterion, criterion.name());
  }
  [[nodiscard]] std::vector<Property> measures_for(bool wanted) const {
    std::vector<Property> result;
    if (!wanted) return result;
    for (const PropertyThirds& thirds : baseline_->properties) {
      const auto found = std::ranges::find(measures_, thirds.name, &Property::name);
      if (found == measures_.end())
        throw Error(ErrorCode::invalid_argument, "gate",
                    "the baseline has property \"" + thirds.name +
                        "\", which is none of the policy's: add its measure to .properties");
      result.push_back(*found);
    }
    return result;
  }
  void bind(std::span<const std::string> names) {
    for (const PropertyThirds& thirds : baseline_->properties)
      columns_.push_back(static_cast<std::size_t>(std::ranges::find(names, thirds.name) - names.begin()));
  }
  /// 0, 1 or 2.
  [[nodiscard]] std::size_t third(const GateSample& sample, std::size_t p) const {
    const auto value = static_cast<double>(sample.properties[columns_[p]]);
    return value <= baseline_->properties[p].low ? 0 : value <= baseline_->properties[p].high ? 1 : 2;
  }
  /// "where blur is above 2.4 px"
  [[nodiscard]] std::string third_text(std::size_t p, std::size_t third) const {
    const PropertyThirds& thirds = baseline_->properties[p];
    const auto found = std::ranges::find(measures_, thirds.name, &Property::name);
    const std::string unit = found == measures_.end() || found->unit.empty() ? "" : " " + found->unit;
    const std::string low = rounded_text(thirds.low, 3), high = rounded_text(thirds.high, 3);
    return "where " + thirds.name + " is " +
           (third == 0   ? "at most " + low + unit
            : third == 1 ? "between " + low + " and " + high + unit
                         : "above " + high + unit);
  }
  [[nodiscard]] std::string who() const {
    return "the baseline (" +
           (baseline_->run.classifier_name.empty() ? "a classifier without a name" : baseline_->run.classifier_name) +
           (baseline_->run.classifier_digest ? ", " + baseline_->run.classifier_digest->substr(0, 12) : "") + ")";
  }

 private:
  const Baseline* baseline_;
  std::vector<Property> measures_;
  std::vector<std::size_t> columns_;
};

/// Begins a replay line; it names the baseline by what it was made of, the file is to be supplied.
template <class Policy>
[[nodiscard]] analysis::ReplayText replay_against(const Policy& policy, const Provenance& run,
                                                  const std::string& name) {
  analysis::ReplayText text;
  begin_replay(text, run, name);
  const Baseline& baseline = policy.baseline;
  text.add(
      "baseline",
      text.model("baseline", std::to_string(baseline.samples) + " samples, seed " + std::to_string(baseline.run.seed),
                 baseline.sha256.empty() ? std::nullopt : std::optional(baseline.sha256)));
  text.add("margin", number_text(policy.margin));
  text.add("confidence", number_text(policy.confidence));
  if (policy.gates != 1) text.add("gates", policy.gates);
  return text;
}

class NotWorseWatcher final : public GateWatcher {
 public:
  NotWorseWatcher(const NotWorseThanBaseline& policy, classify::AnyCriterion criterion)
      : policy_(policy), against_(policy_.baseline, policy_.properties), criterion_(std::move(criterion)) {}

  [[nodiscard]] const classify::AnyCriterion& criterion() const override { return criterion_; }
  void begin(const GateModels& models) override {
    core::require_between("gate", "margin", policy_.margin, 0.0, 1.0);
    core::require_between("gate", "property_margin", policy_.property_margin, 0.0, 1.0);
    core::require_between("gate", "confidence", policy_.confidence, 0.0, 1.0);
    core::require_in("gate", "gates", policy_.gates, 1, 10'000);
    against_.check(models, criterion_);
    core::require_in("gate", "max_samples", policy_.max_samples, 0, policy_.baseline.samples);
    core::require_in("gate", "smoke_samples", policy_.smoke_samples, 1, limits::samples);
    const std::size_t thirds = policy_.by_property ? 3 * policy_.baseline.properties.size() : 0;
    const double needed = evidence_to_fail(static_cast<std::int64_t>(1 + thirds) * policy_.gates);
    all_.emplace(policy_.margin, policy_.confidence, needed);
    for (std::size_t i = 0; i < thirds; ++i) parts_.emplace_back(policy_.property_margin, policy_.confidence, needed);
  }
  [[nodiscard]] std::int64_t budget() const override {
    const std::int64_t full = policy_.max_samples == 0 ? policy_.baseline.samples : policy_.max_samples;
    return mode_of(policy_) == GateMode::smoke ? std::min(full, policy_.smoke_samples) : full;
  }
  [[nodiscard]] std::vector<Property> properties() const override { return against_.measures_for(policy_.by_property); }
  void bind(std::span<const std::string> names) override {
    if (policy_.by_property) against_.bind(names);
  }
  void add(const GateSample& sample) override {
    ++drawn_;
    const bool now = judge_outcome("gate", criterion_, sample.probabilities, sample.label);
    const bool then = policy_.baseline.failed(sample.number);
    failures_ += now ? 1 : 0;
    all_->add(now, then);
    for (std::size_t p = 0; 3 * p < parts_.size(); ++p) parts_[3 * p + against_.third(sample, p)].add(now, then);
  }
  [[nodiscard]] bool known() const override {
    return all_->failed() || std::ranges::any_of(parts_, &WatchedDifference::failed) ||
           (all_->passed() && std::ranges::all_of(parts_, &WatchedDifference::passed));
  }
  [[nodiscard]] GateResult conclude(Provenance run) override {
    GateFindings found;
    found.policy = "NotWorseThanBaseline";
    found.confidence = policy_.confidence;
    found.statements.push_back(all_->statement("", policy_.confidence, against_.who()));
    for (std::size_t i = 0; i < parts_.size(); ++i)
      found.statements.push_back(
          parts_[i].statement(" " + against_.third_text(i / 3, i % 3), policy_.confidence, "it"));
    std::ranges::stable_sort(found.statements.begin() + 1, found.statements.end(), std::ranges::greater{},
                             &GateStatement::evidence_against);
    const auto count = [&](GateVerdict verdict) {
      return std::ranges::count(found.statements, verdict, &GateStatement::verdict);
    };
    const bool one = parts_.empty();
    const std::string margin = rounded_text(100.0 * policy_.margin, 3) + " points";
    if (count(GateVerdict::fail) > 0) {
      found.verdict = GateVerdict::fail;
      found.headline = one ? "the failure rate is at least " + margin + " higher than that of " + against_.who() + "."
                           : "the failure rate rose by more than its margin in " +
                                 std::to_string(count(GateVerdict::fail)) + " of " +
                                 std::to_string(found.statements.size()) + " comparisons with " + against_.who() + ".";
    } else if (count(GateVerdict::undecided) == 0) {
      found.verdict = GateVerdict::pass;
      found.headline = one ? "the failure rate is less than " + margin + " higher than that of " + against_.who() + "."
                           : "the failure rate rose by less than its margin, overall and in every third of " +
                                 std::to_string(parts_.size() / 3) + " properties, against " + against_.who() + ".";
    } else {
      found.headline = std::to_string(drawn_) + " samples do not show whether the failure rate is less than " +
                       (one ? margin : "its margin") + " higher than that of " + against_.who() + ".";
      found.advice = drawn_ < policy_.baseline.samples
                         ? "Raise max_samples: the baseline has " + std::to_string(policy_.baseline.samples) + "."
                         : "All samples of the baseline are used up: make one of more samples, or widen the margin.";
    }
    found.samples = drawn_;
    found.failures = failures_;
    found.mode = mode_of(policy_);
    found.allow_undecided = policy_.allow_undecided;
    run.samples_per_split = drawn_;
    analysis::ReplayText replay = replay_against(policy_, run, "NotWorseThanBaseline");
    replay.add("max_samples", policy_.max_samples);
    if (policy_.by_property) {
      replay.add("by_property", std::string("true"));
      replay.add("property_margin", number_text(policy_.property_margin));
    }
    add_mode(replay, policy_);
    found.replay = end_replay(replay, run);
    found.run = std::move(run);
    return GateResult(std::move(found));
  }

 private:
  [[nodiscard]] double evidence_to_fail(std::int64_t statements) const {
    return static_cast<double>(statements) * 2.0 / (1.0 - policy_.confidence);
  }

  NotWorseThanBaseline policy_;
  AgainstBaseline against_;
  classify::AnyCriterion criterion_;
  std::optional<WatchedDifference> all_;
  std::vector<WatchedDifference> parts_;
  std::int64_t drawn_ = 0;
  std::int64_t failures_ = 0;
};

class NewConditionWatcher final : public GateWatcher {
 public:
  NewConditionWatcher(const NoNewCondition& policy, classify::AnyCriterion criterion)
      : policy_(policy), against_(policy_.baseline, policy_.properties), criterion_(std::move(criterion)) {}

  [[nodiscard]] const classify::AnyCriterion& criterion() const override { return criterion_; }
  void begin(const GateModels& models) override {
    core::require_between("gate", "margin", policy_.margin, 0.0, 1.0);
    core::require_between("gate", "confidence", policy_.confidence, 0.0, 1.0);
    core::require_in("gate", "gates", policy_.gates, 1, 10'000);
    core::require_in("gate", "smoke_samples", policy_.smoke_samples, 1, limits::samples);
    against_.check(models, criterion_);
    if (policy_.baseline.properties.empty())
      throw Error(ErrorCode::invalid_argument, "gate",
                  "the baseline has no property by whose thirds the classifiers could be compared");
    inside_.resize(3 * policy_.baseline.properties.size());
  }
  [[nodiscard]] std::int64_t budget() const override {
    return mode_of(policy_) == GateMode::smoke ? std::min(policy_.baseline.samples, policy_.smoke_samples)
                                               : policy_.baseline.samples;
  }
  [[nodiscard]] std::vector<Property> properties() const override { return against_.measures_for(true); }
  void bind(std::span<const std::string> names) override { against_.bind(names); }
  void add(const GateSample& sample) override {
    const bool now = judge_outcome("gate", criterion_, sample.probabilities, sample.label);
    const bool then = policy_.baseline.failed(sample.number);
    failures_ += now ? 1 : 0;
    count_pair(all_, now, then);
    for (std::size_t p = 0; 3 * p < inside_.size(); ++p)
      count_pair(inside_[3 * p + against_.third(sample, p)], now, then);
  }
  [[nodiscard]] bool known() const override { return false; }
  [[nodiscard]] GateResult conclude(Provenance run) override {
    const double alpha = (1.0 - policy_.confidence) / static_cast<double>(policy_.gates);
    const double strictest = alpha / static_cast<double>(inside_.size());
    std::vector<double> p;
    for (const statistics::PairedCounts& inside : inside_) p.push_back(statistics::swap_test(inside, rest(inside)));
    const std::vector<double> adjusted = statistics::holm(p);
    GateFindings found;
    found.policy = "NoNewCondition";
    std::int64_t failing = 0, blind = 0;
    double worst_detectable = 0.0;
    for (std::size_t i = 0; i < inside_.size(); ++i) {
      const statistics::PairedCounts outside = rest(inside_[i]);
      const double detectable = statistics::detectable_effect(inside_[i], outside, strictest);
      worst_detectable = std::max(worst_detectable, detectable);
      GateStatement statement;
      statement.name = against_.third_text(i / 3, i % 3);
      statement.verdict = adjusted[i] <= alpha           ? GateVerdict::fail
                          : detectable <= policy_.margin ? GateVerdict::pass
                                                         : GateVerdict::undecided;
      failing += statement.verdict == GateVerdict::fail ? 1 : 0;
      blind += statement.verdict == GateVerdict::undecided ? 1 : 0;
      statement.samples = inside_[i].total();
      statement.failures = inside_[i].only_first_fails;
      statement.estimate = statistics::paired_difference(inside_[i]) - statistics::paired_difference(outside);
      const double z = statistics::normal_quantile(1.0 - strictest / 2.0);
      const double deviation = standard_error(inside_[i], outside);
      statement.interval = {statement.estimate - z * deviation, statement.estimate + z * deviation};
      statement.bound = policy_.margin;
      statement.evidence_against = calibrated(p[i]);
      statement.text = "the failure rate rose by " + points(statistics::paired_difference(inside_[i])) +
                       " points there and by " + points(statistics::paired_difference(outside)) + " elsewhere (" +
                       std::to_string(inside_[i].only_first_fails) + " new and " +
                       std::to_string(inside_[i].only_second_fails) + " mended failures of " +
                       std::to_string(inside_[i].total()) + " samples; p = " + rounded_text(adjusted[i], 2) +
                       " by Holm); a rise by " + points(detectable) +
                       " points more than elsewhere would have been found four times in five.";
      found.statements.push_back(std::move(statement));
    }
    if (failing > 0) {
      found.verdict = GateVerdict::fail;
      found.headline = "against " + against_.who() +
                       " there are new conditions of failure: " + std::to_string(failing) + " of " +
                       std::to_string(inside_.size()) + " thirds of properties.";
    } else if (blind == 0) {
      found.verdict = GateVerdict::pass;
      found.headline =
          "no third of a property became a condition of failure that it was not for " + against_.who() + ".";
    } else {
      found.headline = "no new condition of failure was found against " + against_.who() + ", but " +
                       std::to_string(blind) + " of " + std::to_string(inside_.size()) + " could have been missed.";
      const double more = std::pow(worst_detectable / policy_.margin, 2) * static_cast<double>(all_.total());
      if (std::isfinite(more))
        found.advice =
            "About " + rounded_text(more, 2) + " samples would do: make a baseline of so many, or widen the margin.";
    }
    // The strongest on top: the reader looks for what failed.
    std::ranges::stable_sort(found.statements, std::ranges::greater{}, &GateStatement::evidence_against);
    const double smallest = std::ranges::min(adjusted);
    found.evidence_against = calibrated(smallest);
    found.confidence = policy_.confidence;
    found.samples = all_.total();
    found.failures = failures_;
    found.mode = mode_of(policy_);
    found.allow_undecided = policy_.allow_undecided;
    run.samples_per_split = all_.total();
    analysis::ReplayText replay = replay_against(policy_, run, "NoNewCondition");
    add_mode(replay, policy_);
    found.replay = end_replay(replay, run);
    found.run = std::move(run);
    return GateResult(std::move(found));
  }

 private:
  [[nodiscard]] statistics::PairedCounts rest(const statistics::PairedCounts& inside) const {
    return {all_.both_right - inside.both_right, all_.only_first_fails - inside.only_first_fails,
            all_.only_second_fails - inside.only_second_fails, all_.both_fail - inside.both_fail};
  }
  [[nodiscard]] static double standard_error(const statistics::PairedCounts& inside,
                                             const statistics::PairedCounts& outside) {
    const auto part = [](const statistics::PairedCounts& counts) {
      const double n = std::max(1.0, static_cast<double>(counts.total())), mean = statistics::paired_difference(counts);
      return (static_cast<double>(counts.only_first_fails + counts.only_second_fails + 4) / n - mean * mean) / n;
    };
    return std::sqrt(std::max(0.0, part(inside)) + std::max(0.0, part(outside)));
  }
  /// An e-value of a p-value: 1 / (2 √p) has mean at most 1 under the hypothesis (Vovk and Wang 2021).
  [[nodiscard]] static double calibrated(double p) { return 0.5 / std::sqrt(std::max(p, 1e-300)); }
  [[nodiscard]] static std::string points(double share) { return rounded_text(100.0 * share, 3); }

  NoNewCondition policy_;
  AgainstBaseline against_;
  classify::AnyCriterion criterion_;
  statistics::PairedCounts all_;
  std::vector<statistics::PairedCounts> inside_;
  std::int64_t failures_ = 0;
};

}  // namespace detail

FAULTLINE_INLINE std::unique_ptr<detail::GateWatcher> watch(const NotWorseThanBaseline& policy,
                                                            classify::AnyCriterion criterion) {
  return std::make_unique<detail::NotWorseWatcher>(policy, std::move(criterion));
}
FAULTLINE_INLINE std::unique_ptr<detail::GateWatcher> watch(const NoNewCondition& policy,
                                                            classify::AnyCriterion criterion) {
  return std::make_unique<detail::NewConditionWatcher>(policy, std::move(criterion));
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
