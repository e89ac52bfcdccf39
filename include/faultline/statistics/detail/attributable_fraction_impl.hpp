// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/attributable_fraction.hpp.

#include <faultline/statistics/attributable_fraction.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

/// Latents with the same pair (y, f); all pairs that can occur are listed, seen or not.
struct RatioCell {
  double y = 0.0;
  double f = 0.0;
  double count = 0.0;
};

/// Score statistic of E y / E f = ratio: Σ (y − ratio f), brought nearer to 0 by `correction` (1 + |ratio|), over its
/// deviation under the most likely cell probabilities that have this ratio.
[[nodiscard]] inline double ratio_score(std::span<const RatioCell> cells, double ratio, double correction) {
  double sum = 0.0;
  for (const RatioCell& cell : cells) sum += cell.count * (cell.y - ratio * cell.f);
  if (sum == 0.0) return 0.0;
  // With g = ±(y − ratio f), signed so that the sum is positive, those probabilities are proportional to count / (1 + λ
  // g); λ > 0 is the root of Σ count g / (1 + λ g), or −1 / (smallest g) where a smallest g that was never seen takes
  // the probability that the constraint asks for.
  const double sign = sum > 0.0 ? 1.0 : -1.0;
  const auto g = [&](const RatioCell& cell) { return sign * (cell.y - ratio * cell.f); };
  double smallest = 0.0;
  for (const RatioCell& cell : cells) smallest = std::min(smallest, g(cell));
  if (smallest == 0.0) return sign * std::numeric_limits<double>::infinity();  // no population has this ratio
  const auto mean = [&](double lambda) {
    double total = 0.0;
    for (const RatioCell& cell : cells) {
      if (cell.count > 0.0) total += cell.count * g(cell) / (1.0 + lambda * g(cell));
    }
    return total;
  };
  double low = 0.0;
  double high = -1.0 / smallest;
  double unseen = 0.0;  // variance in the smallest g
  double at_end = -1.0;
  bool seen = false;
  for (const RatioCell& cell : cells) seen = seen || (cell.count > 0.0 && g(cell) == smallest);
  if (!seen) at_end = mean(high);
  if (at_end >= 0.0) {
    low = high;
    unseen = -smallest * at_end;
  }
  for (int i = 0; i < 100 && high - low > 1e-14 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (mean(middle) > 0.0 ? low : high) = middle;
  }
  double variance = unseen;
  for (const RatioCell& cell : cells) {
    if (cell.count > 0.0) variance += cell.count * g(cell) * g(cell) / (1.0 + low * g(cell));
  }
  return sign * studentise(std::max(0.0, std::abs(sum) - correction * (1.0 + std::abs(ratio))), variance);
}

/// 1 − the ratios that the score does not exclude, around the estimate.
[[nodiscard]] inline std::optional<AttributableFraction> fraction_from_ratio(std::span<const RatioCell> cells,
                                                                             double confidence, double correction) {
  double y = 0.0;
  double f = 0.0;
  for (const RatioCell& cell : cells) {
    y += cell.count * cell.y;
    f += cell.count * cell.f;
  }
  if (f == 0.0) return std::nullopt;
  const double estimate = y / f;
  const double z = normal_quantile(0.5 * (1.0 + confidence));
  const auto limit = [&](double direction) {
    double kept = estimate;
    double step = 0.0625 * direction * std::max(1.0, std::abs(estimate));
    while (std::abs(ratio_score(cells, kept + step, correction)) <= z) {
      kept += step;
      step *= 2.0;
    }
    double excluded = kept + step;
    for (int i = 0; i < 40; ++i) {
      const double middle = 0.5 * (kept + excluded);
      (std::abs(ratio_score(cells, middle, correction)) <= z ? kept : excluded) = middle;
    }
    return kept;
  };
  return AttributableFraction{1.0 - estimate, {1.0 - limit(1.0), 1.0 - limit(-1.0)}};
}

}  // namespace detail

