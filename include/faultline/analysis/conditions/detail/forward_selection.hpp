// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Forward selection among candidate directions: each chosen one stands for what the earlier ones do not explain (method
// section 5.1).

#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Directions that may be chosen: unit vectors in whitened coordinates, and where each comes from.
struct CandidatePool {
  Matrix<double> vectors;               ///< `[K, r]`, unit rows
  std::vector<DirectionFamily> family;  ///< `[K]`
  std::vector<std::int64_t> source;     ///< `[K]` number of the property, component or channel
};

struct SelectionRules {
  std::int64_t limit = 10;  ///< at most so many directions
  /// a candidate that keeps less of its norm off the chosen ones is no candidate any more
  double remaining_norm = 0.3;
  /// a property is taken before a component before a channel when it reaches this share of the best effect
  double preference = 0.7;
  double alpha = 0.05;  ///< level of the permutation stop
};

struct SelectedDirection {
  std::int64_t candidate = 0;  ///< row of the pool
  std::vector<double> v;       ///< unit vector, orthogonal to all chosen before, positive towards failure
  double effect = 0.0;         ///< stratified difference along v, > 0
};

struct Selection {
  std::vector<SelectedDirection> chosen;
  /// What the best of all candidates had to exceed at the first step
  double first_bar = std::numeric_limits<double>::infinity();
};

/// Chooses directions one by one.
///
/// **Shapes**: difference `[r]` is the stratified difference in whitened coordinates, null `[B, r]` the same under
/// permuted outcomes; `basis` holds orthonormal directions `[q, r]` that everything is projected off first.
/// **Formula**: with v_k the candidate off the chosen ones, scaled to length 1, d_k = v_k · difference; stop when max
/// |d_k| does not exceed the 1 − α point of max |v_k · null_b|.
/// **Cost**: per step K r B multiplications.
[[nodiscard]] Selection forward_select(const CandidatePool& pool, std::span<const double> difference,
                                       const Matrix<double>& null, std::span<const std::vector<double>> basis,
                                       const SelectionRules& rules);

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/conditions/detail/forward_selection_impl.hpp>
#endif
