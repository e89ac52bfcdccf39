// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/gate_suite.hpp.

#include <faultline/testing/gate_suite.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/e_values.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

FAULTLINE_INLINE SuiteResult::SuiteResult(std::vector<NamedGate> gates) : gates_(std::move(gates)) {
  if (gates_.empty()) throw Error(ErrorCode::empty_input, "SuiteResult", "expected at least one gate, got 0");
  std::vector<double> too_high;
  for (const NamedGate& one : gates_) {
    if (one.result.policy().confidence != confidence())
      throw Error(ErrorCode::invalid_argument, "SuiteResult",
                  "gates of one suite share one confidence, got " + number_text(confidence()) + " and, of " + one.name +
                      ", " + number_text(one.result.policy().confidence));
    too_high.push_back(one.result.evidence().against_at_most);
  }
  const double needed = 2.0 / (1.0 - confidence());
  const std::vector<double> adjusted = statistics::e_holm(too_high);
  for (std::size_t i = 0; i < gates_.size(); ++i)
    if (adjusted[i] >= needed) failing_.push_back(gates_[i].name);
  if (std::all_of(gates_.begin(), gates_.end(), [](const NamedGate& one) { return one.result.passed(); }))
    verdict_ = GateVerdict::pass;
  else if (statistics::mean_e_value(too_high) >= needed) verdict_ = GateVerdict::fail;
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

FAULTLINE_INLINE SuiteResult GateSuite::run() const {
  std::vector<NamedGate> results;
  results.reserve(planned_.size());
  for (const Planned& one : planned_)
    results.push_back({one.name, one.run(static_cast<std::int64_t>(planned_.size()))});
  return SuiteResult(std::move(results));
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
