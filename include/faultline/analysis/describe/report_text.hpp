// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The sentences of a report that a reader sees first: headline of a finding, reason of a verdict.

#include <faultline/analysis/report.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A share in hundredths: "34", and "0.4" below one.
[[nodiscard]] std::string hundredths(double share);

[[nodiscard]] std::string percent(double share);

/// A difference of two shares: "58 percentage points".
[[nodiscard]] std::string points(double difference);

[[nodiscard]] std::string counted(std::int64_t n, const std::string& one, const std::string& many);

/// How failure looks along a condition: "more blur", "less contrast", "much or little slant", "slant in between",
/// "blur with noise level, both high or both low".
[[nodiscard]] std::string condition_words(const Finding& finding);

/// What heads an entry of the report, by the list that it is on: a cause by its attributable fraction (method section
/// 5.5), the others by why they are no cause.
[[nodiscard]] std::string headline(const Finding& finding);

/// The same for conditions of images that are not valid.
[[nodiscard]] std::string generator_headline(const Finding& finding);

/// What two conditions are together.
[[nodiscard]] std::string interaction_headline(const InteractionFinding& interaction);

[[nodiscard]] std::string verdict_reason(const FailureReport& report);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/report_text_impl.hpp>
#endif
