// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/confidence_sequence.hpp.

#include <faultline/statistics/confidence_sequence.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/log_beta.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE double log_mixture_ratio(std::int64_t k, std::int64_t n, double rate) {
  if (k < 0 || n < k || !(rate > 0.0 && rate < 1.0))
    throw Error(ErrorCode::invalid_argument, "log_mixture_ratio",
                "expected 0 <= k <= n and a rate strictly between 0 and 1");
  const auto failures = static_cast<double>(k);
  const auto successes = static_cast<double>(n - k);
  return log_beta(failures + 0.5, successes + 0.5) - log_beta(0.5, 0.5) - failures * std::log(rate) -
         successes * std::log1p(-rate);
}

FAULTLINE_INLINE Interval rate_sequence_interval(std::int64_t k, std::int64_t n, double alpha_per_side) {
  if (!(alpha_per_side > 0.0 && alpha_per_side < 1.0))
    throw Error(ErrorCode::invalid_argument, "rate_sequence_interval", "expected an alpha strictly between 0 and 1");
  if (k < 0 || n < k) throw Error(ErrorCode::invalid_argument, "rate_sequence_interval", "expected 0 <= k <= n");
  Interval interval;
  if (n == 0) return interval;
  const auto failures = static_cast<double>(k);
  const auto successes = static_cast<double>(n - k);
  const double estimate = failures / static_cast<double>(n);
  // What log_mixture_ratio(k, n, p) lacks to the critical value, but for the terms that depend on p. The ratio falls
  // towards k / n from both sides, so each limit is one bisection.
  const double critical_value =
      log_beta(failures + 0.5, successes + 0.5) - log_beta(0.5, 0.5) + std::log(alpha_per_side);
  const auto boundary = [&](double excluded, double kept) {
    for (int i = 0; i < 200 && std::abs(kept - excluded) > 1e-12 * kept; ++i) {
      const double middle = 0.5 * (excluded + kept);
      (failures * std::log(middle) + successes * std::log1p(-middle) <= critical_value ? excluded : kept) = middle;
    }
    return kept;
  };
  if (k > 0) interval.lower = boundary(0.0, estimate);
  if (k < n) interval.upper = boundary(1.0, estimate);
  return interval;
}

FAULTLINE_INLINE RateEvidence rate_evidence(std::int64_t k, std::int64_t n, double bound) {
  if (k < 0 || n < k || !(bound > 0.0 && bound < 1.0))
    throw Error(ErrorCode::invalid_argument, "rate_evidence",
                "expected 0 <= k <= n and a bound strictly between 0 and 1");
  if (n == 0) return {};
  const auto failures = static_cast<double>(k);
  const auto successes = static_cast<double>(n - k);
  const auto samples = static_cast<double>(n);
  const auto log_power = [](double count, double rate) { return count > 0.0 ? count * std::log(rate) : 0.0; };
  const double least = log_beta(failures + 0.5, successes + 0.5) - log_beta(0.5, 0.5) -
                       log_power(failures, failures / samples) - log_power(successes, successes / samples);
  const double at_bound = std::exp(std::min(log_mixture_ratio(k, n, bound), 700.0));
  const bool fewer = failures < bound * samples;
  return {fewer ? at_bound : std::exp(least), fewer ? std::exp(least) : at_bound};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
