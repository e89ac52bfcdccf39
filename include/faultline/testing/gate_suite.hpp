// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Several gates that are asserted together, with one error rate for all of them (method section 16).

#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/testing/gate.hpp>
#include <faultline/testing/gate_result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
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
/// (so they may share seeds), and, as for one gate, over seeds and not over builds.
/// **Formula**: it passes if every gate passes, which errs no more often than one gate (Berger 1982). Whether any rate
/// is too high, says the mean of the gates' e-values, and which, Holm's procedure on them (`statistics::e_holm`),
/// against 2 / (1 - confidence).
class SuiteResult {
 public:
  /// Gates that were run, with `.gates` of their policies set to how many there are: with less, evidence that one of
  /// them fails stops too early to count among the others. Throws empty_input for none of them; invalid_argument if
  /// their confidences differ.
  explicit SuiteResult(std::vector<NamedGate> gates);

  [[nodiscard]] GateVerdict verdict() const noexcept { return verdict_; }
  /// Every rate is below its bound.
  [[nodiscard]] bool passed() const noexcept { return verdict_ == GateVerdict::pass; }
  /// Some rate is not below its bound; `failing` names it, if it is known which.
  [[nodiscard]] bool failed() const noexcept { return verdict_ == GateVerdict::fail; }
  [[nodiscard]] bool undecided() const noexcept { return verdict_ == GateVerdict::undecided; }

  [[nodiscard]] const std::vector<NamedGate>& gates() const noexcept { return gates_; }
  /// Names of the gates that fail.
  [[nodiscard]] const std::vector<std::string>& failing() const noexcept { return failing_; }
  /// Probability with which all of this holds.
  [[nodiscard]] double confidence() const noexcept { return gates_.front().result.policy().confidence; }

  /// What happened, in sentences, gate by gate.
  [[nodiscard]] std::string explain() const;

 private:
  std::vector<NamedGate> gates_;
  std::vector<std::string> failing_;
  GateVerdict verdict_ = GateVerdict::undecided;
};

/// Writes `result.explain()`: what test frameworks print of a result.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const SuiteResult& result) {
  return out << result.explain();
}

/// Gates that share one error rate: collects them, then runs them, each with the number of all as `.gates`.
///
/// Generators and classifiers are borrowed until the last run. A gate's policy is taken as it is, but for
/// `.confidence`, which is the suite's.
/// **Throws** from `run`: empty_input without gates, and what `gate` throws.
/// **Cost**: that of the gates. To pass, each takes what it takes alone; to fail, the more evidence the more there are.
/// Example: `const auto result = GateSuite(0.95).add("all", generator, mine, {.bound = 0.02})
/// .add("eights", generator, mine, {.bound = 0.05, .labels = LabelPolicy::fixed(8)}).run();`
class GateSuite {
 public:
  explicit GateSuite(double confidence = 0.95) : confidence_(confidence) {}

  template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  GateSuite& add(std::string name, const G& generator, C& classifier, FailureRateBelow policy, F criterion = {}) {
    policy.confidence = confidence_;
    planned_.push_back({std::move(name), [&generator, &classifier, policy = std::move(policy),
                                          criterion = std::move(criterion)](std::int64_t gates) {
                          FailureRateBelow shared = policy;
                          shared.gates = gates;
                          return gate(generator, classifier, shared, criterion);
                        }});
    return *this;
  }
  template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  GateSuite& add(std::string name, const G&& generator, C& classifier, FailureRateBelow policy,
                 F criterion = {}) = delete;

  [[nodiscard]] SuiteResult run() const;

 private:
  struct Planned {
    std::string name;
    std::function<GateResult(std::int64_t)> run;
  };

  double confidence_;
  std::vector<Planned> planned_;
};

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/gate_suite_impl.hpp>
#endif
