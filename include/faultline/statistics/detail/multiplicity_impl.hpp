// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/multiplicity.hpp.

#include <faultline/statistics/multiplicity.hpp>

#include <faultline/error.hpp>

#include <algorithm>
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

FAULTLINE_INLINE std::vector<double> holm(std::span<const double> p) {
  const auto order = detail::ascending_p("holm", p);
  std::vector<double> adjusted(p.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - i) * p[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

FAULTLINE_INLINE std::vector<double> benjamini_hochberg(std::span<const double> p) {
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
