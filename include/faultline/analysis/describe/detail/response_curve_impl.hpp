// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/response_curve.hpp.

#include <faultline/analysis/describe/response_curve.hpp>

#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/quantiles.hpp>
#include <faultline/statistics/simultaneous_rates.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// A value, the set that it is of, and how much it counts.
struct BinnedValue {
  double value = 0.0;
  int set = 0;
  double weight = 1.0;
};

/// The edge between two neighbouring values: half way, or the upper one where nothing lies between.
[[nodiscard]] inline double edge_between(double below, double above) {
  const double middle = std::midpoint(below, above);
  return middle > below ? middle : above;
}

/// Edges at which every bin has at least `least` values of each of `sets` sets and about the same weight.
[[nodiscard]] inline std::vector<double> edges_of(std::vector<BinnedValue> all, int sets,
                                                  const ResponseBinning& binning) {
  std::stable_sort(all.begin(), all.end(),
                   [](const BinnedValue& a, const BinnedValue& b) { return a.value < b.value; });
  double total = 0.0;
  for (const BinnedValue& one : all) total += one.weight;
  // counts of each set in the bin that is being filled, and in what is left
  std::int64_t filled[2] = {0, 0}, left[2] = {0, 0};
  for (const BinnedValue& one : all) ++left[one.set];
  const auto enough = [&](const std::int64_t* counts) {
    return counts[0] >= binning.least && (sets < 2 || counts[1] >= binning.least);
  };
  std::vector<double> edges = {all.front().value};
  const double share = total / static_cast<double>(binning.bins);
  double weight = 0.0, cut = 0.0;  // up to and with value i, and up to the last edge
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    ++filled[all[i].set], --left[all[i].set];
    weight += all[i].weight;
    if (all[i].value == all[i + 1].value) continue;
    const double more = std::round((total - cut) / share);  // bins that what is left is good for
    if (more < 1.5) break;
    const double target = cut + (total - cut) / more;
    if (weight < target) {  // unless this is nearer to it than the end of the next run of equal values
      double run = 0.0;
      for (std::size_t j = i + 1; j < all.size() && all[j].value == all[i + 1].value; ++j) run += all[j].weight;
      if (weight + run - target < target - weight) continue;
    }
    if (!enough(filled) || !enough(left)) continue;
    edges.push_back(edge_between(all[i].value, all[i + 1].value));
    filled[0] = filled[1] = 0;
    cut = weight;
  }
  edges.push_back(all.back().value);
  return edges;
}

inline void check_values(const char* where, std::span<const double> values) {
  if (values.empty()) throw Error(ErrorCode::empty_input, where, "there are no values");
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    throw Error(ErrorCode::invalid_argument, where, "expected finite values");
}

}  // namespace detail

FAULTLINE_INLINE void check_binning(const char* where, const ResponseBinning& binning) {
  core::require_in(where, "bins", binning.bins, 1, 1000);
  core::require_in(where, "least", binning.least, 1, limits::samples);
  core::require_between(where, "confidence", binning.confidence, 0.0, 1.0);
}

FAULTLINE_INLINE std::vector<double> response_edges(std::span<const double> values, const ResponseBinning& binning) {
  check_binning("response_edges", binning);
  detail::check_values("response_edges", values);
  ResponseBinning fitting = binning;
  fitting.bins = std::clamp<std::int64_t>(static_cast<std::int64_t>(values.size()) / binning.least, 1, binning.bins);
  std::vector<detail::BinnedValue> all;
  for (const double value : values) all.push_back({value, 0, 1.0});
  return detail::edges_of(std::move(all), 1, fitting);
}

FAULTLINE_INLINE std::vector<double> common_response_edges(std::span<const double> first,
                                                           std::span<const double> second,
                                                           const ResponseBinning& binning) {
  check_binning("common_response_edges", binning);
  detail::check_values("common_response_edges", first);
  detail::check_values("common_response_edges", second);
  const auto fewer = static_cast<std::int64_t>(std::min(first.size(), second.size()));
  ResponseBinning fitting = binning;
  fitting.bins = std::clamp<std::int64_t>(fewer / binning.least, 1, binning.bins);
  std::vector<detail::BinnedValue> all;
  for (const double value : first) all.push_back({value, 0, 1.0 / static_cast<double>(first.size())});
  for (const double value : second) all.push_back({value, 1, 1.0 / static_cast<double>(second.size())});
  return detail::edges_of(std::move(all), 2, fitting);
}

FAULTLINE_INLINE ResponseCurve response_curve(std::string property, std::span<const double> values,
                                              std::span<const std::uint8_t> failed, std::span<const double> edges,
                                              double confidence) {
  constexpr const char* where = "response_curve";
  if (values.size() != failed.size())
    throw Error(ErrorCode::shape_mismatch, where,
                "expected an outcome for each value, got " + std::to_string(values.size()) + " values and " +
                    std::to_string(failed.size()) + " outcomes");
  if (!values.empty()) detail::check_values(where, values);
  core::require_between(where, "confidence", confidence, 0.0, 1.0);
  const auto ascends = [](double a, double b) { return a < b; };
  const bool single = edges.size() == 2 && edges[0] <= edges[1];
  if (edges.size() < 2 || !std::all_of(edges.begin(), edges.end(), [](double edge) { return std::isfinite(edge); }) ||
      (!single && std::adjacent_find(edges.begin(), edges.end(), std::not_fn(ascends)) != edges.end()))
    throw Error(ErrorCode::invalid_argument, where, "expected at least two edges, finite and ascending");

  const std::size_t count = edges.size() - 1;
  const std::span<const double> inner = edges.subspan(1, count - 1);
  std::vector<std::vector<double>> members(count);
  std::vector<std::int64_t> failures(count, 0), trials(count, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bin = static_cast<std::size_t>(std::upper_bound(inner.begin(), inner.end(), values[i]) - inner.begin());
    members[bin].push_back(values[i]);
    failures[bin] += failed[i] != 0 ? 1 : 0;
    ++trials[bin];
  }
  const std::vector<statistics::Interval> intervals = statistics::simultaneous_rates(failures, trials, confidence);
  ResponseCurve curve;
  curve.property = std::move(property);
  for (std::size_t k = 0; k < count; ++k) {
    ResponseBin& bin = curve.bins.emplace_back(ResponseBin{edges[k], edges[k + 1], std::nullopt, {}, std::nullopt});
    if (trials[k] > 0) bin.median = statistics::median(members[k]);
    const double estimate = trials[k] > 0 ? static_cast<double>(failures[k]) / static_cast<double>(trials[k]) : 0.0;
    bin.rate = {estimate, intervals[k].lower, intervals[k].upper, failures[k], trials[k], confidence};
  }
  return curve;
}

FAULTLINE_INLINE ResponseCurve response_curve(std::string property, std::span<const double> values,
                                              std::span<const std::uint8_t> failed, const ResponseBinning& binning) {
  const std::vector<double> edges = response_edges(values, binning);
  return response_curve(std::move(property), values, failed, edges, binning.confidence);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
