// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Two classifiers on the same samples: who failed alone, whether that can be chance, and how far the failure rates lie
// apart.

#include <faultline/core/describe.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// How often each of two classifiers failed on the same samples.
struct PairedCounts {
  std::int64_t both_right = 0;
  std::int64_t only_first_fails = 0;
  std::int64_t only_second_fails = 0;
  std::int64_t both_fail = 0;

  [[nodiscard]] constexpr std::int64_t total() const noexcept {
    return both_right + only_first_fails + only_second_fails + both_fail;
  }
};
FAULTLINE_MEMBERS(PairedCounts, both_right, only_first_fails, only_second_fails, both_fail)

/// What paired counts say about two failure rates.
struct PairedTest {
  PairedCounts counts;
  double p = 1.0;           ///< exact two-sided McNemar test of equal failure rates
  double difference = 0.0;  ///< failure rate of the first minus that of the second
  double lower = -1.0;      ///< interval of the difference
  double upper = 1.0;
  double confidence = 0.95;
};
FAULTLINE_MEMBERS(PairedTest, counts, p, difference, lower, upper, confidence)

/// Counts outcomes sample by sample; 0 is a success, anything else a failure.
///
/// **Throws** `shape_mismatch` when the lists differ in length.
/// Example: `PairedCounts counts = count_pairs(first.failed, second.failed);`
[[nodiscard]] PairedCounts count_pairs(std::span<const std::uint8_t> first_failed,
                                       std::span<const std::uint8_t> second_failed);

/// Tests whether two failure rates on the same samples differ, and by how much.
///
/// **Formula**: p from `mcnemar_exact`, which looks at the samples that one classifier alone fails on: under equal
/// rates each of them is a fair coin. The interval is `effect_interval`, Tango's score interval with a continuity
/// correction of one sample, for the mean of the paired differences −1, 0, 1.
/// **Error rate**: at equal rates p ≤ α with probability at most α, whatever the rates. The 95 % interval covers the
/// true difference with probability at least .95: enumerated over all outcomes for samples of 4 to 256 and a grid of
/// true rates in the tests. Test and interval are made differently and may disagree where p is close to 1 − confidence.
/// **Throws** `invalid_argument` for negative counts, or a confidence outside (0, 1). No sample gives p = 1 and the
/// interval [−1, 1].
/// Example: `test_pairs({.both_right = 950, .only_first_fails = 38, .only_second_fails = 6, .both_fail = 6}).p`
[[nodiscard]] PairedTest test_pairs(const PairedCounts& counts, double confidence = 0.95);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/mcnemar_impl.hpp>
#endif
