// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/confidence_sequence.hpp.

#include <faultline/statistics/confidence_sequence.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/log_beta.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

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
  // What log_mixture_ratio(k, n, p) lacks to the bar, but for the terms that depend on p. The ratio falls towards k / n
  // from both sides, so each limit is one bisection.
  const double bar = log_beta(failures + 0.5, successes + 0.5) - log_beta(0.5, 0.5) + std::log(alpha_per_side);
  const auto boundary = [&](double excluded, double kept) {
    for (int i = 0; i < 200 && std::abs(kept - excluded) > 1e-12 * kept; ++i) {
      const double middle = 0.5 * (excluded + kept);
      (failures * std::log(middle) + successes * std::log1p(-middle) <= bar ? excluded : kept) = middle;
    }
    return kept;
  };
  if (k > 0) interval.lower = boundary(0.0, estimate);
  if (k < n) interval.upper = boundary(1.0, estimate);
  return interval;
}

namespace detail {

FAULTLINE_INLINE void require_sequence(const char* where, double bound, const RateSequenceOptions& options) {
  if (!(bound > 0.0 && bound < 1.0))
    throw Error(ErrorCode::invalid_argument, where,
                "expected a bound strictly between 0 and 1, got " + std::to_string(bound));
  if (!(options.alpha_per_side > 0.0 && options.alpha_per_side < 1.0)) {
    throw Error(ErrorCode::invalid_argument, where,
                "expected an alpha per side strictly between 0 and 1, got " + std::to_string(options.alpha_per_side));
  }
  core::require_in(where, "first_look", options.first_look, 1, limits::samples);
  core::require_in(where, "look_every", options.look_every, 1, limits::samples);
}

FAULTLINE_INLINE std::int64_t look_after(std::int64_t n, const RateSequenceOptions& options) noexcept {
  const std::int64_t least = std::max(n + 1, options.first_look);
  return (least + options.look_every - 1) / options.look_every * options.look_every;
}

FAULTLINE_INLINE RateDecision decide_rate(std::int64_t k, std::int64_t n, double bound, double alpha_per_side) {
  if (log_mixture_ratio(k, n, bound) < -std::log(alpha_per_side)) return RateDecision::undecided;
  return static_cast<double>(k) < bound * static_cast<double>(n) ? RateDecision::below : RateDecision::above;
}

}  // namespace detail

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
