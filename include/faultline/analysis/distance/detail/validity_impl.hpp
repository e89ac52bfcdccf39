// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/validity.hpp.

#include <faultline/analysis/distance/validity.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE Validity validity_of(std::span<const std::uint8_t> judge_agrees) {
  if (judge_agrees.empty()) return {};
  double agreed = 0.0;
  for (const std::uint8_t a : judge_agrees) agreed += a != 0 ? 1.0 : 0.0;
  const double agreement = agreed / static_cast<double>(judge_agrees.size());
  return {agreement, agreement < judge_bar};
}

FAULTLINE_INLINE std::optional<double> measure_class_leak(const FindingContext& context) {
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
