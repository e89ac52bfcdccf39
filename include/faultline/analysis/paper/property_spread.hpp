// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Does a property go with failure in all classes alike, or in some only? (method section 10)

#include <faultline/analysis/paper/paper_report.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/pooled_effect.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

/// One `PropertySpread` per measured property of a population.
///
/// **Formula**: d_c = (mean of failures − mean of successes)_c / σ, σ the pooled within-class standard deviation, with
/// sampling variance 1 / m_c + 1 / n_c (m_c failures, n_c successes); `common` and `spread` are mean and deviation of a
/// random-effects model, moment estimate (DerSimonian and Laird 1986). A property with |common| far above spread goes
/// with failure everywhere; one with spread above
/// |common| goes with it in some classes, or in opposite directions.
/// **Error rate**: association, not cause; nothing is tested. Properties that do not vary score 0. **Cost**: no images.
/// Example: `for (const PropertySpread& p : property_spreads(problem, problem.discovery)) use(p.common, p.spread);`
[[nodiscard]] inline std::vector<PropertySpread> property_spreads(const Problem& problem,
                                                                  const Population& population) {
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
