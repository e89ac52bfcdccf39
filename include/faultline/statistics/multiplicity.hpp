// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Adjusting p-values for the number of tests: Holm for the family-wise error, Benjamini–Hochberg for the
// false-discovery rate.

#include <faultline/error.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

/// Positions of `p` from the smallest to the largest value; equal values keep their order.
[[nodiscard]] inline std::vector<std::size_t> ascending_p(const char* where, std::span<const double> p) {
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] >= 0.0 && p[i] <= 1.0)) {
      throw Error(ErrorCode::invalid_argument, where,
                  "expected p-values in [0, 1], got " + std::to_string(p[i]) + " at position " + std::to_string(i));
    }
  }
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  return order;
}

}  // namespace detail

/// Holm's adjusted p-values, in the order of `p`: rejecting those ≤ α makes any false rejection with probability at
/// most α, whatever the dependence.
///
/// Formula: with p_(1) ≤ … ≤ p_(m), adjusted_(i) = max over j ≤ i of min(1, (m − j + 1) p_(j)) (Holm 1979). Ties get
/// equal values.
/// **Throws** `invalid_argument` for a value outside [0, 1] or NaN. An empty list gives an empty list.
/// Example: `holm(std::vector{0.01, 0.04, 0.03})` is `{0.03, 0.06, 0.06}`
[[nodiscard]] inline std::vector<double> holm(std::span<const double> p) {
  const auto order = detail::ascending_p("holm", p);
  std::vector<double> adjusted(p.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - i) * p[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

/// Benjamini–Hochberg adjusted p-values (q), in the order of `p`: rejecting those ≤ q keeps the expected share of false
/// rejections at most q for independent or positively dependent tests.
///
/// Formula: adjusted_(i) = min over j ≥ i of min(1, m p_(j) / j) (Benjamini and Hochberg 1995). Ties get equal values.
/// **Throws** `invalid_argument` for a value outside [0, 1] or NaN. An empty list gives an empty list.
[[nodiscard]] inline std::vector<double> benjamini_hochberg(std::span<const double> p) {
  const auto order = detail::ascending_p("benjamini_hochberg", p);
  std::vector<double> adjusted(p.size());
  double smallest = 1.0;
  for (std::size_t i = order.size(); i-- > 0;) {
    smallest = std::min(smallest, static_cast<double>(order.size()) / static_cast<double>(i + 1) * p[order[i]]);
    adjusted[order[i]] = smallest;
  }
  return adjusted;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
