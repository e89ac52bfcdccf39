// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/e_values.hpp.

#include <faultline/statistics/e_values.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

inline void require_e_values(const char* where, std::span<const double> e) {
  for (const double one : e)
    if (!(one >= 0.0))
      throw Error(ErrorCode::invalid_argument, where,
                  "expected e-values that are not negative, got " + std::to_string(one));
}

}  // namespace detail

FAULTLINE_INLINE double mean_e_value(std::span<const double> e) {
  detail::require_e_values("mean_e_value", e);
  if (e.empty()) throw Error(ErrorCode::empty_input, "mean_e_value", "expected at least one e-value, got 0");
  double mean = 0.0;
  for (const double one : e) mean += one / static_cast<double>(e.size());  // (a sum might overflow)
  return mean;
}

FAULTLINE_INLINE std::vector<double> e_holm(std::span<const double> e) {
  detail::require_e_values("e_holm", e);
  std::vector<std::size_t> order(e.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return e[a] < e[b]; });
  std::vector<double> adjusted(e.size());
  std::size_t joined = 0;  // the smallest values that lower the mean; a larger e-value is lowered by no fewer
  double sum = 0.0;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const double own = e[order[place]];
    while (joined < place && e[order[joined]] < (own + sum) / static_cast<double>(joined + 1))
      sum += e[order[joined++]];
    adjusted[order[place]] = (own + sum) / static_cast<double>(joined + 1);
  }
  return adjusted;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
