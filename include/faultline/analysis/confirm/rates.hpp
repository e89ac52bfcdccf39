// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How often the classifier fails, in which classes, whose failures they are, and whether that is often enough to
// compare failures with successes (method.md: Whose failures).

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/statistics/stratified.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

[[nodiscard]] Rate make_rate(std::int64_t failures, std::int64_t n, double confidence = 0.95);

/// Rates of all classes, whose 95 % intervals hold together (`statistics::simultaneous_rates`).
[[nodiscard]] std::vector<Rate> class_rates_of(std::span<const std::int64_t> failures,
                                               std::span<const std::int64_t> trials);

/// Outcomes per class of the valid samples of a split.
[[nodiscard]] statistics::Strata valid_outcomes(const Population& population, std::int64_t classes);

/// Counts of both splits together.
[[nodiscard]] statistics::Strata pooled_strata(const statistics::Strata& discovery,
                                               const statistics::Strata& confirmation);

/// Fills what both splits say about all samples: failure rate, blame, class leak, rates and confusion per class, and
/// the classes that fail as classes.
void fill_rates(FailureReport& report, const Problem& problem);

/// Failures and successes that a class needs to be tested by itself.
inline constexpr std::int64_t class_outcomes = 10;

/// Whether failures can be compared with successes: `wanted` effective failures in each split, or a class with
/// `class_outcomes` failures and successes in each.
[[nodiscard]] bool enough_failures(const statistics::Strata& discovery, const statistics::Strata& confirmation,
                                   double wanted);

/// Two significant digits, upwards: a plan, not a measurement.
[[nodiscard]] std::int64_t round_up(double samples);

/// A population per split that gives `wanted` effective failures, with a tenth to spare; `exact` is false when no class
/// shows both outcomes, so that the number can only be bounded from below (95 %).
struct SamplesNeeded {
  std::int64_t samples = 0;
  bool exact = true;
};

/// **Formula**: at class rates p_c and class shares π_c a split of N samples has n_eff ≈ N Σ π_c p_c (1 − p_c).
[[nodiscard]] SamplesNeeded samples_needed(const statistics::Strata& discovery, const statistics::Strata& confirmation,
                                           double wanted);

/// Why there is too little to compare, in a sentence or two; `class_notes` are sentences about classes that fail as
/// classes.
[[nodiscard]] std::string too_few_reason(const statistics::Strata& discovery, const statistics::Strata& confirmation,
                                         double wanted, const SamplesNeeded& needed,
                                         const std::vector<std::string>& class_notes = {});

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/rates_impl.hpp>
#endif
