// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Intervals for the failure rates of all classes that hold together (method.md: Whose failures).

#include <faultline/statistics/interval.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Clopper–Pearson intervals for K rates that all contain their true rate at once with probability ≥ `confidence`.
///
/// **Shapes**: failures and trials `[K]`, of independent groups; a group without trials gets [0, 1] and costs the
/// others nothing. **Formula**: each interval at confidence^(1/K), K the groups with trials (Šidák 1967): the
/// probabilities of independent groups multiply, so the joint coverage is exact where that of each is (enumerated in
/// the tests).
/// **Throws** `shape_mismatch` when the lengths differ; `invalid_argument` unless 0 ≤ failures ≤ trials and 0 <
/// confidence < 1. No groups give no intervals.
/// Example: `std::vector<Interval> classes = simultaneous_rates(failures, trials, 0.95);`
[[nodiscard]] std::vector<Interval> simultaneous_rates(std::span<const std::int64_t> failures,
                                                       std::span<const std::int64_t> trials, double confidence = 0.95);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/simultaneous_rates_impl.hpp>
#endif
