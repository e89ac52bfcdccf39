// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/mcnemar.hpp.

#include <faultline/statistics/mcnemar.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/difference.hpp>
#include <faultline/statistics/interval.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE PairedCounts count_pairs(std::span<const std::uint8_t> first_failed,
                                          std::span<const std::uint8_t> second_failed) {
  if (first_failed.size() != second_failed.size()) {
    throw Error(ErrorCode::shape_mismatch, "count_pairs",
                "expected outcomes of the same samples, got " + std::to_string(first_failed.size()) + " and " +
                    std::to_string(second_failed.size()));
  }
  PairedCounts counts;
  for (std::size_t i = 0; i < first_failed.size(); ++i) {
    const bool first = first_failed[i] != 0;
    const bool second = second_failed[i] != 0;
    ++(first    ? second ? counts.both_fail : counts.only_first_fails
       : second ? counts.only_second_fails
                : counts.both_right);
  }
  return counts;
}

FAULTLINE_INLINE PairedTest test_pairs(const PairedCounts& counts, double confidence) {
  if (counts.both_right < 0 || counts.only_first_fails < 0 || counts.only_second_fails < 0 || counts.both_fail < 0)
    throw Error(ErrorCode::invalid_argument, "test_pairs", "expected counts that are not negative");
  PairedTest test;
  test.counts = counts;
  test.confidence = confidence;
  test.p = mcnemar_exact(counts.only_first_fails, counts.only_second_fails);
  const Interval interval =
      effect_interval(counts.only_first_fails, counts.only_second_fails, counts.total(), confidence);
  test.lower = interval.lower;
  test.upper = interval.upper;
  if (counts.total() > 0)
    test.difference =
        static_cast<double>(counts.only_first_fails - counts.only_second_fails) / static_cast<double>(counts.total());
  return test;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
