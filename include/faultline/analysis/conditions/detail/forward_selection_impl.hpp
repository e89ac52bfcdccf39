// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/detail/forward_selection.hpp.

#include <faultline/analysis/conditions/detail/forward_selection.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>
#include <faultline/statistics/permutation.hpp>
#include <faultline/statistics/permutation_maximum.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

FAULTLINE_INLINE Selection forward_select(const CandidatePool& pool, std::span<const double> difference,
                                          const Matrix<double>& null, std::span<const std::vector<double>> basis,
                                          const SelectionRules& rules) {
  Selection selection;
  Matrix<double> residual = pool.vectors;
  const std::int64_t count = residual.rows();
  for (const auto& v : basis) {
    for (std::int64_t k = 0; k < count; ++k) statistics::project_off(residual.row_span(k), v);
  }
  Matrix<double> unit(count, residual.cols());
  for (std::int64_t step = 0; step < rules.limit; ++step) {
    // Those left as unit rows; the others as zeros, which can neither win nor raise the bar.
    std::array<std::int64_t, 3> best_of = {-1, -1, -1};
    std::vector<double> effect(static_cast<std::size_t>(count), 0.0);
    double largest = 0.0;
    for (std::int64_t k = 0; k < count; ++k) {
      const double norm = std::sqrt(core::dot(residual.row_span(k), residual.row_span(k)));
      const bool left = norm >= rules.remaining_norm;
      for (std::int64_t j = 0; j < residual.cols(); ++j) unit(k, j) = left ? residual(k, j) / norm : 0.0;
      if (!left) continue;
      const auto at = static_cast<std::size_t>(k);
      effect[at] = core::dot(unit.row_span(k), difference);
      largest = std::max(largest, std::abs(effect[at]));
      std::int64_t& family = best_of[static_cast<std::size_t>(pool.family[at])];
      if (family < 0 || std::abs(effect[at]) > std::abs(effect[static_cast<std::size_t>(family)])) family = k;
    }
    if (!(largest > 0.0)) break;
    const double bar = statistics::permutation_point(statistics::largest_effects(null, unit), rules.alpha);
    if (step == 0) selection.first_bar = bar;
    if (!(largest > bar)) break;

    std::int64_t taken = -1;
    for (const std::int64_t candidate : best_of) {  // property, component, channel
      if (candidate < 0 || std::abs(effect[static_cast<std::size_t>(candidate)]) < rules.preference * largest) continue;
      taken = candidate;
      break;
    }
    SelectedDirection direction;
    direction.candidate = taken;
    direction.effect = std::abs(effect[static_cast<std::size_t>(taken)]);
    direction.v.assign(unit.row_span(taken).begin(), unit.row_span(taken).end());
    if (effect[static_cast<std::size_t>(taken)] < 0.0) {
      for (double& value : direction.v) value = -value;
    }
    for (std::int64_t k = 0; k < count; ++k) statistics::project_off(residual.row_span(k), direction.v);
    selection.chosen.push_back(std::move(direction));
  }
  return selection;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
