// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Several gates that share one error rate and, where they ask for the same samples, these samples (gates.md).

#include <faultline/classify/any_criterion.hpp>
#include <faultline/testing/gate.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// One gate of a suite.
struct NamedGate {
  std::string name;
  GateResult result;
};

/// What several gates say together.
///
/// **Error rate**: with probability at least `confidence` the suite does not pass while a rate is not below its bound,
/// does not fail while every rate is at most its bound, and names no gate as failing whose rate is at most its bound.
/// Passing and failing get half of the error each. It holds for any number of gates, however they depend on each other
/// (so they may share samples), and, as for one gate, over seeds and not over builds.
/// **Formula**: it passes if every gate passes, which errs no more often than one gate (Berger 1982). Whether any rate
/// is too high, says the mean of the gates' e-values, and which, Holm's procedure on them (`statistics::e_holm`),
/// against 2 / (1 - confidence). A gate whose answer is certain, as the replay of known failures is, has confidence 1
/// and an e-value that decides by itself.
class SuiteResult {
 public:
  /// Gates that were run, with `.gates` of their policies set to how many there are: with less, evidence that one of
  /// them fails stops too early to count among the others. Throws empty_input for none of them; invalid_argument if
  /// their confidences differ, or two have one name.
  explicit SuiteResult(std::vector<NamedGate> gates);

  [[nodiscard]] GateVerdict verdict() const noexcept { return verdict_; }
  /// Every rate is below its bound.
  [[nodiscard]] bool passed() const noexcept { return verdict_ == GateVerdict::pass; }
  /// Some rate is not below its bound; `failing` names it, if it is known which.
  [[nodiscard]] bool failed() const noexcept { return verdict_ == GateVerdict::fail; }
  [[nodiscard]] bool undecided() const noexcept { return verdict_ == GateVerdict::undecided; }
  /// Whether a build may go on: nothing failed, and every gate holds, see `GateResult::holds`.
  [[nodiscard]] bool holds() const noexcept;

  [[nodiscard]] const std::vector<NamedGate>& gates() const noexcept { return gates_; }
  /// Names of the gates that fail.
  [[nodiscard]] const std::vector<std::string>& failing() const noexcept { return failing_; }
  /// Probability with which all of this holds.
  [[nodiscard]] double confidence() const noexcept { return confidence_; }

  /// What happened, in sentences, gate by gate.
  [[nodiscard]] std::string explain() const;

 private:
  std::vector<NamedGate> gates_;
  std::vector<std::string> failing_;
  double confidence_ = 1.0;
  GateVerdict verdict_ = GateVerdict::undecided;
};

/// Writes `result.explain()`: what test frameworks print of a result.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const SuiteResult& result) {
  return out << result.explain();
}

/// Gates that share one error rate: collects them, then runs them, each with the number of all as `.gates`.
///
/// Gates on the same generator and classifier that ask for the same samples (seed, labels, truncation, noise, batch
/// size) watch one population, which is drawn once, as far as the one needs it that needs most. What each sees and
/// says is what it would see and say by itself.
/// Generators and classifiers are borrowed until the last run. A gate's policy is taken as it is, but for
/// `.confidence`, which is the suite's.
/// **Throws** from `add`: invalid_argument for a name that is taken; from `run`: empty_input without gates, and what
/// `gate` throws. An error of a classifier, property or criterion ends the gates that met it, not the others:
/// `Interrupted<SuiteResult>` is thrown when all have run, and `found()` has them all.
/// **Cost**: that of the gates, samples in common counted once. To pass, each takes what it takes alone; to fail, the
/// more evidence the more there are.
/// Example: `const auto result = GateSuite(0.95).add("all", generator, mine, {.bound = 0.02})
/// .add("eights", generator, mine, {.bound = 0.05, .labels = LabelPolicy::fixed(8)}).run();`
class GateSuite {
 public:
  explicit GateSuite(double confidence = 0.95) : confidence_(confidence) {}

  template <StyleGenerator G, Classifier C, class P = FailureRateBelow, FailureCriterion F = Misclassified>
  GateSuite& add(std::string name, const G& generator, C& classifier, P policy, F criterion = {}) {
    if constexpr (requires { policy.confidence; }) policy.confidence = confidence_;
    const auto shared = [policy = std::move(policy)](std::int64_t gates) {
      P one = policy;
      if constexpr (requires { one.gates; }) one.gates = gates;
      return one;
    };
    Planned planned;
    planned.name = std::move(name);
    if constexpr (detail::WatchedPolicy<P>) {
      planned.generator = std::addressof(generator);
      planned.classifier = std::addressof(classifier);
      planned.population = detail::population_of(shared(1));
      planned.watch = [shared, criterion = classify::AnyCriterion(std::move(criterion))](std::int64_t gates) {
        return watch(shared(gates), criterion);
      };
      planned.draw = [&generator, &classifier](const detail::GatePopulation& population,
                                               std::span<detail::GateWatcher* const> watchers) {
        return detail::draw_gate_samples(generator, *classify::hold<typename G::image_type>(classifier), population,
                                         watchers);
      };
    } else {
      planned.run = [shared, &generator, &classifier, criterion = std::move(criterion)](std::int64_t gates) {
        return gate(generator, classifier, shared(gates), criterion);
      };
    }
    plan(std::move(planned));
    return *this;
  }
  template <StyleGenerator G, Classifier C, class P = FailureRateBelow, FailureCriterion F = Misclassified>
  GateSuite& add(std::string name, const G&& generator, C& classifier, P policy, F criterion = {}) = delete;

  [[nodiscard]] SuiteResult run() const;

 private:
  /// A gate that watches a population, or one that runs by itself.
  struct Planned {
    std::string name;
    const void* generator = nullptr;
    const void* classifier = nullptr;
    detail::GatePopulation population = {};
    std::function<std::unique_ptr<detail::GateWatcher>(std::int64_t)> watch = nullptr;
    std::function<Provenance(const detail::GatePopulation&, std::span<detail::GateWatcher* const>)> draw = nullptr;
    std::function<GateResult(std::int64_t)> run = nullptr;
  };
  void plan(Planned planned);

  double confidence_;
  std::vector<Planned> planned_;
};

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/gate_suite_impl.hpp>
#endif
