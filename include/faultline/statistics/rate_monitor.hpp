// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A rate that is watched outcome by outcome until it is found below or above a bound.

#include <faultline/statistics/rate_boundary.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Decides whether a rate lies below or above a bound, from outcomes in their order, stopping as soon as it can.
///
/// **Error rate**: that of its `RateBoundary`. A decision is final: later outcomes are counted, not judged. Two
/// monitors fed the same outcomes, one with fewer of them, never contradict each other, because analyses and counts
/// that decide depend on the number of samples alone, not on a budget.
/// **Throws** `invalid_argument` for a bound or options out of range.
/// **Cost**: that of a `RateBoundary`, which monitors of one bound can share.
/// Example: `RateMonitor monitor(0.02); while (monitor.decision() == RateDecision::undecided && more())
/// monitor.add(next_failed());`
class RateMonitor {
 public:
  explicit RateMonitor(double bound, const RateSequenceOptions& options = {})
      : RateMonitor(std::make_shared<const RateBoundary>(bound, options)) {}
  /// Shares a boundary, which must not be null.
  explicit RateMonitor(std::shared_ptr<const RateBoundary> boundary)
      : boundary_(std::move(boundary)), next_analysis_(boundary_->next_analysis(0)) {}

  /// Counts one outcome and, where an analysis is due, makes it.
  void add(bool failed) {
    ++samples_;
    failures_ += failed ? 1 : 0;
    if (samples_ != next_analysis_) return;
    next_analysis_ = boundary_->next_analysis(samples_);
    if (decision_ == RateDecision::undecided) conclude(boundary_->decide(failures_, samples_));
  }

  /// Ends the budget: decides between two analyses if the next one is bound to.
  void finish() {
    if (decision_ == RateDecision::undecided) conclude(boundary_->decide_at_end(failures_, samples_));
  }

  [[nodiscard]] RateDecision decision() const noexcept { return decision_; }
  [[nodiscard]] std::int64_t samples() const noexcept { return samples_; }
  [[nodiscard]] std::int64_t failures() const noexcept { return failures_; }
  /// Number of samples at the analysis that decided; 0 while undecided.
  [[nodiscard]] std::int64_t decided_at() const noexcept { return decided_at_; }
  /// Number of samples at the next analysis.
  [[nodiscard]] std::int64_t next_analysis() const noexcept { return next_analysis_; }
  /// `RateBoundary::interval` where it was decided, else for a budget that ends here; [0, 1] without samples.
  [[nodiscard]] Interval interval() const {
    return decision_ == RateDecision::undecided ? boundary_->interval(failures_, samples_)
                                                : boundary_->interval(decided_with_, decided_at_);
  }
  [[nodiscard]] const RateBoundary& boundary() const noexcept { return *boundary_; }

 private:
  void conclude(RateDecision decision) {
    decision_ = decision;
    if (decision == RateDecision::undecided) return;
    decided_at_ = samples_;
    decided_with_ = failures_;
  }

  std::shared_ptr<const RateBoundary> boundary_;
  std::int64_t next_analysis_;
  std::int64_t samples_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t decided_at_ = 0;
  std::int64_t decided_with_ = 0;
  RateDecision decision_ = RateDecision::undecided;
};

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
