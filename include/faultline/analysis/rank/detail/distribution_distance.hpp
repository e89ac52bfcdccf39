// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How far the distributions of failures and successes lie apart within classes: unlike a mean difference, this sees a
// channel that is too small and too large alike.

#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

struct DistributionDistances {
  double kolmogorov_smirnov = 0.0;  ///< largest distance of the distribution functions, 0 .. 1
  double wasserstein = 0.0;         ///< area between them, in units of the values
};

/// Distances of the empirical distribution functions F (failures) and W (successes) in each class, averaged with the
/// weights of the strata.
///
/// **Formula**: sup |F − W| and ∫ |F − W| over the merged, sorted values (Villani 2003, 2.2: the one-dimensional
/// transport distance is this area). Both are positive even between samples of one distribution, by about n_eff^-½
/// times the deviation.
[[nodiscard]] inline DistributionDistances stratified_distances(std::span<const double> values,
                                                                std::span<const std::int64_t> labels,
                                                                std::span<const std::uint8_t> failed,
                                                                const statistics::Strata& strata) {
  statistics::require_outcomes("stratified_distances", static_cast<std::int64_t>(values.size()), labels, failed);
  struct Item {
    double value;
    bool failed;
  };
  std::vector<std::vector<Item>> classes(static_cast<std::size_t>(strata.classes()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (strata.uses(labels[i])) classes[static_cast<std::size_t>(labels[i])].push_back({values[i], failed[i] != 0});
  }
  DistributionDistances distances;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    auto& items = classes[c];
    if (items.empty()) continue;
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.value < b.value; });
    const auto m = static_cast<double>(strata.failures[c]);
    const auto n = static_cast<double>(strata.successes[c]);
    double gap = 0.0;
    double largest = 0.0;
    double area = 0.0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      gap += items[i].failed ? 1.0 / m : -1.0 / n;
      if (i + 1 < items.size() && !(items[i].value < items[i + 1].value)) continue;  // equal values step together
      largest = std::max(largest, std::abs(gap));
      if (i + 1 < items.size()) area += std::abs(gap) * (items[i + 1].value - items[i].value);
    }
    const double weight = strata.weights[c] / strata.effective_failures;
    distances.kolmogorov_smirnov += weight * largest;
    distances.wasserstein += weight * area;
  }
  return distances;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
