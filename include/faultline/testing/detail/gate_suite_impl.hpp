// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/gate_suite.hpp.

#include <faultline/testing/gate_suite.hpp>

#include <faultline/core/interrupted.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/e_values.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

FAULTLINE_INLINE SuiteResult::SuiteResult(std::vector<NamedGate> gates) : gates_(std::move(gates)) {
  if (gates_.empty()) throw Error(ErrorCode::empty_input, "SuiteResult", "expected at least one gate, got 0");
  std::vector<double> too_high;
  std::optional<double> confidence;
  for (const NamedGate& one : gates_) {
    too_high.push_back(one.result.evidence_against());
    if (one.result.confidence() == 1.0) continue;  // certain, whatever the others are
    if (confidence && one.result.confidence() != *confidence)
      throw Error(ErrorCode::invalid_argument, "SuiteResult",
                  "gates of one suite share one confidence, got " + number_text(*confidence) + " and, of " + one.name +
                      ", " + number_text(one.result.confidence()));
    confidence = one.result.confidence();
  }
  confidence_ = confidence.value_or(1.0);
  const double needed = 2.0 / std::max(1.0 - confidence_, 1e-9);
  const std::vector<double> adjusted = statistics::e_holm(too_high);
  for (std::size_t i = 0; i < gates_.size(); ++i)
    if (adjusted[i] >= needed) failing_.push_back(gates_[i].name);
  if (std::all_of(gates_.begin(), gates_.end(), [](const NamedGate& one) { return one.result.passed(); }))
    verdict_ = GateVerdict::pass;
  else if (statistics::mean_e_value(too_high) >= needed) verdict_ = GateVerdict::fail;
}

FAULTLINE_INLINE bool SuiteResult::holds() const noexcept {
  return passed() || (!failed() && std::all_of(gates_.begin(), gates_.end(),
                                               [](const NamedGate& one) { return one.result.holds(); }));
}

FAULTLINE_INLINE std::string SuiteResult::explain() const {
  const auto count = [&](bool (GateResult::*is)() const noexcept) {
    return std::count_if(gates_.begin(), gates_.end(), [&](const NamedGate& one) { return (one.result.*is)(); });
  };
  const std::string all = std::to_string(gates_.size()) + " gates";
  std::string text;
  switch (verdict_) {
    case GateVerdict::pass: text = "PASS: all of " + all + " pass"; break;
    case GateVerdict::fail:
      text = "FAIL: " + (failing_.empty() ? "of " + all + " at least one fails, though it is not known which"
                                          : std::to_string(failing_.size()) + " of " + all + " fail");
      break;
    case GateVerdict::undecided:
      text = "UNDECIDED: " + std::to_string(count(&GateResult::passed)) + " of " + all +
             " pass, and none is known to fail";
      break;
  }
  text += "; at " + detail::percent(confidence()) + " confidence for all of them together.";
  for (std::size_t i = 0; i < failing_.size(); ++i) text += (i == 0 ? " Failing: " : ", ") + failing_[i];
  if (!failing_.empty()) text += ".";
  for (const NamedGate& one : gates_) text += "\n" + one.name + ": " + one.result.explain();
  return text;
}

FAULTLINE_INLINE void GateSuite::plan(Planned planned) {
  for (const Planned& other : planned_)
    if (other.name == planned.name)
      throw Error(ErrorCode::invalid_argument, "GateSuite", "there are two gates named \"" + planned.name + "\"");
  planned_.push_back(std::move(planned));
}

FAULTLINE_INLINE SuiteResult GateSuite::run() const {
  const auto count = static_cast<std::int64_t>(planned_.size());
  std::vector<std::optional<GateResult>> results(planned_.size());
  std::optional<Error> error;
  std::exception_ptr cause;
  const auto keep = [&](const Error& met) {
    if (!core::is_interruption(met)) throw;
    if (!error) error = met, cause = std::current_exception();
  };
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    if (results[i]) continue;
    const Planned& first = planned_[i];
    if (first.run) {
      try {
        results[i] = first.run(count);
      } catch (const Error& met) {
        keep(met);
        results[i] = detail::interrupted_gate(confidence_, met);
      }
      continue;
    }
    // This one and all later ones that ask for the same samples
    std::vector<std::size_t> members;
    std::vector<std::unique_ptr<detail::GateWatcher>> watchers;
    std::vector<detail::GateWatcher*> borrowed;
    for (std::size_t j = i; j < planned_.size(); ++j) {
      const Planned& other = planned_[j];
      if (!other.watch || other.generator != first.generator || other.classifier != first.classifier ||
          other.population != first.population)
        continue;
      members.push_back(j);
      watchers.push_back(other.watch(count));
      borrowed.push_back(watchers.back().get());
    }
    detail::SamplesDrawn drawn;
    std::optional<Error> ended;
    try {
      drawn.run = first.draw(first.population, borrowed);
    } catch (const Interrupted<detail::SamplesDrawn>& met) {
      keep(met);
      ended = met;
      drawn = met.found();
    } catch (const Error& met) {  // before the first sample
      keep(met);
      for (const std::size_t member : members) results[member] = detail::interrupted_gate(confidence_, met);
      continue;
    }
    for (std::size_t k = 0; k < members.size(); ++k) {
      Provenance own = drawn.run;
      own.criterion = watchers[k]->criterion().name();
      own.criterion_expression = watchers[k]->criterion().replay_expression();
      results[members[k]] = ended && !detail::is_done(*watchers[k], drawn.count)
                                ? detail::conclude_interrupted(*watchers[k], std::move(own), *ended)
                                : watchers[k]->conclude(std::move(own));
    }
  }
  std::vector<NamedGate> gates;
  for (std::size_t i = 0; i < planned_.size(); ++i) gates.push_back({planned_[i].name, std::move(*results[i])});
  SuiteResult result(std::move(gates));
  if (!error) return result;
  try {
    std::rethrow_exception(cause);
  } catch (...) {
    std::throw_with_nested(Interrupted<SuiteResult>(*error, std::move(result)));
  }
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
