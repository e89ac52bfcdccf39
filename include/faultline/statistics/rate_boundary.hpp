// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Where a gate on a rate decides: counts of failures at each interim analysis, found by following the exact
// distribution of the count, so that the gate errs as often as it may and not a tenth as often (gates.md).

#include <faultline/statistics/interval.hpp>

#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// When a rate is analyzed and how sure a decision must be.
struct RateSequenceOptions {
  double alpha_per_side = 0.025;      ///< error rate of each side; a gate at confidence .95 takes .025
  std::int64_t first_analysis = 100;  ///< no interim analysis before this many samples
  /// Analyses at multiples of this, up to 1 000 times it; then at half as many for each doubling of the samples
  std::int64_t analysis_every = 64;
};

/// Where a rate lies relative to a bound, as far as the samples say.
enum class RateDecision { below, above, undecided };

/// The counts of failures at which a rate is found to lie below or above a bound, analysis by analysis.
///
/// **Error rate**: P(ever `below`) ≤ alpha_per_side at every true rate ≥ bound, P(ever `above`) ≤ alpha_per_side at
/// every true rate ≤ bound. At the bound both are enumerated, not estimated, and come to .95 of what is allowed; beyond
/// it they are smaller, because more failures never help to be found below (two runs whose outcomes differ by added
/// failures: the one with fewer is found below whenever the other is).
/// **Formula**: at the analysis after n samples each side may have spent .95 α s(n) / s(N), with s(n) = 1 − (1 + 2.5
/// v)^−¼, v = n min(bound, 1 − bound) the expected number of the rarer outcome (Lan and DeMets 1983: spending decides
/// when the error is spent, not how much). A side takes in the next count while the probability of having arrived there
/// undecided, at the bound, fits. The last analysis N is at 64 000 samples, or where v = 64 if that is later. Beyond it
/// the remaining .05 α are spent by Ville's bound on `log_mixture_ratio`, which needs no last analysis.
/// **Throws** `invalid_argument` for a bound or options out of range.
/// **Cost**: one pass over 1 000 analyses: 1.2 ms for a bound of .02, 12 ms for .5 on one core.
/// Example: `RateBoundary(0.02).decide(0, 256) == RateDecision::below`
class RateBoundary {
 public:
  explicit RateBoundary(double bound, const RateSequenceOptions& options = {});

  [[nodiscard]] double bound() const noexcept { return bound_; }
  [[nodiscard]] const RateSequenceOptions& options() const noexcept { return options_; }
  /// Number of samples up to which errors are enumerated.
  [[nodiscard]] std::int64_t horizon() const noexcept { return horizon_; }
  /// Probability, at the bound, of `below` at any analysis up to the horizon.
  [[nodiscard]] double error_below() const noexcept { return error_below_; }
  /// Probability, at the bound, of `above` at any analysis up to the horizon.
  [[nodiscard]] double error_above() const noexcept { return error_above_; }

  /// Number of samples at the first analysis after `n` samples.
  [[nodiscard]] std::int64_t next_analysis(std::int64_t n) const noexcept;

  /// What k failures in n samples say at an analysis to which one came undecided; `undecided` where there is none.
  [[nodiscard]] RateDecision decide(std::int64_t k, std::int64_t n) const;

  /// The same at the end of a budget: between two analyses, what the next one will say whatever the samples up to there
  /// will be. It spends nothing, and never contradicts whoever goes on.
  [[nodiscard]] RateDecision decide_at_end(std::int64_t k, std::int64_t n) const;

  /// Limits of the rate for who came undecided to n samples and stops there, with k failures, because an analysis
  /// decided or the budget, fixed before, is used up.
  ///
  /// Each limit is wrong with probability at most alpha_per_side at any true rate. They agree with the decision: the
  /// bound lies outside where there is one, on its side, and inside where there is none.
  /// **Formula**: the rates at which neither an outcome this low nor one this high in the order of stopping has
  /// a probability of at most .95 α (below early < below late < undecided or just decided, by count < above late <
  /// above early: Siegmund 1978; Tsiatis, Rosner and Mehta 1984), by the exact distribution, widened to the bound
  /// where nothing is decided. Past the horizon `rate_sequence_interval` at .05 α.
  /// **Throws** `invalid_argument` unless 0 ≤ k ≤ n.
  /// **Cost**: about twenty passes over the analyses up to n; a millisecond for 4 000 samples.
  [[nodiscard]] Interval interval(std::int64_t k, std::int64_t n) const;

 private:
  struct InterimAnalysis {
    std::int64_t samples;
    std::int64_t below;  ///< the most failures that decide `below`
    std::int64_t above;  ///< the fewest failures that decide `above`
  };

  [[nodiscard]] Interval stopping_limits(std::int64_t k, std::int64_t n) const;

  double bound_;
  RateSequenceOptions options_;
  std::int64_t horizon_ = 0;
  double error_below_ = 0.0;
  double error_above_ = 0.0;
  std::vector<InterimAnalysis> analyses_;
};

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/rate_boundary_impl.hpp>
#endif
