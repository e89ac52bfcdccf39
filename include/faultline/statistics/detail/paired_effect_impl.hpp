// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/paired_effect.hpp.

#include <faultline/statistics/paired_effect.hpp>

#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

inline void check_paired(const char* where, const PairedCounts& counts) {
  if (std::min({counts.both_right, counts.only_first_fails, counts.only_second_fails, counts.both_fail}) < 0)
    throw Error(ErrorCode::invalid_argument, where, "counts must not be negative");
}

/// Samples that one of the two fails on alone.
inline std::int64_t discordant(const PairedCounts& counts) {
  return counts.only_first_fails + counts.only_second_fails;
}

}  // namespace detail

FAULTLINE_INLINE double paired_difference(const PairedCounts& counts) noexcept {
  return counts.total() == 0 ? 0.0
                             : static_cast<double>(counts.only_first_fails - counts.only_second_fails) /
                                   static_cast<double>(counts.total());
}

FAULTLINE_INLINE double swap_test(const PairedCounts& inside, const PairedCounts& outside) {
  detail::check_paired("swap_test", inside);
  detail::check_paired("swap_test", outside);
  if (inside.total() == 0 || outside.total() == 0) return 1.0;
  const std::int64_t differ_inside = detail::discordant(inside);
  const std::int64_t differ_outside = detail::discordant(outside);
  const auto n_in = static_cast<double>(inside.total()), n_out = static_cast<double>(outside.total());
  const double seen = paired_difference(inside) - paired_difference(outside);
  double p = 0.0, tail = 1.0;  // P(outside ≥ b)
  for (std::int64_t b = 0; b <= differ_outside; ++b) {
    const double beyond = b == differ_outside ? 0.0 : binomial_upper_tail(b + 1, differ_outside, 0.5);
    const double there = static_cast<double>(2 * b - differ_outside) / n_out;
    // the fewest inside that give at least what was seen; rounding must not lose the tie
    const double fewest = (n_in * (seen + there) + static_cast<double>(differ_inside)) / 2.0;
    const auto k = static_cast<std::int64_t>(std::ceil(fewest - 1e-9));
    const double inside_tail = k <= 0 ? 1.0 : k > differ_inside ? 0.0 : binomial_upper_tail(k, differ_inside, 0.5);
    p += (tail - beyond) * inside_tail;
    tail = beyond;
  }
  return std::clamp(p, 0.0, 1.0);
}

FAULTLINE_INLINE double detectable_effect(const PairedCounts& inside, const PairedCounts& outside, double alpha,
                                          double power) {
  detail::check_paired("detectable_effect", inside);
  detail::check_paired("detectable_effect", outside);
  core::require_between("detectable_effect", "alpha", alpha, 0.0, 1.0);
  core::require_between("detectable_effect", "power", power, 0.0, 1.0);
  if (inside.total() == 0 || outside.total() == 0) return std::numeric_limits<double>::infinity();
  const auto part = [](const PairedCounts& counts) {
    return static_cast<double>(detail::discordant(counts) + 4) / std::pow(static_cast<double>(counts.total()), 2);
  };
  return (normal_quantile(1.0 - alpha) + normal_quantile(power)) * std::sqrt(part(inside) + part(outside));
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
