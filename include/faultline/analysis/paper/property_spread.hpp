// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Does a property go with failure in all classes alike, or in some only? (method.md: Global and class-specific)

#include <faultline/analysis/paper/paper_report.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/sampling/population.hpp>

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
[[nodiscard]] std::vector<PropertySpread> property_spreads(const Problem& problem, const Population& population);

}  // namespace paper
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/paper/detail/property_spread_impl.hpp>
#endif
