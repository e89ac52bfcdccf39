// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/betting_bounds.hpp.

#include <faultline/statistics/betting_bounds.hpp>

#include <faultline/core/ranges.hpp>

#include <boost/math/tools/toms748_solve.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

using Bets = std::array<double, betting_fractions>;

/// The fractions c, geometric from .004 to .95.
[[nodiscard]] inline const Bets& betting_fraction_grid() {
  static const Bets grid = [] {
    Bets fractions{};
    for (std::size_t j = 0; j < fractions.size(); ++j) {
      const double place = static_cast<double>(j) / static_cast<double>(fractions.size() - 1);
      fractions[j] = 0.004 * std::pow(0.95 / 0.004, place);
    }
    return fractions;
  }();
  return grid;
}

/// How far a value lies from the null mean, in units of the way from there to the losing end; −1 or more.
[[nodiscard]] inline double betting_gain(double value, double null_mean, MeanSide side) noexcept {
  return side == MeanSide::above ? (value - null_mean) / (1.0 + null_mean) : (null_mean - value) / (1.0 - null_mean);
}

/// log of the mean of exp(x), of the twenty bets.
[[nodiscard]] inline double log_mean_exp(const Bets& x) noexcept {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0.0;
  for (const double value : x) sum += std::exp(value - largest);
  return largest + std::log(sum / static_cast<double>(x.size()));
}

/// log of each bet's product of factors.
[[nodiscard]] inline Bets betting_log_products(std::span<const ValueCount> groups, double null_mean, MeanSide side) {
  Bets sums{};
  const Bets& fractions = betting_fraction_grid();
  for (const ValueCount& group : groups) {
    const double won = betting_gain(group.value, null_mean, side);
    for (std::size_t j = 0; j < sums.size(); ++j)
      sums[j] += static_cast<double>(group.count) * std::log1p(fractions[j] * won);
  }
  return sums;
}

}  // namespace detail

FAULTLINE_INLINE ValueCounts::ValueCounts(std::span<const double> values) {
  for (const double value : values) add(value);
}

FAULTLINE_INLINE void ValueCounts::add(double value, std::int64_t count) {
  core::require_in("ValueCounts::add", "value", value, -1.0, 1.0);
  core::require_in("ValueCounts::add", "count", count, 0, limits::samples);
  if (count == 0) return;
  const auto place = std::lower_bound(groups_.begin(), groups_.end(), value,
                                      [](const ValueCount& group, double v) { return group.value < v; });
  if (place != groups_.end() && place->value == value) {
    place->count += count;
  } else {
    groups_.insert(place, {value, count});
  }
  size_ += count;
}

FAULTLINE_INLINE double ValueCounts::mean() const noexcept {
  double sum = 0.0;
  for (const ValueCount& group : groups_) sum += static_cast<double>(group.count) * group.value;
  return size_ == 0 ? 0.0 : sum / static_cast<double>(size_);
}

FAULTLINE_INLINE double ValueCounts::second_moment() const noexcept {
  double sum = 0.0;
  for (const ValueCount& group : groups_) sum += static_cast<double>(group.count) * group.value * group.value;
  return size_ == 0 ? 0.0 : sum / static_cast<double>(size_);
}

FAULTLINE_INLINE double log_betting_capital(const ValueCounts& values, double null_mean, MeanSide side) {
  core::require_between("log_betting_capital", "null_mean", null_mean, -1.0, 1.0);
  return detail::log_mean_exp(detail::betting_log_products(values.groups(), null_mean, side));
}

FAULTLINE_INLINE BettingCapital::BettingCapital(double null_mean, MeanSide side) : null_mean_(null_mean), side_(side) {
  core::require_between("BettingCapital", "null_mean", null_mean, -1.0, 1.0);
}

FAULTLINE_INLINE void BettingCapital::add(double value) {
  core::require_in("BettingCapital::add", "value", value, -1.0, 1.0);
  const double won = detail::betting_gain(value, null_mean_, side_);
  const detail::Bets& fractions = detail::betting_fraction_grid();
  for (std::size_t j = 0; j < log_products_.size(); ++j) log_products_[j] += std::log1p(fractions[j] * won);
  ++size_;
}

FAULTLINE_INLINE double BettingCapital::log_capital() const noexcept { return detail::log_mean_exp(log_products_); }

