// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/rate_boundary.hpp.

#include <faultline/statistics/rate_boundary.hpp>

#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/detail/count_forecast.hpp>

#include <boost/math/tools/toms748_solve.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

inline constexpr std::int64_t dense_analyses = 1'000;  // then they get sparser
inline constexpr double enumerated_rare = 64.0;        // expected rarer outcomes that a horizon reaches at least
inline constexpr double share_past_horizon = 0.05;     // of the error
inline constexpr double negligible_share = 1e-16;      // of the error: all that is dropped stays below 1e-10 of it

/// Share of the error that may be spent by the time `expected` rarer outcomes were to come. Between analyzing early,
/// for who is far from the bound, and late; the constants were chosen by the medians of `plan_rate_test`.
inline double spending(double expected) { return 1.0 - std::pow(1.0 + 2.5 * expected, -0.25); }

}  // namespace detail

FAULTLINE_INLINE RateBoundary::RateBoundary(double bound, const RateSequenceOptions& options)
    : bound_(bound), options_(options) {
  constexpr const char* where = "RateBoundary";
  core::require_between(where, "bound", bound, 0.0, 1.0);
  core::require_between(where, "alpha_per_side", options.alpha_per_side, 0.0, 1.0);
  core::require_in(where, "first_analysis", options.first_analysis, 1, limits::samples);
  core::require_in(where, "analysis_every", options.analysis_every, 1, limits::samples);

  const double rare = std::min(bound, 1.0 - bound);
  horizon_ = std::max(detail::dense_analyses * options.analysis_every,
                      static_cast<std::int64_t>(
                          std::min(std::ceil(detail::enumerated_rare / rare), static_cast<double>(limits::samples))));
  const double allowed = (1.0 - detail::share_past_horizon) * options.alpha_per_side;
  const double whole = detail::spending(rare * static_cast<double>(horizon_));
  detail::CountForecast undecided(bound, detail::negligible_share * options.alpha_per_side);
  for (std::int64_t n = next_analysis(0); n <= horizon_; n = next_analysis(n)) {
    undecided.advance_to(n);
    const double allowance = allowed * detail::spending(rare * static_cast<double>(n)) / whole;
    const double expected = bound * static_cast<double>(n);
    while (!undecided.empty() && static_cast<double>(undecided.lowest()) < expected &&
           error_below_ + undecided.lowest_mass() <= allowance)
      error_below_ += undecided.leave_up_to(undecided.lowest());
    while (!undecided.empty() && static_cast<double>(undecided.highest()) > expected &&
           error_above_ + undecided.highest_mass() <= allowance)
      error_above_ += undecided.leave_from(undecided.highest());
    analyses_.push_back({n, undecided.lowest() - 1, undecided.highest() + 1});
    if (undecided.empty()) break;
  }
}

FAULTLINE_INLINE std::int64_t RateBoundary::next_analysis(std::int64_t n) const noexcept {
  const std::int64_t least = std::max(n + 1, options_.first_analysis);
  std::int64_t every = options_.analysis_every;
  while (least > detail::dense_analyses * every) every *= 2;
  return (least + every - 1) / every * every;
}

FAULTLINE_INLINE RateDecision RateBoundary::decide(std::int64_t k, std::int64_t n) const {
  if (n > horizon_) {
    if (n != next_analysis(n - 1) ||
        log_mixture_ratio(k, n, bound_) < -std::log(detail::share_past_horizon * options_.alpha_per_side))
      return RateDecision::undecided;
    return static_cast<double>(k) < bound_ * static_cast<double>(n) ? RateDecision::below : RateDecision::above;
  }
  const auto interim =
      std::lower_bound(analyses_.begin(), analyses_.end(), n,
                       [](const InterimAnalysis& one, std::int64_t samples) { return one.samples < samples; });
  if (interim == analyses_.end() || interim->samples != n) return RateDecision::undecided;
  return k <= interim->below   ? RateDecision::below
         : k >= interim->above ? RateDecision::above
                               : RateDecision::undecided;
}

