// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The difference of two failure rates on the same samples while a gate looks on.

#include <faultline/core/number_text.hpp>
#include <faultline/statistics/betting_bounds.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/mcnemar.hpp>
#include <faultline/statistics/paired_effect.hpp>
#include <faultline/testing/detail/verdict_text.hpp>
#include <faultline/testing/gate_result.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// Counts a sample, the release to be judged first.
inline void count_pair(statistics::PairedCounts& counts, bool now, bool then) {
  ++(now ? then ? counts.both_fail : counts.only_first_fails : then ? counts.only_second_fails : counts.both_right);
}

/// Differences of one statement, and the bets on them.
class WatchedDifference {
 public:
  WatchedDifference(double margin, double confidence, double evidence_to_fail)
      : margin_(margin),
        critical_value_(std::log(2.0 / (1.0 - confidence))),
        log_to_fail_(std::log(evidence_to_fail)),
        worse_(margin, statistics::MeanSide::above),
        fine_(margin, statistics::MeanSide::below) {}

  void add(bool failed_now, bool failed_then) {
    if (known()) return;
    count_pair(counts_, failed_now, failed_then);
    const double difference = static_cast<double>(failed_now) - static_cast<double>(failed_then);
    worse_.add(difference);
    fine_.add(difference);
    if (fine_.log_capital() >= critical_value_) verdict_ = GateVerdict::pass;
    else if (worse_.log_capital() >= log_to_fail_) verdict_ = GateVerdict::fail;
  }
  [[nodiscard]] bool known() const { return verdict_ != GateVerdict::undecided; }
  [[nodiscard]] bool passed() const { return verdict_ == GateVerdict::pass; }
  [[nodiscard]] bool failed() const { return verdict_ == GateVerdict::fail; }

  [[nodiscard]] GateStatement statement(const std::string& where, double confidence, const std::string& who) const {
    statistics::ValueCounts values;
    values.add(1.0, counts_.only_first_fails);
    values.add(-1.0, counts_.only_second_fails);
    values.add(0.0, counts_.both_right + counts_.both_fail);
    GateStatement result;
    result.name = "failure rate minus that of the baseline" + where;
    result.verdict = verdict_;
    result.samples = counts_.total();
    result.failures = counts_.only_first_fails;
    result.estimate = statistics::paired_difference(counts_);
    result.interval = counts_.total() == 0 ? statistics::Interval{-1.0, 1.0}
                                           : statistics::betting_interval(values, (1.0 - confidence) / 2.0);
    result.bound = margin_;
    result.evidence_against = std::exp(std::min(worse_.log_capital(), 700.0));
    result.text = "Of " + std::to_string(counts_.total()) + " samples it fails on " +
                  std::to_string(counts_.only_first_fails) + " that " + who + " gets right, and gets " +
                  std::to_string(counts_.only_second_fails) + " right that that one fails on: the failure rate is " +
                  points(statistics::paired_difference(counts_)) + " points higher, between " +
                  points(result.interval.lower) + " and " + points(result.interval.upper) + " at " +
                  percent(confidence) + " confidence; the margin is " + points(margin_) + ".";
    if (where.empty())
      result.text += " (Exact McNemar test, two-sided, as a description: p = " +
                     rounded_text(statistics::mcnemar_exact(counts_.only_first_fails, counts_.only_second_fails), 2) +
                     ".)";
    return result;
  }

 private:
  [[nodiscard]] static std::string points(double share) { return rounded_text(100.0 * share, 3); }

  double margin_;
  double critical_value_;
  double log_to_fail_;
  statistics::BettingCapital worse_;
  statistics::BettingCapital fine_;
  statistics::PairedCounts counts_;
  GateVerdict verdict_ = GateVerdict::undecided;
};

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
