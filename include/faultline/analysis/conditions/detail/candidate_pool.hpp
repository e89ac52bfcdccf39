// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The three families that candidate directions come from: measured properties, independent components, style channels
// (method section 5.1).

#include <faultline/analysis/conditions/detail/forward_selection.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/fast_ica.hpp>
#include <faultline/statistics/regression.hpp>
#include <faultline/statistics/whitening.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A property that w predicts worse than this is not offered as a direction.
inline constexpr double property_least_r2 = 0.1;
/// A component closer to Gaussian than this is an arbitrary rotation and not offered.
inline constexpr double component_least_kurtosis = 0.5;

/// The pool with what the report says about its making.
struct NamedPool {
  detail::CandidatePool pool;
  std::vector<double> property_r2;
  std::vector<std::string> warnings;

  /// "noise level", "component 3", "b16.conv1:17".
  [[nodiscard]] std::string name(const Problem& problem, std::size_t candidate) const {
    const std::int64_t source = pool.source[candidate];
    switch (pool.family[candidate]) {
      case DirectionFamily::property: return problem.property_names[static_cast<std::size_t>(source)];
      case DirectionFamily::component: return "component " + std::to_string(source + 1);
      default: break;
    }
    const StyleChannel channel = problem.layout.locate(source);
    return problem.layout.layers()[static_cast<std::size_t>(channel.layer)].name + ":" +
           std::to_string(channel.channel);
  }
};

/// Positions of the properties that may become candidate directions.
[[nodiscard]] inline std::vector<std::int64_t> candidate_properties(const Problem& problem) {
  std::vector<std::int64_t> positions;
  for (std::size_t p = 0; p < problem.property_names.size(); ++p)
    if (problem.property_candidates.empty() || problem.property_candidates[p] != 0)
      positions.push_back(static_cast<std::int64_t>(p));
  return positions;
}

[[nodiscard]] inline Matrix<float> columns(const Matrix<float>& values, std::span<const std::int64_t> positions) {
  Matrix<float> out(values.rows(), static_cast<std::int64_t>(positions.size()));
  for (std::int64_t i = 0; i < values.rows(); ++i)
    for (std::size_t k = 0; k < positions.size(); ++k) out(i, static_cast<std::int64_t>(k)) = values(i, positions[k]);
  return out;
}

/// All candidates of the discovery half, whose coordinates are `whitened` `[N, r]`. Outcomes are not looked at.
[[nodiscard]] inline NamedPool make_pool(const Problem& problem, const statistics::Whitening& whitening,
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
  const statistics::ReadingDirections channels = statistics::reading_directions(whitening, problem.style_matrix);
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
