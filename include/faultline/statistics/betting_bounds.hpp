// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Bounds for the mean of values in [-1, 1] that hold however often one looks, by betting against a hypothetical mean
// (Waudby-Smith and Ramdas 2024, J. R. Stat. Soc. B 86): the statistics of an intervention (method.md: Causes).

#include <faultline/statistics/interval.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// A value and how often it was seen.
struct ValueCount {
  double value = 0.0;
  std::int64_t count = 0;
  friend bool operator==(const ValueCount&, const ValueCount&) = default;
};

/// Values in [-1, 1], equal ones counted together: all that a bound on their mean depends on, since the order of the
/// bets does not matter.
///
/// **Throws** `invalid_argument` for a value outside [-1, 1] or NaN, and for a negative count.
/// **Cost**: one binary search a value; a new value moves the larger ones.
/// Example: `ValueCounts effects; effects.add(0.5); effects.add(-1.0, 3); effects.mean()` is −.625
class ValueCounts {
 public:
  ValueCounts() = default;
  explicit ValueCounts(std::span<const double> values);

  void add(double value, std::int64_t count = 1);

  [[nodiscard]] std::span<const ValueCount> groups() const noexcept { return groups_; }  ///< values ascending
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  [[nodiscard]] double mean() const noexcept;           ///< 0 without values
  [[nodiscard]] double second_moment() const noexcept;  ///< mean square; 0 without values

 private:
  std::vector<ValueCount> groups_;
  std::int64_t size_ = 0;
};

/// The side of a hypothetical mean on which a mean is claimed to lie.
enum class MeanSide { above, below };

inline constexpr std::size_t betting_fractions = 20;  ///< bets that share the capital

/// log of the capital won by betting that a mean lies above (or below) `null_mean`, m.
///
/// **Formula**: K = mean over 20 fractions c, geometric from .004 to .95, of Π (1 + λ (e_i − m)) with λ = c / (1 +
/// m); below: −e_i and −m for e_i and m (Waudby-Smith and Ramdas 2024, section 4, with fixed bets). Each factor
/// is positive and, where the mean is not above m, expected to be at most 1 given the values before it: K is a
/// nonnegative supermartingale of start 1, which ever reaches 1/α with probability at most α (Ville 1939), whatever the
/// values' distribution and however often one looks.
/// **Throws** `invalid_argument` unless −1 < null_mean < 1. No values give 0. **Cost**: 20 logarithms a distinct value.
[[nodiscard]] double log_betting_capital(const ValueCounts& values, double null_mean, MeanSide side);

/// The same capital while values arrive, in O(20) each and without keeping them.
///
/// **Throws** `invalid_argument` unless −1 < null_mean < 1; from `add` for a value outside [-1, 1] or NaN.
/// Example: `BettingCapital capital(0.02, MeanSide::above); capital.add(0.5); capital.log_capital()`
class BettingCapital {
 public:
  BettingCapital(double null_mean, MeanSide side);

  void add(double value);

  [[nodiscard]] double log_capital() const noexcept;
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }

 private:
  double null_mean_;
  MeanSide side_;
  std::int64_t size_ = 0;
  std::array<double, betting_fractions> log_products_{};
};

/// Decides whether a mean lies above or below a hypothetical one, at interim analyses that the caller chooses.
///
/// **Error rate**: P(ever `above`) ≤ alpha_per_side where the mean is not above `null_mean`, P(ever `below`) ≤
/// alpha_per_side where it is not below, for any number of analyses at any time (about a tenth of that over 512 values,
/// by simulation). The first analysis that decides is final. Decides with 1.5 to 2.7 times fewer values −1, 0, 1 than a
/// beta-binomial sequence (`rate_sequence_interval`) for either rate.
/// **Throws** `invalid_argument` unless −1 < null_mean < 1 and 0 < alpha_per_side < 1; from `add` as `BettingCapital`.
/// Example: `MeanMonitor monitor(0.02, 0.05); for (double e : effects) monitor.add(e); if (monitor.analyze()) ...`
class MeanMonitor {
 public:
  explicit MeanMonitor(double null_mean, double alpha_per_side = 0.05);

