// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What gates found, for machines and for a pull request: JUnit XML, JSON and Markdown.

#include <faultline/testing/gate_result.hpp>
#include <faultline/testing/gate_suite.hpp>

#include <string>

namespace faultline {
inline namespace v1 {
namespace testing {

/// JUnit XML: one test suite, one test case for each gate. A gate that does not hold is a failure, one that is
/// undecided and may be so is skipped; the text is its explanation.
///
/// Example: `core::write_file_atomically("gates.xml", junit_xml(result, "release gates"))`
[[nodiscard]] std::string junit_xml(const SuiteResult& result, const std::string& suite_name = "faultline");

/// A table with a row for each gate, and the explanations of those that did not pass, folded: the comment of a pull
/// request.
[[nodiscard]] std::string markdown_summary(const SuiteResult& result, const std::string& title = "Gates");

/// Everything as JSON (`faultline.gates/1`), members named as those of `GateFindings` and `GateStatement`.
[[nodiscard]] std::string to_json(const SuiteResult& result);

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/gate_report_impl.hpp>
#endif
