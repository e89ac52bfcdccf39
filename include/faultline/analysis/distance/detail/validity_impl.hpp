// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/distance/validity.hpp.

#include <faultline/analysis/distance/validity.hpp>

#include <faultline/statistics/binomial.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE Validity validity_of(std::span<const std::uint8_t> judge_agrees) {
  if (judge_agrees.empty()) return {};
  const auto n = static_cast<std::int64_t>(judge_agrees.size());
  const std::int64_t agreed = std::count_if(judge_agrees.begin(), judge_agrees.end(), [](auto a) { return a != 0; });
  const statistics::Interval interval = statistics::clopper_pearson(agreed, n);
  const ValidityDecision decision = interval.lower > 0.5   ? ValidityDecision::mostly_valid
                                    : interval.upper < 0.5 ? ValidityDecision::mostly_invalid
                                                           : ValidityDecision::undecided;
  return {Share{static_cast<double>(agreed) / static_cast<double>(n), interval.lower, interval.upper}, n, decision};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
