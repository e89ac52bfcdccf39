// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/paper/property_spread.hpp.

#include <faultline/analysis/paper/property_spread.hpp>

#include <faultline/statistics/pooled_effect.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

FAULTLINE_INLINE std::vector<PropertySpread> property_spreads(const Problem& problem, const Population& population) {
  constexpr double fewest = 5.0;
  const Matrix<float>& values = population.properties;
  const statistics::GroupMeans means =
      statistics::group_means("property_spreads", values, population.label, problem.classes);
  const std::vector<double> deviations =
      statistics::within_deviations(values, population.label, means, means.freedom(), 0.0);
  std::vector<std::int64_t> group(population.label.size());
  for (std::size_t i = 0; i < group.size(); ++i)
    group[i] = statistics::outcome_group(population.label[i], population.failed[i] != 0);
  const statistics::GroupMeans by_outcome =
      statistics::group_means("property_spreads", values, group, 2 * problem.classes);
  std::vector<PropertySpread> spreads;
  for (std::size_t p = 0; p < problem.property_names.size(); ++p) {
    PropertySpread& spread = spreads.emplace_back();
    spread.name = problem.property_names[p];
    spread.by_class.resize(static_cast<std::size_t>(problem.classes));
    if (!(deviations[p] > 0.0)) continue;

    std::vector<double> effects, variances;  // of the classes that are used
    for (std::int64_t c = 0; c < problem.classes; ++c) {
      const std::int64_t failing = statistics::outcome_group(c, true), right = statistics::outcome_group(c, false);
      const double m = by_outcome.count[static_cast<std::size_t>(failing)];
      const double n = by_outcome.count[static_cast<std::size_t>(right)];
      if (m < fewest || n < fewest) continue;
      const auto column = static_cast<std::int64_t>(p);
      effects.push_back((by_outcome.mean(failing, column) - by_outcome.mean(right, column)) / deviations[p]);
      variances.push_back(1.0 / m + 1.0 / n);
      spread.by_class[static_cast<std::size_t>(c)] = effects.back();
    }
    const statistics::RandomEffects together = statistics::random_effects(effects, variances);
    spread.common = together.mean;
    spread.error = together.error;
    spread.spread = together.deviation;
  }
  return spreads;
}

}  // namespace paper
}  // namespace v1
}  // namespace faultline
