// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How often the classifier fails, whether that is often enough to compare failures with successes, and how many samples
// would be (method section 4).

#include <faultline/analysis/report.hpp>
#include <faultline/statistics/stratified.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

[[nodiscard]] Rate make_rate(std::int64_t failures, std::int64_t n, double confidence = 0.95);

/// Counts of both halves together.
[[nodiscard]] statistics::Strata pooled_strata(const statistics::Strata& discovery,
                                               const statistics::Strata& confirmation);

void fill_rates(FailureReport& report, const statistics::Strata& pooled);

/// Two significant digits, upwards: a plan, not a measurement.
[[nodiscard]] std::int64_t round_up(double samples);

/// A population per half that gives `wanted` effective failures, with a tenth to spare; `exact` is false when no class
/// shows both outcomes, so that the number can only be bounded from below (95 %).
struct SamplesNeeded {
  std::int64_t samples = 0;
  bool exact = true;
};

/// **Formula**: at class rates p_c and class shares π_c a half of N samples has n_eff ≈ N Σ π_c p_c (1 − p_c).
[[nodiscard]] SamplesNeeded samples_needed(const statistics::Strata& discovery, const statistics::Strata& confirmation,
                                           double wanted);

/// Why there is too little to compare, in a sentence or two; `class_notes` are those of `ClassNotes`.
[[nodiscard]] std::string too_few_reason(const statistics::Strata& discovery, const statistics::Strata& confirmation,
                                         double wanted, const SamplesNeeded& needed,
                                         const std::vector<std::string>& class_notes = {});

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/rates_impl.hpp>
#endif
