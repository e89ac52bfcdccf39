// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Exact statements about a rate observed k times in n: Clopper–Pearson limits, binomial tails, McNemar's test.

#include <faultline/error.hpp>
#include <faultline/statistics/interval.hpp>
#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

inline void require_counts(const char* where, std::int64_t successes, std::int64_t trials) {
  if (successes < 0 || trials < successes) {
    throw Error(ErrorCode::invalid_argument, where,
                "expected 0 <= k <= n, got k = " + std::to_string(successes) + ", n = " + std::to_string(trials));
  }
}

inline void require_confidence(const char* where, double confidence) {
  if (!(confidence > 0.0 && confidence < 1.0)) {
    throw Error(ErrorCode::invalid_argument, where,
                "expected a confidence strictly between 0 and 1, got " + std::to_string(confidence));
  }
}

}  // namespace detail

/// P(X ≥ k) for X ~ Binomial(n, rate), as I_rate(k, n − k + 1) (NIST DLMF 8.17.5).
[[nodiscard]] inline double binomial_upper_tail(std::int64_t k, std::int64_t n, double rate) {
  if (k <= 0) return 1.0;
  if (k > n) return 0.0;
  return beta_cdf(static_cast<double>(k), static_cast<double>(n - k) + 1.0, rate);
}

/// P(X ≤ k) for X ~ Binomial(n, rate).
[[nodiscard]] inline double binomial_lower_tail(std::int64_t k, std::int64_t n, double rate) {
  if (k < 0) return 0.0;
  if (k >= n) return 1.0;
  return beta_cdf(static_cast<double>(n - k), static_cast<double>(k) + 1.0, 1.0 - rate);
}

/// One-sided lower limit of a rate: the rate at which k or more of n would be seen with probability 1 − confidence; 0
/// for k = 0.
///
/// Never above the true rate in more than 1 − confidence of all samples, whatever the rate (Clopper and Pearson 1934).
/// **Throws** `invalid_argument` unless 0 ≤ k ≤ n and 0 < confidence < 1.
[[nodiscard]] inline double clopper_pearson_lower(std::int64_t k, std::int64_t n, double confidence = 0.95) {
  detail::require_counts("clopper_pearson_lower", k, n);
  detail::require_confidence("clopper_pearson_lower", confidence);
  if (k == 0) return 0.0;
  return beta_quantile(static_cast<double>(k), static_cast<double>(n - k) + 1.0, 1.0 - confidence);
}

/// One-sided upper limit of a rate: 1 − `clopper_pearson_lower(n − k, n)`; 1 for k = n, so also when nothing was seen
/// (n = 0).
[[nodiscard]] inline double clopper_pearson_upper(std::int64_t k, std::int64_t n, double confidence = 0.95) {
  detail::require_counts("clopper_pearson_upper", k, n);
  detail::require_confidence("clopper_pearson_upper", confidence);
  if (k == n) return 1.0;
  return beta_quantile(static_cast<double>(k) + 1.0, static_cast<double>(n - k), confidence);
}

/// Two-sided interval for a rate observed k times in n: both one-sided limits at (1 + confidence) / 2.
///
/// Contains the true rate in at least `confidence` of all samples, whatever the rate: exact, so rather wide (coverage
/// is enumerated in the tests, not simulated).
/// **Throws** `invalid_argument` as the one-sided limits.
/// Example: `Interval rate = clopper_pearson(17, 1000);`
[[nodiscard]] inline Interval clopper_pearson(std::int64_t k, std::int64_t n, double confidence = 0.95) {
  detail::require_confidence("clopper_pearson", confidence);
  const double side = 0.5 * (1.0 + confidence);
  return {clopper_pearson_lower(k, n, side), clopper_pearson_upper(k, n, side)};
}

/// Exact two-sided McNemar test of equal failure rates on the same samples: `only_first` failed for the first alone,
/// `only_second` for the second alone.
///
/// Formula: p = min(1, 2 P(X ≥ max)) for X ~ Binomial(only_first + only_second, ½) (McNemar 1947, exact form). No
/// discordant sample gives 1.
/// **Throws** `invalid_argument` for negative counts.
[[nodiscard]] inline double mcnemar_exact(std::int64_t only_first, std::int64_t only_second) {
  if (only_first < 0 || only_second < 0)
    throw Error(ErrorCode::invalid_argument, "mcnemar_exact", "expected counts that are not negative");
  return std::min(1.0, 2.0 * binomial_upper_tail(std::max(only_first, only_second), only_first + only_second, 0.5));
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
