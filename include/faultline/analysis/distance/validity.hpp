// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is a moved image still what it should be? A finding whose failing images a second, stronger classifier no longer
// recognises may be the generator's fault (method section 8).

#include <faultline/analysis/problem/finding_context.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Judge agreement below this at the flip makes a finding generator suspect.
inline constexpr double judge_bar = 0.9;

/// Validity from the judge's answers on the flipped images (1: still the label); empty and not suspect without any.
[[nodiscard]] inline Validity validity_of(std::span<const std::uint8_t> judge_agrees) {
  if (judge_agrees.empty()) return {};
  double agreed = 0.0;
  for (const std::uint8_t a : judge_agrees) agreed += a != 0 ? 1.0 : 0.0;
  const double agreement = agreed / static_cast<double>(judge_agrees.size());
  return {agreement, agreement < judge_bar};
}

/// Fresh codes that the class leak is measured on at most: its standard error is then below half a point at the few
/// percent that a usable generator leaks.
inline constexpr std::int64_t class_leak_codes = 1'000;

/// Share of the first `class_leak_codes` unmoved fresh codes whose image the judge gives another label; empty without a
/// judge. What the generator leaks between classes by itself.
///
/// **Cost**: one image per code.
[[nodiscard]] inline std::optional<double> measure_class_leak(const FindingContext& context) {
  const Population& codes = context.codes;
  if (!context.problem.has_judge || codes.size() == 0) return std::nullopt;
  const std::int64_t count = std::min(codes.size(), class_leak_codes);
  std::vector<EditedLatent> unmoved;
  for (std::int64_t i = 0; i < count; ++i)
    unmoved.push_back({{codes.w.row_span(i), codes.label[static_cast<std::size_t>(i)]}});
  double agreed = 0.0;
  for (const std::uint8_t agrees : context.problem.answer_edits(unmoved, {.judge = true}).judge_agrees)
    agreed += agrees != 0 ? 1.0 : 0.0;
  return 1.0 - agreed / static_cast<double>(count);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
