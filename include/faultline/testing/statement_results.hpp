// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The result of a gate by its statements, for one test of each class, or of each known failure.

#include <faultline/testing/gate_result.hpp>
#include <faultline/testing/gate_suite.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// One result for each statement of a gate, under the statement's name and in their order: `class 0`, `class 1`, and so
/// on, or the names of the entries of a failure corpus.
///
/// Each has the statement's verdict, counts, evidence and text, its own picture where there is one, and those notes
/// that name it or no statement at all; the rest is the gate's. Nothing is sampled: the gate was run once, and the
/// results divide what it found.
/// **Error rate**: that of the gate, for all results together. Of `FailureRateBelowPerClass`: with probability at most
/// (1 - confidence) / 2 any class fails whose rate is at most its bound, however many classes there are, and with
/// probability at most the same all pass although one rate is not below its bound. A class that passes beside others
/// that do not has that probability by itself.
/// Example: `for (const NamedGate& one : results_by_statement(verdict)) DYNAMIC_SECTION(one.name) {
/// CHECK_THAT(one.result, Holds()); }`
[[nodiscard]] std::vector<NamedGate> results_by_statement(const GateResult& result);

/// That of one statement. **Throws** invalid_argument where no statement has that name.
/// Example: `EXPECT_THAT(statement_result(verdict, GetParam().name), Holds());`
[[nodiscard]] GateResult statement_result(const GateResult& result, std::string_view name);

/// That of one class, from a gate on every class (`FailureRateBelowPerClass`). **Throws** invalid_argument where the
/// gate says nothing about that class.
/// Example: `EXPECT_THAT(class_result(verdict, 3), Holds());`
[[nodiscard]] GateResult class_result(const GateResult& result, std::int64_t label);

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/statement_results_impl.hpp>
#endif
