// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Does a property go with failure in all classes alike, or in some only? (method section 10)

#include <faultline/analysis/paper/paper_report.hpp>
#include <faultline/analysis/problem/problem.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {

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
  struct Moments {
    double n = 0.0, mean = 0.0, squares = 0.0;
    void add(double value) {  // Welford
      n += 1.0;
      const double off = value - mean;
      mean += off / n;
      squares += off * (value - mean);
    }
  };
  std::vector<PropertySpread> spreads;
  for (std::size_t p = 0; p < problem.property_names.size(); ++p) {
    std::vector<Moments> failing(static_cast<std::size_t>(problem.classes)), passing(failing.size()),
        all(failing.size());
    for (std::int64_t i = 0; i < population.size(); ++i) {
      const auto label = static_cast<std::size_t>(population.label[static_cast<std::size_t>(i)]);
      const auto value = static_cast<double>(population.properties(i, static_cast<std::int64_t>(p)));
      (population.failed[static_cast<std::size_t>(i)] != 0 ? failing : passing)[label].add(value);
      all[label].add(value);
    }
    double squares = 0.0, freedom = 0.0;
    for (const Moments& m : all) squares += m.squares, freedom += std::max(0.0, m.n - 1.0);
    const double variance = freedom > 0.0 ? squares / freedom : 0.0;
    PropertySpread& spread = spreads.emplace_back();
    spread.name = problem.property_names[p];
    spread.by_class.resize(failing.size());
    if (!(variance > 0.0)) continue;

    std::vector<double> effects, errors;  // of the classes that are used, with squared standard errors
    for (std::size_t c = 0; c < failing.size(); ++c) {
      if (failing[c].n < fewest || passing[c].n < fewest) continue;
      const double effect = (failing[c].mean - passing[c].mean) / std::sqrt(variance);
      spread.by_class[c] = effect;
      effects.push_back(effect);
      errors.push_back(1.0 / failing[c].n + 1.0 / passing[c].n);
    }
    double between = 0.0;
    // First with the sampling errors alone, which gives the variance between classes, then with both
    for (const bool final : {false, true}) {
      double weights = 0.0, squared = 0.0, sum = 0.0, scatter = 0.0;
      for (std::size_t k = 0; k < effects.size(); ++k) {
        const double weight = 1.0 / (errors[k] + between);
        weights += weight, squared += weight * weight, sum += weight * effects[k];
      }
      if (!(weights > 0.0)) break;
      spread.common = sum / weights;
      spread.error = 1.0 / std::sqrt(weights);
      if (final) break;
      for (std::size_t k = 0; k < effects.size(); ++k)
        scatter += (effects[k] - spread.common) * (effects[k] - spread.common) / errors[k];
      const double scale = weights - squared / weights;
      between = scale > 0.0 ? std::max(0.0, (scatter - static_cast<double>(effects.size() - 1)) / scale) : 0.0;
      spread.spread = std::sqrt(between);
    }
  }
  return spreads;
}

}  // namespace v1
}  // namespace faultline
