// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Paths through w or along style channels, followed until the classifier gives way: the searches under the distances to
// failure (method.md: Distances to failure).

#include <faultline/analysis/distance/boundary_search.hpp>
#include <faultline/analysis/distance/detail/crossing_search.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// The shared grid: every 1.25 standard deviations up to 10.
inline constexpr std::size_t grid_points = 8;
inline constexpr double grid_step = 1.25;
inline constexpr double crossing_tolerance = 0.01;
/// How often a crossing is refined at most: 1.25 / 2^7 < .01.
inline constexpr int refinement_limit = 7;

[[nodiscard]] SearchRules distance_rules();

/// What the failing end of a crossing looks like beside its start.
struct FailingImage {
  double rms = 0.0;
  double ssim = 1.0;
  std::optional<bool> judge_agrees = std::nullopt;
  std::vector<float> properties = {};  ///< [P], measured at the flip where it was asked for
};

/// One start latent along one edit, with both boundaries: p(y) = .5 and the flip of the outcome.
struct DistanceSearch : BoundarySearch {
  DistanceSearch(EditPath along, double probability, bool failed) : probability0(probability), failed0(failed) {
    const double p = std::clamp(probability, 1e-9, 1.0 - 1e-9);
    path = std::move(along);
    decisions = {{until_even_odds}, {until_failure}};
    start = {starts_above_even_odds() ? until_even_odds({failed, p, std::log(p / (1.0 - p))}) : 0.0,
             failed ? -1.0 : 1.0};
    found.resize(2);
  }

  double probability0;           ///< p(y) unmoved
  bool failed0;                  ///< outcome unmoved
  std::size_t start_number = 0;  ///< number of its start image
  double coordinate0 = 0.0;      ///< coordinate of the start within its class, in standard deviations
  FailingImage even_odds_image = {}, flip_image = {};
  std::optional<double> paper = std::nullopt;  ///< the paper's search, where it was asked for

  [[nodiscard]] CrossingSearch& even_odds() noexcept { return found[0]; }
  [[nodiscard]] const CrossingSearch& even_odds() const noexcept { return found[0]; }
  [[nodiscard]] CrossingSearch& flip() noexcept { return found[1]; }
  [[nodiscard]] const CrossingSearch& flip() const noexcept { return found[1]; }
  [[nodiscard]] bool starts_above_even_odds() const noexcept { return probability0 > 0.5; }
  /// Whether the profile, once beyond p = .5 (or failing), returns on a later grid point.
  [[nodiscard]] bool even_odds_comes_back() const noexcept { return comes_back(until_even_odds); }
  [[nodiscard]] bool flip_comes_back() const noexcept { return comes_back(until_failure); }

 private:
  [[nodiscard]] bool comes_back(double (*value)(const Answer&)) const noexcept {
    const auto before = [value](const std::vector<Answer>& answers) { return value(answers.front()) > 0.0; };
    return std::any_of(std::find_if_not(grid.begin(), grid.end(), before), grid.end(), before);
  }
};

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/distance_search_impl.hpp>
#endif
