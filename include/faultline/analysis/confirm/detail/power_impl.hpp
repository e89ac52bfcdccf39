// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/power.hpp.

#include <faultline/analysis/confirm/power.hpp>

#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE DetectableEffect smallest_detectable(const statistics::Strata& discovery,
                                                      const statistics::Strata& confirmation, double bar,
                                                      std::int64_t candidates, double alpha) {
  if (!std::isfinite(bar)) bar = 0.0;
  const double first = std::sqrt(discovery.effective_failures);
  const double second = std::sqrt(confirmation.effective_failures);
  const double critical =
      statistics::normal_quantile(1.0 - alpha / static_cast<double>(std::max<std::int64_t>(1, candidates)));
  const auto power = [&](double d) {
    return statistics::normal_cdf((d - bar) * first) * statistics::normal_cdf(d * second - critical);
  };
  double low = 0.0;
  double high = std::max(0.0, bar) + 1.0;
  while (power(high) < 0.8 && high < 1e6) high *= 2.0;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (power(middle) < 0.8 ? low : high) = middle;
  }
  return {high, statistics::normal_cdf(high / std::numbers::sqrt2)};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
