// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/detail/candidate_pool.hpp.

#include <faultline/analysis/conditions/detail/candidate_pool.hpp>
#include <faultline/statistics/fast_ica.hpp>
#include <faultline/statistics/regression.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<std::int64_t> candidate_properties(const Problem& problem) {
  std::vector<std::int64_t> positions;
  for (std::size_t p = 0; p < problem.property_names.size(); ++p)
    if (problem.property_candidates.empty() || problem.property_candidates[p] != 0)
      positions.push_back(static_cast<std::int64_t>(p));
  return positions;
}

FAULTLINE_INLINE Matrix<float> columns(const Matrix<float>& values, std::span<const std::int64_t> positions) {
  Matrix<float> out(values.rows(), static_cast<std::int64_t>(positions.size()));
  for (std::int64_t i = 0; i < values.rows(); ++i)
    for (std::size_t k = 0; k < positions.size(); ++k) out(i, static_cast<std::int64_t>(k)) = values(i, positions[k]);
  return out;
}

FAULTLINE_INLINE NamedPool make_pool(const Problem& problem, const statistics::Whitening& whitening,
                                     const Matrix<double>& whitened) {
  const Population& half = problem.discovery;
  NamedPool named;
  std::vector<const double*> rows;
  const auto offer = [&](const double* row, DirectionFamily family, std::int64_t source) {
    rows.push_back(row);
    named.pool.family.push_back(family);
    named.pool.source.push_back(source);
  };

  statistics::PropertyRegression properties;
  statistics::IndependentComponents components;
  const bool enough = whitened.rows() > 2 * (whitening.rank() + problem.classes);
  if (!enough)
    named.warnings.push_back(
        "There are too few samples for the dimension of w to look for property directions and components; only style "
        "channels were candidates.");
  if (enough && half.properties.cols() > 0) {
    const auto fit = statistics::regress_on_properties(whitened, half.properties, half.label, problem.classes);
    for (const double r2 : fit.r_squared) named.property_r2.push_back(std::clamp(r2, 0.0, 1.0));
    // Candidates hold the other candidates, not what only gives names: a direction must not depend on how finely its
    // side effects are looked at.
    const std::vector<std::int64_t> candidates = candidate_properties(problem);
    properties = candidates.size() == fit.r_squared.size()
                     ? fit
                     : statistics::regress_on_properties(whitened, columns(half.properties, candidates), half.label,
                                                         problem.classes);
    for (std::int64_t k = 0; k < properties.directions.rows(); ++k) {
      const std::int64_t p = candidates[static_cast<std::size_t>(k)];
      if (named.property_r2[static_cast<std::size_t>(p)] >= property_least_r2)
        offer(properties.directions.row_span(k).data(), DirectionFamily::property, p);
    }
  } else {
    named.property_r2.assign(problem.property_names.size(), 0.0);
  }
  if (enough) {
    components = statistics::fast_ica(whitened, {.least_kurtosis = component_least_kurtosis, .seed = problem.seed});
    for (std::int64_t k = 0; k < components.directions.rows(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      if (std::abs(components.excess_kurtosis[at]) >= component_least_kurtosis && components.settled[at] != 0)
        offer(components.directions.row_span(k).data(), DirectionFamily::component, k);
    }
  }
  const statistics::ProjectionDirections channels = statistics::projection_directions(whitening, problem.style_matrix);
  const double largest =
      channels.deviations.empty() ? 0.0 : *std::max_element(channels.deviations.begin(), channels.deviations.end());
  for (std::int64_t k = 0; k < channels.directions.rows(); ++k) {
    // A channel that hardly varies is all rounding: its direction is arbitrary.
    if (channels.deviations[static_cast<std::size_t>(k)] > 1e-6 * largest)
      offer(channels.directions.row_span(k).data(), DirectionFamily::channel, k);
  }

  named.pool.vectors.resize(static_cast<std::int64_t>(rows.size()), whitening.rank());
  for (std::size_t k = 0; k < rows.size(); ++k)
    std::copy_n(rows[k], whitening.rank(), named.pool.vectors.row_span(static_cast<std::int64_t>(k)).data());
  return named;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
