// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/placebo.hpp.

#include <faultline/analysis/confirm/placebo.hpp>

#include <faultline/analysis/problem/valid_failures.hpp>
#include <faultline/analysis/confirm/intervention_directions.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::optional<double> placebo_effect(const Problem& problem, const statistics::Whitening& whitening,
                                                      const Population& latents, std::span<const ConditionEdit> planned,
                                                      std::int64_t directions, std::int64_t count) {
  std::vector<std::vector<double>> vectors;
  for (const ConditionEdit& edit : planned)
    for (Eigen::Index m = 0; m < edit.reading_vectors.rows(); ++m)
      vectors.push_back(core::to_list(core::as_vector(edit.reading_vectors.row_span(m))));
  const auto basis = statistics::orthonormal_basis(vectors, 1e-3);
  const std::int64_t n = std::min(count, latents.size());
  if (n == 0 || directions == 0 || static_cast<std::int64_t>(basis.size()) >= whitening.rank()) return std::nullopt;
  const Matrix<double> v = placebo_directions(directions, whitening.rank(), basis, problem.seed);
  const Matrix<double> steps = statistics::unwhiten_directions(whitening, v);
  std::vector<EditedLatent> edits;
  for (std::int64_t j = 0; j < directions; ++j) {
    const Edit step = Edit::in_w(steps.row_span(j));
    for (std::int64_t i = 0; i < n; ++i)
      for (const double amount : {2.0, -2.0})
        edits.push_back({{latents.w.row_span(i), latents.label[static_cast<std::size_t>(i)]}, step.at(amount)});
  }
  const std::vector<double> failed = answer_valid(problem, edits).failed;
  std::vector<double> effects(static_cast<std::size_t>(directions), 0.0);
  for (std::size_t k = 0; k < failed.size(); ++k)
    effects[k / static_cast<std::size_t>(2 * n)] += (k % 2 == 0 ? 1.0 : -1.0) * failed[k] / static_cast<double>(n);
  std::sort(effects.begin(), effects.end());
  return statistics::quantile(effects, 0.95);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
