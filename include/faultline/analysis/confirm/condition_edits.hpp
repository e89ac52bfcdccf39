// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How the latents are moved so that one condition changes and the others stay (method.md: Causes).

#include <faultline/analysis/conditions/condition.hpp>
#include <faultline/analysis/confirm/confirm_conditions.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/whitening.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How a condition is moved.
struct ConditionEdit {
  Movability movability = Movability::movable;
  ConditionShape shape = ConditionShape::one_sided;
  int sign = 1;  ///< direction of failure along the first direction; of a pair, of the product
  /// Scores (normal, of the first projection) between −2 and +2 at which the fitted effect is largest and smallest
  double worst = 2.0;
  double best = -2.0;
  /// `[m, r]` unit vectors: the coordinates of w̃ that are the condition, two for a pair
  Matrix<double> reading_vectors = {};
  Matrix<double> directions = {};  ///< `[m, r]` unit vectors along which they move with the others held
  Matrix<double> steps = {};       ///< `[m, w_dim]` the same as steps of w by one standard deviation
  /// `[P]` what moving from −2 to +2 along the first direction does to every property, in within-class deviations
  std::vector<double> property_effects = {};
  std::optional<std::int64_t> held_back = std::nullopt;  ///< the property that moves along when it is not separable
};

/// Latents on which edits are calibrated when interventions may use so many images: one for a hundred, from 32 to 256.
[[nodiscard]] constexpr std::int64_t calibration_latents(std::int64_t intervention_images) {
  return std::clamp<std::int64_t>(intervention_images / 100, 32, 256);
}

/// Plans the edits of conditions.
///
/// **Formula**: what every property does along the reading vector of each condition is measured once, on `latents`
/// latents moved by ±2; the edit of a condition is the combination of the reading vectors along which its property
/// moves and those that are held stay, T⁻ᵀe, of unit length. Held are the stronger conditions, in their order, each
/// unless less than a whole deviation between −2 and +2 would be left; then whatever else moves along so far that the
/// fitted model sees more than a quarter of the change of the logit come through it. A property that follows others by
/// what it is (`Property::specific`) is not held while a specific one moves. Twice the edit is measured and what the
/// held ones still moved is taken back. A property that moves by less than half a deviation is not movable, and a
/// condition is not separable from another through which more than a quarter of the change still comes (a weaker one
/// with nearly the same reading vector is another name for it and does not count), and the weaker of two that are moved
/// by the same edit from the other. A property without a reading vector moves along the leading second-moment direction
/// of it, a direction by itself. The shapes of the effects are those of one spline for each condition, fitted together
/// on the discovery split: two ends fail where the fit predicts that moving both ways, compared with not moving,
/// changes the failure rate by more than one end compared with the other.
/// **Shapes**: `discovery` is the sample of the selection. **Throws** what answering edits throws. **Cost**: at most 8
/// · `latents` images per condition.
[[nodiscard]] std::vector<ConditionEdit> plan_edits(const Problem& problem, const statistics::Whitening& whitening,
                                                    const ReadingVectors& reading_vectors,
                                                    const ConditionSample& discovery, const Conditions& conditions,
                                                    std::int64_t latents = calibration_latents(30'000));

/// Directions that move one property each, towards more, with the other properties held: the dual basis of the reading
/// vectors of all candidates that w predicts with R² ≥ `least_r_squared`. No outcome enters, so that distances of
/// several classifiers along them compare.
[[nodiscard]] std::vector<Direction> property_directions(const Problem& problem, const statistics::Whitening& whitening,
                                                         const ReadingVectors& reading_vectors);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/condition_edits_impl.hpp>
#endif