  void add(double value);

  /// An interim analysis: the side that is now, or was at an earlier one, decided; empty while there is none.
  std::optional<MeanSide> analyze();

  [[nodiscard]] std::int64_t size() const noexcept { return above_.size(); }
  /// Number of values at the analysis that decided; 0 while undecided.
  [[nodiscard]] std::int64_t decided_at() const noexcept { return decided_at_; }

 private:
  BettingCapital above_;
  BettingCapital below_;
  double critical_value_;
  std::optional<MeanSide> decision_;
  std::int64_t decided_at_ = 0;
};

/// Lower bound of a mean: every hypothetical mean m below it has a capital of at least 1 / alpha; −1 where none has.
///
/// Exceeds the true mean at any interim analysis with probability at most `alpha`. Bounds of several analyses
/// hold together, so that a caller may keep the largest lower and the smallest upper one (the running intersection); a
/// bound by itself may fall back from one analysis to the next.
/// **Formula**: the root of K(m) = 1 / alpha; K falls in m, because every factor is 1 − c + c (1 + e_i) / (1 +
/// m). The root is approached from the excluded side, to 1e-10 of 1 + m.
/// **Throws** `invalid_argument` unless 0 < alpha < 1. **Cost**: 20 x distinct values x about 15 logarithms.
/// Example: `betting_lower_bound(effects, 0.05)`
[[nodiscard]] double betting_lower_bound(const ValueCounts& values, double alpha = 0.05);

/// Upper bound of a mean: the lower bound of the negated values, negated; 1 where no mean is excluded.
[[nodiscard]] double betting_upper_bound(const ValueCounts& values, double alpha = 0.05);

/// Both bounds, each wrong at any time with probability at most `alpha_per_side`. Empty (lower > upper) never: the mean
/// of the values lies inside.
[[nodiscard]] Interval betting_interval(const ValueCounts& values, double alpha_per_side = 0.025);

/// What an edit does to the failure rate, as far as the latents say.
enum class EffectDecision { changes, does_not, undecided };

/// Holds a mean effect against the smallest one that matters: `changes` when the lower bound exceeds `min_effect`,
/// `does_not` when the upper bound lies below it, each one-sided at `alpha`.
///
/// **Formula**: capital for above, or for below, of at least 1 / alpha at the hypothetical mean `min_effect`: the same
/// as comparing the bounds, without finding them. Simultaneous over k conditions: alpha / k each. At several analyses
/// the first answer other than `undecided` holds, as in `MeanMonitor`.
/// **Throws** `invalid_argument` unless −1 < min_effect < 1 and 0 < alpha < 1.
/// Example: `decide_effect(effects, 0.02, 0.05 / 3.0) == EffectDecision::changes`
[[nodiscard]] EffectDecision decide_effect(const ValueCounts& values, double min_effect, double alpha = 0.05);

/// A forecast of how many values, from the first on, would decide on which side of `null_mean`, m, the mean lies if
/// they went on as they were; empty without values and where no bet is expected to win.
///
/// **Formula**: smallest n with n max_c mean log (1 + λ_c (e_i − m)) ≥ log(1 / alpha) + log 20, on the side of
/// m where the mean of the values is: the best single bet, had it a twentieth of the capital, on the observed
/// distribution. Nothing exact: the median number needed is .55 to .75 of it (simulated in the tests), and with few
/// values their mean may be far off. Made-up counts plan ahead.
/// **Throws** `invalid_argument` as `decide_effect`.
/// Example: `forecast_samples(effects, 0.02, 0.05)` is "about 1 900 latents would be needed"
[[nodiscard]] std::optional<std::int64_t> forecast_samples(const ValueCounts& values, double null_mean,
                                                           double alpha = 0.05);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/betting_bounds_impl.hpp>
#endif
