// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/gate_result.hpp.

#include <faultline/testing/gate_result.hpp>

#include <faultline/config.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

FAULTLINE_INLINE GateMode gate_mode() {
  const char* value = std::getenv("FAULTLINE_MODE");
  const std::string mode = value == nullptr ? "" : value;
  if (mode.empty() || mode == "full") return GateMode::full;
  if (mode == "smoke") return GateMode::smoke;
  throw Error(ErrorCode::invalid_argument, "gate_mode",
              "the environment variable FAULTLINE_MODE must be smoke or full, got \"" + mode + "\"");
}

FAULTLINE_INLINE GateResult::GateResult(GateFindings findings) : found_(std::move(findings)) {
  if (found_.statements.empty())
    throw Error(ErrorCode::empty_input, "GateResult", "expected at least one statement, got 0");
}

FAULTLINE_INLINE double GateResult::evidence_against() const {
  if (found_.evidence_against) return *found_.evidence_against;
  double sum = 0.0;
  for (const GateStatement& statement : found_.statements) sum += statement.evidence_against;
  return sum / static_cast<double>(found_.statements.size());
}

FAULTLINE_INLINE std::string GateResult::explain() const {
  std::string text = interrupted() ? "ERROR: " : passed() ? "PASS: " : failed() ? "FAIL: " : "UNDECIDED: ";
  text += found_.headline;
  const std::vector<GateStatement>& statements = found_.statements;
  const bool one = statements.size() == 1;
  if (one) {
    if (!statements.front().text.empty()) text += " " + statements.front().text;
  } else {
    // Of many statements those that a reader looks for: the ones that fail, or else those that are open; all are in
    // statements().
    constexpr std::size_t few = 12;
    const auto wanted = [&](const GateStatement& statement) {
      return statements.size() <= few || statement.verdict == found_.verdict;
    };
    std::size_t shown = 0;
    for (const GateStatement& statement : statements) {
      if (shown == few || (passed() && statements.size() > few)) break;
      if (!wanted(statement)) continue;
      ++shown;
      text += statement.verdict == GateVerdict::pass   ? "\n  holds: "
              : statement.verdict == GateVerdict::fail ? "\n  FAILS: "
                                                       : "\n  open:  ";
      text += statement.name + ": " + statement.text;
    }
    if (shown < statements.size()) {
      const auto count = [&](GateVerdict verdict) {
        return std::to_string(std::ranges::count(statements, verdict, &GateStatement::verdict));
      };
      text += "\n  Of all " + std::to_string(statements.size()) + ", " + count(GateVerdict::pass) + " hold, " +
              count(GateVerdict::fail) + " fail and " + count(GateVerdict::undecided) + " are open.";
    }
  }
  if (!found_.advice.empty()) text += (one ? " " : "\n") + found_.advice;
  for (const std::string& note : found_.notes) text += "\n" + note;
  for (std::size_t i = 0; i < found_.pictures.size(); ++i)
    text += (i == 0 ? "\nPictures: " : ", ") + found_.pictures[i];
  if (!found_.replay.empty()) text += "\nReplay: " + found_.replay;
  return text;
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
