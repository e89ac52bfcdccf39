// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How much a rate changed: for the same latents before and after (or up and down) an edit, and for two separate
// samples.

#include <faultline/statistics/interval.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// One-sided lower bound for the mean of independent values −1, 0, 1, of which `up` were 1 and `down` were −1 among n:
/// the effect of an intervention.
///
/// **Formula**: the mean whose score statistic (Tango 1998) just reaches the normal quantile, with the sum reduced by
/// one: the bound that would hold had one more value spoken against it. A bound below −½ is given as −1, where the
/// approximation is poor and nobody needs it.
/// **Error rate**: it exceeds the true mean with probability at most 1 − confidence: for .95 enumerated exactly over
/// all outcomes, n from 4 to 512 and a grid of true rates (lowest coverage .950; Student's t with the same data goes
/// down to .58 where values other than 0 are rare).
/// **Throws** `invalid_argument` unless up, down ≥ 0, up + down ≤ n and 0 < confidence < 1. n = 0 gives −1.
/// Example: `effect_lower_bound(38, 6, 128)` is .165 for a mean of .25
[[nodiscard]] double effect_lower_bound(std::int64_t up, std::int64_t down, std::int64_t n, double confidence = 0.95);

/// Two-sided interval for the mean of values −1, 0, 1; equally for the difference p_A − p_B of two failure rates on the
/// same samples, `up` of which failed for A alone and `down` for B alone.
///
/// **Formula**: both one-sided bounds at (1 + confidence) / 2, the upper one by symmetry. **Error rate**, **Throws**:
/// as `effect_lower_bound`.
[[nodiscard]] Interval effect_interval(std::int64_t up, std::int64_t down, std::int64_t n, double confidence = 0.95);

/// Wilson's interval for a rate seen k times in n: close to its confidence on average, unlike `clopper_pearson`, which
/// is never below it.
///
/// **Formula**: (p̂ + z²/2n ± z √(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n) (Wilson 1927). **Throws** `invalid_argument` as
/// `clopper_pearson`. n = 0 gives [0, 1].
[[nodiscard]] Interval wilson(std::int64_t k, std::int64_t n, double confidence = 0.95);

/// Interval for p₁ − p₂ from two separate samples.
///
/// **Formula**: difference ± the Wilson arms combined in squares (Newcombe 1998, method.md: Global and class-specific).
/// **Error rate**: approximate; coverage of the 95 % interval lies above .92 for samples of 20 and more (enumerated in
/// the tests), and is .95 on average.
/// **Throws** `invalid_argument` for impossible counts or confidence.
[[nodiscard]] Interval newcombe_difference(std::int64_t k1, std::int64_t n1, std::int64_t k2, std::int64_t n2,
                                           double confidence = 0.95);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/difference_impl.hpp>
#endif
