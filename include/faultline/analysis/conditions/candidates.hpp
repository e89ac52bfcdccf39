// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Candidate directions from the discovery half: chosen here, frozen, and judged elsewhere (method section 5.1).

#include <faultline/analysis/conditions/detail/candidate_pool.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/statistics/stratified.hpp>
#include <faultline/statistics/whitening.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A direction whose choice is final. `direction.w` and `v` point towards failure; `direction.explained` is left for
/// the confirmation half to fill.
struct FrozenCandidate {
  Direction direction;
  std::vector<double> v;  ///< unit vector in whitened coordinates, the same as `direction.whitened`
  std::optional<std::int64_t> class_label = std::nullopt;
  double discovery_effect = 0.0;
  double discovery_auc = 0.5;
};

/// What the discovery half offers.
struct Candidates {
  std::vector<FrozenCandidate> frozen;  ///< common ones in order of choice, then those of class 0, 1, ...
  /// Stratified effect that the best of all candidates had to exceed to be chosen first
  double detection_bar = 0.0;
  std::vector<double> property_r2;  ///< per property: how well w predicts it within classes
  /// The directions of the properties that were offered, towards more; no outcome was looked at
  std::vector<Direction> properties;
  std::vector<std::string> warnings;
};

/// The coordinate v·w̃ of every sample.
[[nodiscard]] std::vector<double> coordinate(const Matrix<double>& whitened, std::span<const double> v);

/// Candidate number `at` of the pool, moving along the unit vector v.
[[nodiscard]] Direction candidate_direction(const NamedPool& named, const Problem& problem,
                                            const statistics::Whitening& whitening, std::size_t at,
                                            std::vector<double> v, std::optional<std::int64_t> label);

/// The directions of the properties in the pool, towards more.
[[nodiscard]] std::vector<Direction> property_directions(const NamedPool& named, const Problem& problem,
                                                         const statistics::Whitening& whitening);

/// `find_candidates` among directions that are given: `whitened` and `strata` may be of a part of the samples that the
/// pool was made from.
[[nodiscard]] Candidates choose_candidates(const NamedPool& named, const Problem& problem,
                                           const statistics::Whitening& whitening, const Matrix<double>& whitened,
                                           const statistics::Strata& strata, const MethodOptions& options);

/// Finds and freezes candidates: up to `common_candidates` directions common to all classes, then up to
/// `class_candidates` per class with the common ones projected off.
///
/// **Shapes**: whitened `[N, r]` are the coordinates of the discovery half.
/// **Formula**: three families (properties, independent components, style channels), forward selection with a
/// permutation stop; see `detail::forward_select`.
/// **Error rate**: the stop lets a first common candidate through in 5 % of null runs, and one of each class likewise;
/// it claims nothing, confirmation does.
/// **Randomness**: permutations of (seed, Stream::permutations, discovery replicates). **Cost**: no generator or
/// classifier calls.
[[nodiscard]] Candidates find_candidates(const Problem& problem, const statistics::Whitening& whitening,
                                         const Matrix<double>& whitened, const statistics::Strata& strata,
                                         const MethodOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/conditions/detail/candidates_impl.hpp>
#endif