FAULTLINE_INLINE std::optional<AttributableFraction> attributable_fraction(const PairedCounts& counts,
                                                                           double confidence) {
  constexpr const char* where = "attributable_fraction";
  detail::require_confidence(where, confidence);
  if (counts.both_fail < 0 || counts.only_first_fails < 0 || counts.only_second_fails < 0 || counts.both_right < 0)
    throw Error(ErrorCode::invalid_argument, where, "expected counts that are not negative");
  const std::array<detail::RatioCell, 3> cells{{{1.0, 1.0, static_cast<double>(counts.both_fail)},
                                                {0.0, 1.0, static_cast<double>(counts.only_first_fails)},
                                                {1.0, 0.0, static_cast<double>(counts.only_second_fails)}}};
  return detail::fraction_from_ratio(cells, confidence, 0.5);
}

FAULTLINE_INLINE std::optional<AttributableFraction> attributable_overlap(std::span<const std::uint8_t> before,
                                                                          std::span<const std::uint8_t> a,
                                                                          std::span<const std::uint8_t> b,
                                                                          std::span<const std::uint8_t> both,
                                                                          double confidence) {
  constexpr const char* where = "attributable_overlap";
  detail::require_confidence(where, confidence);
  if (a.size() != before.size() || b.size() != before.size() || both.size() != before.size()) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected four outcomes of each of " + std::to_string(before.size()) + " latents, got " +
                    std::to_string(a.size()) + ", " + std::to_string(b.size()) + " and " + std::to_string(both.size()));
  }
  std::array<detail::RatioCell, 8> cells{};
  for (std::size_t c = 0; c < cells.size(); ++c)
    cells[c] = {static_cast<double>(c / 2) - 1.0, static_cast<double>(c % 2), 0.0};
  for (std::size_t i = 0; i < before.size(); ++i) {
    const int y = (a[i] != 0) + (b[i] != 0) - (both[i] != 0);
    cells[static_cast<std::size_t>(2 * (y + 1) + (before[i] != 0))].count += 1.0;
  }
  return detail::fraction_from_ratio(cells, confidence, 0.0);
}

FAULTLINE_INLINE std::optional<AttributableFraction> attributable_difference(
    std::span<const std::uint8_t> first_before, std::span<const std::uint8_t> first_after,
    std::span<const std::uint8_t> second_before, std::span<const std::uint8_t> second_after, double confidence) {
  constexpr const char* where = "attributable_difference";
  detail::require_confidence(where, confidence);
  const std::size_t n = first_before.size();
  if (first_after.size() != n || second_before.size() != n || second_after.size() != n) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected four outcomes of each of " + std::to_string(n) + " latents, got " +
                    std::to_string(first_after.size()) + ", " + std::to_string(second_before.size()) + " and " +
                    std::to_string(second_after.size()));
  }
  const PairedCounts first = count_pairs(first_before, first_after), second = count_pairs(second_before, second_after);
  const auto a = attributable_fraction(first, confidence), b = attributable_fraction(second, confidence);
  if (!a || !b) return std::nullopt;
  const auto failed = [](const PairedCounts& counts) {
    return static_cast<double>(counts.both_fail + counts.only_first_fails);
  };
  const auto influence = [](double value, std::uint8_t before, std::uint8_t after) {
    return (before != 0 ? 1.0 - value : 0.0) - (after != 0 ? 1.0 : 0.0);
  };
  double covariance = 0.0;
  for (std::size_t i = 0; i < n; ++i)
    covariance +=
        influence(a->value, first_before[i], first_after[i]) * influence(b->value, second_before[i], second_after[i]);
  covariance /= failed(first) * failed(second);
  const double z = normal_quantile(0.5 * (1.0 + confidence));
  const auto reach = [&](double one, double other) {
    return std::sqrt(std::max(0.0, one * one + other * other - 2.0 * z * z * covariance));
  };
  const double difference = a->value - b->value;
  return AttributableFraction{difference,
                              {difference - reach(a->value - a->interval.lower, b->interval.upper - b->value),
                               difference + reach(a->interval.upper - a->value, b->value - b->interval.lower)}};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
