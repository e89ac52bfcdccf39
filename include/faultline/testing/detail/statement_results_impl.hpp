// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/statement_results.hpp.

#include <faultline/testing/statement_results.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// Whether a sentence names a statement: "class 1" is not in "class 10".
inline bool names_statement(std::string_view sentence, std::string_view name) {
  const auto inside = [&](std::size_t at) {
    if (at >= sentence.size()) return false;
    const char c = sentence[at];
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  for (std::size_t at = sentence.find(name); at != std::string_view::npos; at = sentence.find(name, at + 1))
    if ((at == 0 || !inside(at - 1)) && !inside(at + name.size())) return true;
  return false;
}

/// Those sentences that name this statement, and those that name none.
inline std::vector<std::string> sentences_of(const std::vector<std::string>& sentences,
                                             const std::vector<GateStatement>& statements, const GateStatement& own) {
  std::vector<std::string> kept;
  for (const std::string& sentence : sentences) {
    const auto named = [&](const GateStatement& statement) { return names_statement(sentence, statement.name); };
    if (named(own) || std::ranges::none_of(statements, named)) kept.push_back(sentence);
  }
  return kept;
}

inline GateResult result_of(const GateFindings& whole, const GateStatement& own) {
  GateFindings found = whole;
  found.verdict = own.verdict;
  found.samples = own.samples;
  found.failures = own.failures;
  found.evidence_against = own.evidence_against;
  found.headline = own.name + ": it " +
                   (own.verdict == GateVerdict::pass   ? "holds."
                    : own.verdict == GateVerdict::fail ? "does not hold."
                                                       : "is not decided.");
  found.statements = {own};
  found.notes = sentences_of(whole.notes, whole.statements, own);
  found.pictures = sentences_of(whole.pictures, whole.statements, own);
  if (own.verdict == GateVerdict::pass) found.advice.clear();
  else if (own.verdict == GateVerdict::undecided && whole.verdict == GateVerdict::fail)
    found.advice =
        whole.policy == "FailureRateBelowPerClass"
            ? "The gate failed before this class was decided; with .stop_at_first_failure = false it goes on "
              "until all are, or until max_samples."
            : "The gate failed on another statement.";
  return GateResult(std::move(found));
}

}  // namespace detail

FAULTLINE_INLINE std::vector<NamedGate> results_by_statement(const GateResult& result) {
  std::vector<NamedGate> results;
  for (const GateStatement& statement : result.statements())
    results.push_back({statement.name, detail::result_of(result.findings(), statement)});
  return results;
}

FAULTLINE_INLINE GateResult statement_result(const GateResult& result, std::string_view name) {
  const auto& statements = result.statements();
  const auto found = std::ranges::find(statements, name, &GateStatement::name);
  if (found == statements.end())
    throw Error(ErrorCode::invalid_argument, "statement_result",
                "the gate (" + result.findings().policy + ") says nothing about \"" + std::string(name) +
                    "\"; the first of its " + std::to_string(statements.size()) + " statements is about \"" +
                    statements.front().name + "\"");
  return detail::result_of(result.findings(), *found);
}

FAULTLINE_INLINE GateResult class_result(const GateResult& result, std::int64_t label) {
  return statement_result(result, "class " + std::to_string(label));
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
