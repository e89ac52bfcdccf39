// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What is compared when a condition is moved, and the edits that this takes (method section 5.4).

#include <faultline/analysis/confirm/condition_moves.hpp>
#include <faultline/analysis/problem/edit.hpp>
#include <faultline/statistics/whitening.hpp>

#include <optional>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// One comparison: moves of a latent with weights that add up to its effect. A move goes `amount` standard deviations
/// along each row, or until the first reading stands at a level.
struct MoveComparison {
  struct Part {
    std::vector<double> amounts;  ///< one per row of the move; empty: not moved
    std::optional<double> level;  ///< of the first row instead
    double weight = 0.0;
  };
  std::vector<Part> parts;
};

/// How a condition that moves like this is compared: one comparison, for a subspace two along each of its directions.
[[nodiscard]] std::vector<MoveComparison> comparisons_of(const ConditionMove& move);

/// The edit that a part of a comparison makes of a latent whose first reading is `now`, which edits to a level need.
[[nodiscard]] Edit edit_of(const MoveComparison::Part& part, const ConditionMove& move, double now);

/// The first reading of a latent.
[[nodiscard]] double first_reading(const ConditionMove& move, const statistics::Whitening& whitening,
                                   const StartLatent& start);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/move_comparisons_impl.hpp>
#endif
