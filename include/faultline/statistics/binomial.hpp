// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Exact statements about a rate observed k times in n: Clopper–Pearson limits, binomial tails, McNemar's test.

#include <faultline/statistics/interval.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

void require_counts(const char* where, std::int64_t successes, std::int64_t trials);

void require_confidence(const char* where, double confidence);

}  // namespace detail

/// P(X ≥ k) for X ~ Binomial(n, rate), as I_rate(k, n − k + 1) (NIST DLMF 8.17.5).
[[nodiscard]] double binomial_upper_tail(std::int64_t k, std::int64_t n, double rate);

/// P(X ≤ k) for X ~ Binomial(n, rate).
[[nodiscard]] double binomial_lower_tail(std::int64_t k, std::int64_t n, double rate);

/// One-sided lower limit of a rate: the rate at which k or more of n would be seen with probability 1 − confidence; 0
/// for k = 0.
///
/// Never above the true rate in more than 1 − confidence of all samples, whatever the rate (Clopper and Pearson 1934).
/// **Throws** `invalid_argument` unless 0 ≤ k ≤ n and 0 < confidence < 1.
[[nodiscard]] double clopper_pearson_lower(std::int64_t k, std::int64_t n, double confidence = 0.95);

/// One-sided upper limit of a rate: 1 − `clopper_pearson_lower(n − k, n)`; 1 for k = n, so also when nothing was seen
/// (n = 0).
[[nodiscard]] double clopper_pearson_upper(std::int64_t k, std::int64_t n, double confidence = 0.95);

/// Two-sided interval for a rate observed k times in n: both one-sided limits at (1 + confidence) / 2.
///
/// Contains the true rate in at least `confidence` of all samples, whatever the rate: exact, so rather wide (coverage
/// is enumerated in the tests, not simulated).
/// **Throws** `invalid_argument` as the one-sided limits.
/// Example: `Interval rate = clopper_pearson(17, 1000);`
[[nodiscard]] Interval clopper_pearson(std::int64_t k, std::int64_t n, double confidence = 0.95);

/// Exact two-sided McNemar test of equal failure rates on the same samples: `only_first` failed for the first alone,
/// `only_second` for the second alone.
///
/// Formula: p = min(1, 2 P(X ≥ max)) for X ~ Binomial(only_first + only_second, ½) (McNemar 1947, exact form). No
/// discordant sample gives 1.
/// **Throws** `invalid_argument` for negative counts.
[[nodiscard]] double mcnemar_exact(std::int64_t only_first, std::int64_t only_second);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/binomial_impl.hpp>
#endif
