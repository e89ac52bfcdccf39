// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Watching a failure rate while samples arrive, with limits that hold at every look at once: the statistics of a gate
// on a rate (method section 16).

#include <faultline/core/ranges.hpp>
#include <faultline/statistics/interval.hpp>

#include <algorithm>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// When a rate is looked at and how sure a limit must be.
struct RateSequenceOptions {
  double alpha_per_side = 0.025;  ///< error rate of each one-sided limit; a gate at confidence .95 takes .025
  std::int64_t first_look = 100;  ///< no look before this many samples
  std::int64_t look_every = 64;   ///< looks at multiples of this
};

/// Where a rate lies relative to a bound, as far as the samples say.
enum class RateDecision { below, above, undecided };

/// log of the beta-binomial mixture likelihood ratio against `rate` after k failures in n samples.
///
/// **Formula**: log [B(k + ½, n − k + ½) / B(½, ½)] − k log p − (n − k) log(1 − p). For independent samples of that
/// rate its exponential is a martingale of mean 1, so by Ville's inequality it ever reaches 1/α with probability at
/// most α, however often one looks (Ville 1939; Robbins 1970).
/// **Throws** `invalid_argument` unless 0 ≤ k ≤ n and 0 < rate < 1.
[[nodiscard]] double log_mixture_ratio(std::int64_t k, std::int64_t n, double rate);

/// The rates that k failures in n samples do not exclude: a step of an anytime-valid confidence sequence.
///
/// Each limit is wrong at any of all looks with probability at most `alpha_per_side`, at any true rate; so, because
/// both come from one martingale, is the pair.
/// **Formula**: the p with mixture ratio below 1 / alpha_per_side, an interval around k / n.
/// **Throws** `invalid_argument` for impossible counts or an alpha outside (0, 1).
/// Example: `rate_sequence_interval(0, 384, 0.025).upper` is just below .02
[[nodiscard]] Interval rate_sequence_interval(std::int64_t k, std::int64_t n, double alpha_per_side = 0.025);

namespace detail {

void require_sequence(const char* where, double bound, const RateSequenceOptions& options);

/// The smallest multiple of `look_every` that is at least `first_look` and more than `n`.
[[nodiscard]] std::int64_t look_after(std::int64_t n, const RateSequenceOptions& options) noexcept;

/// What k failures in n samples say about `bound`.
[[nodiscard]] RateDecision decide_rate(std::int64_t k, std::int64_t n, double bound, double alpha_per_side);

}  // namespace detail

/// Decides whether a rate lies below or above a bound, from outcomes in their order, stopping as soon as it can.
///
/// **Error rate**: P(ever `below`) ≤ alpha_per_side at every true rate ≥ bound, P(ever `above`) ≤ alpha_per_side at
/// every true rate ≤ bound, for any number of looks: at the bound by Ville's inequality, beyond it because more
/// failures never help to be found below. A decision is final: later outcomes are counted, not judged. Two monitors fed
/// the same outcomes, one with fewer of them, never contradict each other, because looks depend on the number of
/// samples alone.
/// **Throws** `invalid_argument` for a bound or options out of range.
/// Example: `RateMonitor monitor(0.02); while (monitor.decision() == RateDecision::undecided && more())
/// monitor.add(next_failed());`
class RateMonitor {
 public:
  explicit RateMonitor(double bound, RateSequenceOptions options = {}) : bound_(bound), options_(options) {
    detail::require_sequence("RateMonitor", bound, options);
  }

  /// Counts one outcome and, where a look is due, takes it.
  void add(bool failed) {
    ++samples_;
    failures_ += failed ? 1 : 0;
    if (samples_ < options_.first_look || samples_ % options_.look_every != 0) return;
    const Interval now = rate_sequence_interval(failures_, samples_, options_.alpha_per_side);
    interval_ = {std::max(interval_.lower, now.lower), std::min(interval_.upper, now.upper)};
    if (decision_ != RateDecision::undecided) return;
    decision_ = detail::decide_rate(failures_, samples_, bound_, options_.alpha_per_side);
    if (decision_ != RateDecision::undecided) decided_at_ = samples_;
  }

  [[nodiscard]] RateDecision decision() const noexcept { return decision_; }
  [[nodiscard]] std::int64_t samples() const noexcept { return samples_; }
  [[nodiscard]] std::int64_t failures() const noexcept { return failures_; }
  /// Number of samples at the look that decided; 0 while undecided.
  [[nodiscard]] std::int64_t decided_at() const noexcept { return decided_at_; }
  /// Number of samples at the next look.
  [[nodiscard]] std::int64_t next_look() const noexcept { return detail::look_after(samples_, options_); }
  /// The intersection of the limits of all looks so far, valid whenever one stops; [0, 1] before the first look. Empty
  /// (lower > upper) only if a limit was wrong.
  [[nodiscard]] Interval interval() const noexcept { return interval_; }
  [[nodiscard]] double bound() const noexcept { return bound_; }
  [[nodiscard]] const RateSequenceOptions& options() const noexcept { return options_; }

 private:
  double bound_;
  RateSequenceOptions options_;
  std::int64_t samples_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t decided_at_ = 0;
  RateDecision decision_ = RateDecision::undecided;
  Interval interval_;
};

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/confidence_sequence_impl.hpp>
#endif
