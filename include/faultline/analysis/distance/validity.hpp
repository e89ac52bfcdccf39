// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is a moved image still what it should be? A finding whose failing images a second, stronger classifier no longer
// recognises may be the generator's fault (method section 8).

#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/report.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Judge agreement below this at the flip makes a finding generator suspect.
inline constexpr double judge_bar = 0.9;

/// Validity from the judge's answers on the flipped images (1: still the label); empty and not suspect without any.
[[nodiscard]] Validity validity_of(std::span<const std::uint8_t> judge_agrees);

/// Fresh codes that the class leak is measured on at most: its standard error is then below half a point at the few
/// percent that a usable generator leaks.
inline constexpr std::int64_t class_leak_codes = 1'000;

/// Share of the first `class_leak_codes` unmoved fresh codes whose image the judge gives another label; empty without a
/// judge. What the generator leaks between classes by itself.
///
/// **Cost**: one image per code.
[[nodiscard]] std::optional<double> measure_class_leak(const FindingContext& context);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/validity_impl.hpp>
#endif