FAULTLINE_INLINE MeanMonitor::MeanMonitor(double null_mean, double alpha_per_side)
    : above_(null_mean, MeanSide::above),
      below_(null_mean, MeanSide::below),
      critical_value_(-std::log(alpha_per_side)) {
  core::require_between("MeanMonitor", "alpha_per_side", alpha_per_side, 0.0, 1.0);
}

FAULTLINE_INLINE void MeanMonitor::add(double value) {
  above_.add(value);
  below_.add(value);
}

FAULTLINE_INLINE std::optional<MeanSide> MeanMonitor::analyze() {
  if (decision_) return decision_;
  if (above_.log_capital() >= critical_value_) decision_ = MeanSide::above;
  else if (below_.log_capital() >= critical_value_) decision_ = MeanSide::below;
  if (decision_) decided_at_ = size();
  return decision_;
}

namespace detail {

/// Lower bound (or, for `below`, minus the upper bound) of the mean.
[[nodiscard]] inline double betting_bound(const ValueCounts& values, double alpha, MeanSide side) {
  const double sign = side == MeanSide::above ? 1.0 : -1.0;
  const double mean = sign * values.mean();
  // In t = 1 + null_mean (or 1 − null_mean): the losing end is 0 and cannot be reached
  const auto excess = [&](double t) {
    return log_mean_exp(betting_log_products(values.groups(), sign * (t - 1.0), side)) + std::log(alpha);
  };
  double kept = 1.0 + mean;  // at the mean itself the sum of logarithms is at most 0: never excluded
  if (values.size() == 0 || kept <= 0.0) return -1.0;
  double kept_excess = excess(kept);
  double excluded = kept;
  double excluded_excess = kept_excess;
  for (double factor = 0.9; excluded_excess < 0.0; factor *= factor) {
    kept = excluded;
    kept_excess = excluded_excess;
    excluded *= factor;
    if (excluded < 1e-12) return -1.0;
    excluded_excess = excess(excluded);
  }
  if (excluded == kept) return excluded - 1.0;
  std::uintmax_t iterations = 100;
  const auto narrow = [](double a, double b) { return b - a <= 1e-10 * b; };
  return boost::math::tools::toms748_solve(excess, excluded, kept, excluded_excess, kept_excess, narrow, iterations)
             .first -
         1.0;
}

}  // namespace detail

FAULTLINE_INLINE double betting_lower_bound(const ValueCounts& values, double alpha) {
  core::require_between("betting_lower_bound", "alpha", alpha, 0.0, 1.0);
  return detail::betting_bound(values, alpha, MeanSide::above);
}

FAULTLINE_INLINE double betting_upper_bound(const ValueCounts& values, double alpha) {
  core::require_between("betting_upper_bound", "alpha", alpha, 0.0, 1.0);
  return -detail::betting_bound(values, alpha, MeanSide::below);
}

FAULTLINE_INLINE Interval betting_interval(const ValueCounts& values, double alpha_per_side) {
  return {betting_lower_bound(values, alpha_per_side), betting_upper_bound(values, alpha_per_side)};
}

FAULTLINE_INLINE EffectDecision decide_effect(const ValueCounts& values, double min_effect, double alpha) {
  core::require_between("decide_effect", "min_effect", min_effect, -1.0, 1.0);
  core::require_between("decide_effect", "alpha", alpha, 0.0, 1.0);
  if (log_betting_capital(values, min_effect, MeanSide::above) >= -std::log(alpha)) return EffectDecision::changes;
  if (log_betting_capital(values, min_effect, MeanSide::below) >= -std::log(alpha)) return EffectDecision::does_not;
  return EffectDecision::undecided;
}

FAULTLINE_INLINE std::optional<std::int64_t> forecast_samples(const ValueCounts& values, double null_mean,
                                                              double alpha) {
  core::require_between("forecast_samples", "null_mean", null_mean, -1.0, 1.0);
  core::require_between("forecast_samples", "alpha", alpha, 0.0, 1.0);
  if (values.size() == 0) return std::nullopt;
  const MeanSide side = values.mean() > null_mean ? MeanSide::above : MeanSide::below;
  const detail::Bets sums = detail::betting_log_products(values.groups(), null_mean, side);
  const double growth = *std::max_element(sums.begin(), sums.end()) / static_cast<double>(values.size());
  const double wanted = std::log(static_cast<double>(betting_fractions) / alpha);
  if (!(growth * 1e15 > wanted)) return std::nullopt;
  return static_cast<std::int64_t>(std::ceil(wanted / growth));
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
