// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One failure rate while a gate looks on: what gates on rates have in common.

#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/rate_monitor.hpp>
#include <faultline/testing/detail/mode_of.hpp>
#include <faultline/testing/detail/verdict_text.hpp>
#include <faultline/testing/gate_result.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// "31 of 256 generated samples failed (12.1 %); at 95 % confidence the failure rate lies between 7 % and 18 %."
inline std::string rate_text(const std::string& counted, std::int64_t failures, std::int64_t samples, double confidence,
                             const statistics::Interval& interval, const std::string& rate_name) {
  const double rate = samples == 0 ? 0.0 : static_cast<double>(failures) / static_cast<double>(samples);
  return std::to_string(failures) + " of " + std::to_string(samples) + " " + counted + " failed (" + percent(rate) +
         "); at " + percent(confidence) + " confidence the " + rate_name + " lies between " + percent(interval.lower) +
         " and " + percent(interval.upper) + ".";
}

/// What all gates on rates check of their policies.
template <class Policy>
void check_rate_policy(const Policy& policy, std::int64_t first_analysis) {
  core::require_between("gate", "confidence", policy.confidence, 0.0, 1.0);
  core::require_in("gate", "gates", policy.gates, 1, 10'000);
  if (budget_of(policy) < first_analysis)
    throw Error(ErrorCode::invalid_argument, "gate",
                std::string(policy.max_samples < first_analysis ? "max_samples" : "smoke_samples") +
                    " must be at least " + std::to_string(first_analysis) +
                    ", where the evidence is looked at first, got " + std::to_string(budget_of(policy)) +
                    "; no verdict could be reached");
  core::require_in("gate", "max_samples", policy.max_samples, 1, limits::samples);
}

/// One rate with its bound.
class WatchedRate {
 public:
  WatchedRate(std::shared_ptr<const statistics::RateBoundary> boundary, double evidence_to_fail)
      : monitor_(std::move(boundary)), evidence_to_fail_(evidence_to_fail) {}

  void add(bool failed) {
    if (!known()) monitor_.add(failed);
  }
  void finish() { monitor_.finish(); }
  [[nodiscard]] bool passed() const { return monitor_.decision() == statistics::RateDecision::below; }
  [[nodiscard]] bool failed() const {
    return monitor_.decision() == statistics::RateDecision::above &&
           (evidence_to_fail_ == 0.0 || evidence() >= evidence_to_fail_);
  }
  [[nodiscard]] bool known() const { return passed() || failed(); }
  [[nodiscard]] GateVerdict verdict() const {
    return passed() ? GateVerdict::pass : failed() ? GateVerdict::fail : GateVerdict::undecided;
  }
  [[nodiscard]] double evidence() const {
    return statistics::rate_evidence(monitor_.failures(), monitor_.samples(), monitor_.boundary().bound())
        .against_at_most;
  }
  [[nodiscard]] const statistics::RateMonitor& monitor() const { return monitor_; }

 private:
  statistics::RateMonitor monitor_;
  double evidence_to_fail_;
};

/// The e-value that one of so many statements needs to fail; 0 for a single one, which its boundary decides.
inline double evidence_to_fail(std::int64_t statements, double confidence) {
  return statements == 1 ? 0.0 : static_cast<double>(statements) * 2.0 / (1.0 - confidence);
}

/// The boundary of a bound, which takes some milliseconds to enumerate: the last few are kept, because the gates of a
/// suite, and a gate and its planner, mostly have the same.
inline std::shared_ptr<const statistics::RateBoundary> boundary_of(double bound, double confidence) {
  core::require_between("gate", "bound", bound, 0.0, 1.0);
  core::require_between("gate", "confidence", confidence, 0.0, 1.0);
  struct Kept {
    double bound, confidence;
    std::shared_ptr<const statistics::RateBoundary> boundary;
  };
  constexpr std::size_t most = 32;
  static std::mutex mutex;
  static std::deque<Kept> recent;
  const std::lock_guard lock(mutex);
  for (const Kept& kept : recent)
    if (kept.bound == bound && kept.confidence == confidence) return kept.boundary;
  recent.push_front({bound, confidence,
                     std::make_shared<const statistics::RateBoundary>(
                         bound, statistics::RateSequenceOptions{.alpha_per_side = (1.0 - confidence) / 2.0})});
  if (recent.size() > most) recent.pop_back();
  return recent.front().boundary;
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
