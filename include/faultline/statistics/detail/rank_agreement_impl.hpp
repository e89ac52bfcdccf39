// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/rank_agreement.hpp.

#include <faultline/statistics/rank_agreement.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

/// Number of pairs within runs of equal neighbours of a sorted sequence.
template <class Equal>
[[nodiscard]] double tied_pairs(std::size_t n, Equal equal_to_previous) {
  double pairs = 0.0;
  double run = 1.0;
  for (std::size_t i = 1; i <= n; ++i) {
    if (i < n && equal_to_previous(i)) {
      run += 1.0;
      continue;
    }
    pairs += 0.5 * run * (run - 1.0);
    run = 1.0;
  }
  return pairs;
}

/// Sorts `values[first .. last)` and returns how many pairs were strictly in the wrong order.
[[nodiscard]] inline double sort_and_count(std::vector<double>& values, std::vector<double>& scratch, std::size_t first,
                                           std::size_t last) {
  if (last - first < 2) return 0.0;
  const std::size_t middle = first + (last - first) / 2;
  double inversions = sort_and_count(values, scratch, first, middle) + sort_and_count(values, scratch, middle, last);
  for (std::size_t left = first, right = middle, out = first; out < last; ++out) {
    if (left < middle && (right == last || !(values[right] < values[left]))) scratch[out] = values[left++];
    else {
      inversions += static_cast<double>(middle - left);
      scratch[out] = values[right++];
    }
  }
  std::copy(scratch.begin() + static_cast<std::ptrdiff_t>(first), scratch.begin() + static_cast<std::ptrdiff_t>(last),
            values.begin() + static_cast<std::ptrdiff_t>(first));
  return inversions;
}

inline void require_pairs(const char* where, std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size())
    throw Error(ErrorCode::shape_mismatch, where,
                "expected pairs of values, got " + std::to_string(x.size()) + " and " + std::to_string(y.size()));
  for (const auto& values : {x, y})
    for (const double value : values)
      if (std::isnan(value))
        throw Error(ErrorCode::invalid_argument, where, "expected values that can be ordered, got NaN");
}

/// Ranks about their mean: 1 .. N less (N + 1) / 2, equal values sharing their mean rank.
[[nodiscard]] inline std::vector<double> centered_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    // ranks first + 1 .. last: twice their mean is first + last + 1
    const double rank = 0.5 * (static_cast<double>(first + last) - static_cast<double>(values.size()));
    for (; first < last; ++first) ranks[order[first]] = rank;
  }
  return ranks;
}

}  // namespace detail

FAULTLINE_INLINE double spearman_rho(std::span<const double> x, std::span<const double> y) {
  detail::require_pairs("spearman_rho", x, y);
  const std::vector<double> a = detail::centered_ranks(x), b = detail::centered_ranks(y);
  const auto product = [](const std::vector<double>& u, const std::vector<double>& v) {
    return std::inner_product(u.begin(), u.end(), v.begin(), 0.0);
  };
  const double scale = std::sqrt(product(a, a) * product(b, b));
  return scale > 0.0 ? product(a, b) / scale : std::numeric_limits<double>::quiet_NaN();
}

FAULTLINE_INLINE double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  detail::require_pairs("kendall_tau_b", x, y);
  const std::size_t n = x.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return x[a] != x[b] ? x[a] < x[b] : y[a] < y[b]; });
  const auto same_x = [&](std::size_t i) { return x[order[i]] == x[order[i - 1]]; };
  std::vector<double> by_x(n);
  for (std::size_t i = 0; i < n; ++i) by_x[i] = y[order[i]];
  const double tied_x = detail::tied_pairs(n, same_x);
  const double tied_both = detail::tied_pairs(n, [&](std::size_t i) { return same_x(i) && by_x[i] == by_x[i - 1]; });
  std::vector<double> scratch(n);
  // Sorts by_x, whose ties are neighbours from here on
  const double discordant = detail::sort_and_count(by_x, scratch, 0, n);
  const double tied_y = detail::tied_pairs(n, [&](std::size_t i) { return by_x[i] == by_x[i - 1]; });
  const double pairs = 0.5 * static_cast<double>(n) * (static_cast<double>(n) - 1.0);
  const double scale = std::sqrt((pairs - tied_x) * (pairs - tied_y));
  if (!(scale > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  return (pairs - tied_x - tied_y + tied_both - 2.0 * discordant) / scale;
}

FAULTLINE_INLINE double jaccard_top(std::span<const std::int64_t> a, std::span<const std::int64_t> b, std::int64_t k) {
  if (k < 1) throw Error(ErrorCode::invalid_argument, "jaccard_top", "k must be at least 1, got " + std::to_string(k));
  const auto first = [k](std::span<const std::int64_t> ranking) {
    std::vector<std::int64_t> members(
        ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(
                                               std::min<std::size_t>(ranking.size(), static_cast<std::size_t>(k))));
    std::sort(members.begin(), members.end());
    if (std::adjacent_find(members.begin(), members.end()) != members.end())
      throw Error(ErrorCode::invalid_argument, "jaccard_top", "a ranking names something twice");
    return members;
  };
  const auto mine = first(a), yours = first(b);
  std::vector<std::int64_t> shared;
  std::set_intersection(mine.begin(), mine.end(), yours.begin(), yours.end(), std::back_inserter(shared));
  const std::size_t either = mine.size() + yours.size() - shared.size();
  return either == 0 ? 0.0 : static_cast<double>(shared.size()) / static_cast<double>(either);
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
