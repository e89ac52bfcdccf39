// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/binomial.hpp.

#include <faultline/statistics/binomial.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

FAULTLINE_INLINE void require_counts(const char* where, std::int64_t successes, std::int64_t trials) {
  if (successes < 0 || trials < successes) {
    throw Error(ErrorCode::invalid_argument, where,
                "expected 0 <= k <= n, got k = " + std::to_string(successes) + ", n = " + std::to_string(trials));
  }
}

FAULTLINE_INLINE void require_confidence(const char* where, double confidence) {
  if (!(confidence > 0.0 && confidence < 1.0)) {
    throw Error(ErrorCode::invalid_argument, where,
                "expected a confidence strictly between 0 and 1, got " + std::to_string(confidence));
  }
}

}  // namespace detail

FAULTLINE_INLINE double binomial_upper_tail(std::int64_t k, std::int64_t n, double rate) {
  if (k <= 0) return 1.0;
  if (k > n) return 0.0;
  return beta_cdf(static_cast<double>(k), static_cast<double>(n - k) + 1.0, rate);
}

FAULTLINE_INLINE double binomial_lower_tail(std::int64_t k, std::int64_t n, double rate) {
  if (k < 0) return 0.0;
  if (k >= n) return 1.0;
  return beta_cdf(static_cast<double>(n - k), static_cast<double>(k) + 1.0, 1.0 - rate);
}

FAULTLINE_INLINE double clopper_pearson_lower(std::int64_t k, std::int64_t n, double confidence) {
  detail::require_counts("clopper_pearson_lower", k, n);
  detail::require_confidence("clopper_pearson_lower", confidence);
  if (k == 0) return 0.0;
  return beta_quantile(static_cast<double>(k), static_cast<double>(n - k) + 1.0, 1.0 - confidence);
}

FAULTLINE_INLINE double clopper_pearson_upper(std::int64_t k, std::int64_t n, double confidence) {
  detail::require_counts("clopper_pearson_upper", k, n);
  detail::require_confidence("clopper_pearson_upper", confidence);
  if (k == n) return 1.0;
  return beta_quantile(static_cast<double>(k) + 1.0, static_cast<double>(n - k), confidence);
}

FAULTLINE_INLINE Interval clopper_pearson(std::int64_t k, std::int64_t n, double confidence) {
  detail::require_confidence("clopper_pearson", confidence);
  const double side = 0.5 * (1.0 + confidence);
  return {clopper_pearson_lower(k, n, side), clopper_pearson_upper(k, n, side)};
}

FAULTLINE_INLINE double mcnemar_exact(std::int64_t only_first, std::int64_t only_second) {
  if (only_first < 0 || only_second < 0)
    throw Error(ErrorCode::invalid_argument, "mcnemar_exact", "expected counts that are not negative");
  return std::min(1.0, 2.0 * binomial_upper_tail(std::max(only_first, only_second), only_first + only_second, 0.5));
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
