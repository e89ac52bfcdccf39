// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a failure rate that is watched while samples arrive may still be, however often one looks: a martingale, its
// limits and its e-values (gates.md). Gates stop earlier, by `RateBoundary`.

#include <faultline/statistics/interval.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// log of the beta-binomial mixture likelihood ratio against `rate` after k failures in n samples.
///
/// **Formula**: log [B(k + ½, n − k + ½) / B(½, ½)] − k log p − (n − k) log(1 − p). For independent samples of that
/// rate its exponential is a martingale of mean 1, so by Ville's inequality it ever reaches 1/α with probability at
/// most α, however often one looks (Ville 1939; Robbins 1970).
/// **Throws** `invalid_argument` unless 0 ≤ k ≤ n and 0 < rate < 1.
[[nodiscard]] double log_mixture_ratio(std::int64_t k, std::int64_t n, double rate);

/// The rates that k failures in n samples do not exclude: a step of an anytime-valid confidence sequence.
///
/// Each limit is wrong at any time with probability at most `alpha_per_side`, at any true rate; so, because
/// both come from one martingale, is the pair.
/// **Formula**: the p with mixture ratio below 1 / alpha_per_side, an interval around k / n.
/// **Throws** `invalid_argument` for impossible counts or an alpha outside (0, 1).
/// Example: `rate_sequence_interval(0, 384, 0.025).upper` is just below .02
[[nodiscard]] Interval rate_sequence_interval(std::int64_t k, std::int64_t n, double alpha_per_side = 0.025);

/// How strongly samples speak against either side of a bound, as e-values: numbers whose mean is at most 1 where what
/// they speak against is true. Reaching 1/α is evidence at level α; see statistics/e_values.hpp for several of them.
struct RateEvidence {
  double against_at_least = 1.0;  ///< against every rate of the bound and above
  double against_at_most = 1.0;   ///< against every rate of the bound and below
};

/// E-values of k failures in n samples about `bound`, valid whenever one stops, for whatever reason.
///
/// **Formula**: the smallest mixture ratio over the rates spoken against (Ramdas et al. 2023): the ratio at
/// the bound while k / n lies on the other side, else that at k / n, which is below 1. Cut off at e^700.
/// **Throws** `invalid_argument` for impossible counts or a bound outside (0, 1).
/// Example: `rate_evidence(0, 384, 0.02).against_at_least` is 42
[[nodiscard]] RateEvidence rate_evidence(std::int64_t k, std::int64_t n, double bound);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/confidence_sequence_impl.hpp>
#endif
