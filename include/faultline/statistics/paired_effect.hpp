// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Whether one of two classifiers lost more in one part of a population than in the rest: paired outcomes, and a test by
// swapping them within pairs (gates.md).

#include <faultline/config.hpp>
#include <faultline/statistics/mcnemar.hpp>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Failure rate of the first classifier minus that of the second; 0 without samples.
[[nodiscard]] double paired_difference(const PairedCounts& counts) noexcept;

/// One-sided p-value of "the first classifier is worse than the second inside by no more than outside".
///
/// **Formula**: under the hypothesis that the two classifiers can be swapped within any pair, the samples that
/// the first fails on alone are binomial with one half among those that one fails on alone, inside and outside
/// independently; p is the probability of a difference of differences at least as large as the one seen, enumerated
/// exactly. 1 where one side has no samples.
/// **Error rate**: at most the level where the classifiers are exchangeable. Where the first is worse by the same
/// amount everywhere, the count that it wins is a binomial with another probability, whose variance is smaller: the
/// test then errs less often.
/// **Throws** `invalid_argument` for negative counts.
/// **Cost**: one binomial tail for each sample outside that one fails on alone.
/// Example: `swap_test({.both_right = 287, .only_first_fails = 12, .only_second_fails = 1}, {.both_right = 600})`
[[nodiscard]] double swap_test(const PairedCounts& inside, const PairedCounts& outside);

/// The difference of differences that `swap_test` at level `alpha` would find with probability `power`, from as many
/// samples that one fails on alone as were seen.
///
/// **Formula**: (z_{1−α} + z_power) · √((m_in + 4) / n_in² + (m_out + 4) / n_out²), m being those; four
/// more, because few or none do not show that there are none (as Agresti and Coull 1998 do for a rate). Infinite
/// where one side has no samples.
/// **Throws** `invalid_argument` as `swap_test`, and unless 0 < alpha, power < 1.
[[nodiscard]] double detectable_effect(const PairedCounts& inside, const PairedCounts& outside, double alpha,
                                       double power = 0.8);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/paired_effect_impl.hpp>
#endif
