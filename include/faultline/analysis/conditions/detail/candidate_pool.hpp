// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The three families that candidate directions come from: measured properties, independent components, style channels
// (method section 5.1).

#include <faultline/analysis/conditions/detail/forward_selection.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/statistics/whitening.hpp>

#include <cstdint>
#include <span>
#include <string>
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
[[nodiscard]] std::vector<std::int64_t> candidate_properties(const Problem& problem);

[[nodiscard]] Matrix<float> columns(const Matrix<float>& values, std::span<const std::int64_t> positions);

/// All candidates of the discovery half, whose coordinates are `whitened` `[N, r]`. Outcomes are not looked at.
[[nodiscard]] NamedPool make_pool(const Problem& problem, const statistics::Whitening& whitening,
                                  const Matrix<double>& whitened);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/conditions/detail/candidate_pool_impl.hpp>
#endif
