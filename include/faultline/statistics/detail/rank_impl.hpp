// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/rank.hpp.

#include <faultline/statistics/rank.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

/// A value with its outcome, sorted together.
struct RankedValue {
  double value;
  bool failed;
};

/// AUC of one group of values and its variance under permutation; sorts in place.
struct AucParts {
  double auc = 0.5;
  double variance = 0.0;
};

[[nodiscard]] inline AucParts auc_parts(std::vector<RankedValue>& items) {
  std::sort(items.begin(), items.end(), [](const RankedValue& a, const RankedValue& b) { return a.value < b.value; });
  double failures = 0.0;
  double wins = 0.0;  // pairs (failure, success) with the failure larger, ties half
  double successes = 0.0;
  double ties = 0.0;  // Σ (t³ − t) over runs of equal values
  for (std::size_t start = 0; start < items.size();) {
    double run_failures = 0.0;
    std::size_t end = start;
    for (; end < items.size() && !(items[start].value < items[end].value); ++end)
      run_failures += items[end].failed ? 1.0 : 0.0;
    const auto run = static_cast<double>(end - start);
    wins += run_failures * (successes + 0.5 * (run - run_failures));
    successes += run - run_failures;
    failures += run_failures;
    ties += run * run * run - run;
    start = end;
  }
  if (!(failures > 0.0) || !(successes > 0.0)) return {};
  const double n = failures + successes;
  return {wins / (failures * successes), ((n + 1.0) - ties / (n * (n - 1.0))) / (12.0 * failures * successes)};
}

[[nodiscard]] inline RankTest rank_test(double auc, double variance) {
  RankTest test{auc, std::sqrt(std::max(0.0, variance)), 0.0, 1.0};
  if (test.standard_error > 1e-12) {
    test.z = (auc - 0.5) / test.standard_error;
    test.p = normal_upper_tail(test.z);
  }
  return test;
}

inline void require_ordered(const char* where, std::span<const double> values) {
  for (const double value : values) {
    if (std::isnan(value))
      throw Error(ErrorCode::invalid_argument, where, "expected values that can be ordered, got NaN");
  }
}

}  // namespace detail

FAULTLINE_INLINE RankTest rank_auc(std::span<const double> values, std::span<const std::uint8_t> failed) {
  if (values.size() != failed.size())
    throw Error(ErrorCode::shape_mismatch, "rank_auc", "expected one outcome per value");
  detail::require_ordered("rank_auc", values);
  std::vector<detail::RankedValue> items(values.size());
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = {values[i], failed[i] != 0};
  const auto parts = detail::auc_parts(items);
  return detail::rank_test(parts.auc, parts.variance);
}

FAULTLINE_INLINE RankTest stratified_auc(std::span<const double> values, std::span<const std::int64_t> labels,
                                         std::span<const std::uint8_t> failed, const Strata& strata) {
  constexpr const char* where = "stratified_auc";
  require_outcomes(where, static_cast<std::int64_t>(values.size()), labels, failed);
  detail::require_ordered(where, values);
  std::vector<std::vector<detail::RankedValue>> items(static_cast<std::size_t>(strata.classes()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    require_label(where, labels[i], strata.classes());
    if (strata.uses(labels[i])) items[static_cast<std::size_t>(labels[i])].push_back({values[i], failed[i] != 0});
  }
  if (!(strata.effective_failures > 0.0)) return {};
  double auc = 0.0;
  double variance = 0.0;
  for (std::size_t c = 0; c < items.size(); ++c) {
    if (items[c].empty()) continue;
    const double weight = strata.weights[c] / strata.effective_failures;
    const auto parts = detail::auc_parts(items[c]);
    auc += weight * parts.auc;
    variance += weight * weight * parts.variance;
  }
  return detail::rank_test(auc, variance);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