FAULTLINE_INLINE RateDecision RateBoundary::decide_at_end(std::int64_t k, std::int64_t n) const {
  const std::int64_t interim = next_analysis(n - 1);
  if (interim == n) return decide(k, n);
  if (interim > horizon_) return RateDecision::undecided;
  if (decide(k + interim - n, interim) == RateDecision::below) return RateDecision::below;
  return decide(k, interim) == RateDecision::above ? RateDecision::above : RateDecision::undecided;
}

FAULTLINE_INLINE Interval RateBoundary::interval(std::int64_t k, std::int64_t n) const {
  if (k < 0 || n < k)
    throw Error(ErrorCode::invalid_argument, "RateBoundary",
                "expected 0 <= k <= n, got k = " + std::to_string(k) + ", n = " + std::to_string(n));
  if (n == 0) return {};
  Interval result = n <= horizon_ ? stopping_limits(k, n)
                                  : rate_sequence_interval(k, n, detail::share_past_horizon * options_.alpha_per_side);
  // Root finding ends a rounding away from the limit, which at the last analysis may be the bound itself.
  switch (decide_at_end(k, n)) {
    case RateDecision::below: result.upper = std::min(result.upper, std::nextafter(bound_, 0.0)); break;
    case RateDecision::above: result.lower = std::max(result.lower, std::nextafter(bound_, 1.0)); break;
    case RateDecision::undecided: result = {std::min(result.lower, bound_), std::max(result.upper, bound_)}; break;
  }
  return result;
}

FAULTLINE_INLINE Interval RateBoundary::stopping_limits(std::int64_t k, std::int64_t n) const {
  const double level = (1.0 - detail::share_past_horizon) * options_.alpha_per_side;
  // log of the probability, at a rate with these log-odds, of an outcome at most this low (or this high) in the order
  // of stopping, against the level.
  const auto excess = [&](double log_odds, bool low) {
    detail::CountForecast undecided(1.0 / (1.0 + std::exp(-log_odds)),
                                    detail::negligible_share * options_.alpha_per_side);
    double probability = 0.0;
    for (const InterimAnalysis& interim : analyses_) {
      if (interim.samples >= n) break;
      undecided.advance_to(interim.samples);
      const double below = undecided.leave_up_to(interim.below), above = undecided.leave_from(interim.above);
      probability += low ? below : above;
      if (undecided.empty()) break;
    }
    undecided.advance_to(n);
    probability += low ? undecided.leave_up_to(k) : undecided.leave_from(k);
    return std::log(std::max(probability, std::numeric_limits<double>::min()) / level);
  };
  const auto failures = static_cast<double>(k), samples = static_cast<double>(n);
  const double start = std::log((failures + 0.5) / (samples - failures + 0.5));
  const double step = std::sqrt((samples + 1.0) / ((failures + 0.5) * (samples - failures + 0.5)));
  // The log-odds where `excess` falls through zero, on the way from the estimate towards +infinity (low) or −infinity;
  // of the two ends of the last bracket the one that is not excluded.
  const auto limit = [&](bool low, double none) {
    const double sign = low ? 1.0 : -1.0;
    const auto outward = [&](double way) { return excess(sign * way, low); };
    constexpr double farthest = 36.0;  // beyond, 1 − p has no digits left
    double kept = sign * start - step, excluded = sign * start + step;
    double at_kept = outward(kept), at_excluded = outward(excluded);
    for (double further = step; at_kept <= 0.0 && kept > -farthest; further *= 2.0)
      excluded = kept, at_excluded = at_kept, kept -= further, at_kept = outward(kept);
    for (double further = step; at_excluded > 0.0 && excluded < farthest; further *= 2.0)
      kept = excluded, at_kept = at_excluded, excluded += further, at_excluded = outward(excluded);
    if (at_kept <= 0.0 || at_excluded > 0.0) return none;
    std::uintmax_t calls = 60;
    const auto [a, b] = boost::math::tools::toms748_solve(
        outward, kept, excluded, at_kept, at_excluded, [](double x, double y) { return y - x < 1e-7; }, calls);
    return 1.0 / (1.0 + std::exp(-sign * (outward(b) > 0.0 ? b : a)));
  };
  return {k == 0 ? 0.0 : limit(false, 0.0), k == n ? 1.0 : limit(true, 1.0)};
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
