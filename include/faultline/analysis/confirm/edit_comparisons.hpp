// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What is compared when a condition is moved, and the edits that this takes (method.md: Causes).

#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/analysis/problem/edit.hpp>
#include <faultline/statistics/whitening.hpp>

#include <optional>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// One comparison: edits of a latent with weights that add up to its effect. An edit goes `amount` standard deviations
/// along each row, or until the first projection is at a level.
struct EditComparison {
  struct Part {
    std::vector<double> amounts;  ///< one per row of the edit; empty: not moved
    std::optional<double> level;  ///< of the first row instead
    double weight = 0.0;
  };
  std::vector<Part> parts;
};

/// How a condition that moves like this is compared: one comparison, for a subspace two along each of its directions.
[[nodiscard]] std::vector<EditComparison> comparisons_of(const ConditionEdit& edit);

/// The edit that a part of a comparison makes of a latent whose first projection is `now`, which edits to a level need.
[[nodiscard]] Edit edit_of(const EditComparison::Part& part, const ConditionEdit& edit, double now);

/// The projection of a latent on the first reading vector.
[[nodiscard]] double first_projection(const ConditionEdit& edit, const statistics::Whitening& whitening,
                                      const StartLatent& start);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/edit_comparisons_impl.hpp>
#endif
