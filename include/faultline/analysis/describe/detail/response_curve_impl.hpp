// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/response_curve.hpp.

#include <faultline/analysis/describe/response_curve.hpp>

#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE ResponseCurve response_curve(std::string property, std::span<const double> values,
                                              std::span<const std::uint8_t> outcomes,
                                              std::optional<std::int64_t> class_label) {
  if (values.size() != outcomes.size())
    throw Error(ErrorCode::shape_mismatch, "response_curve", "expected one outcome for each value");
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    throw Error(ErrorCode::invalid_argument, "response_curve", "a value of \"" + property + "\" is not finite");
  ResponseCurve curve{std::move(property), class_label, {}};
  const std::size_t n = values.size();
  if (n == 0) return curve;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  const std::size_t bins = std::clamp<std::size_t>(n / static_cast<std::size_t>(response_bin_samples), 1,
                                                   static_cast<std::size_t>(response_bins));
  std::vector<std::int64_t> failures, samples;
  for (std::size_t first = 0, bin = 1; first < n; ++bin) {
    std::size_t last = std::max(first + 1, n * std::min(bin, bins) / bins);
    while (last < n && values[order[last]] == values[order[last - 1]]) ++last;
    std::int64_t failed = 0;
    for (std::size_t i = first; i < last; ++i) failed += outcomes[order[i]] != 0 ? 1 : 0;
    failures.push_back(failed);
    samples.push_back(static_cast<std::int64_t>(last - first));
    curve.bins.push_back(
        {values[order[first]], values[order[last - 1]], values[order[first + (last - first) / 2]], {}});
    first = last;
  }
  const std::vector<Rate> rates = class_rates_of(failures, samples);
  for (std::size_t bin = 0; bin < rates.size(); ++bin) curve.bins[bin].rate = rates[bin];
  return curve;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
