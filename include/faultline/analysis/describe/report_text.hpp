// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The sentences of a report that a reader sees first: headline of a finding, reason of a verdict.

#include <faultline/analysis/report.hpp>

#include <cstdint>
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

/// What a finding is called: the property that follows it, else where it comes from.
[[nodiscard]] std::string title(const Finding& finding);

/// "high noise level", "high blur (component 3)", "a direction that no measured property follows (component 3)": how
/// failure looks along the direction. The direction's own name stands behind whatever it is not named after, so that
/// no two findings read alike.
[[nodiscard]] std::string condition(const Finding& finding);

/// What a direction has to change to be called a cause.
[[nodiscard]] double required_effect(const InterventionEffect& effect, double min_effect);

/// Moving the direction seems to change the failure rate enough, but too few codes were moved to be sure.
[[nodiscard]] bool is_undecided(const InterventionEffect& effect, double min_effect);

/// Formula of method section 5.2: what repairing the direction removes, next to what a random one does.
[[nodiscard]] std::string headline(const Finding& finding);

/// Why a direction that failures go along with is not called a cause.
[[nodiscard]] std::string associated_headline(const Finding& finding, double min_effect);

[[nodiscard]] std::string verdict_reason(const FailureReport& report, double min_effect);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/report_text_impl.hpp>
#endif
