// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How two clouds of feature vectors cover each other, by balls that reach to near neighbours: precision, recall,
// density, coverage. Precision and recall after Kynkäänniemi et al. (2019), density and coverage after Naeem et al.
// (2020).

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>

#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// What `manifold_quality` measures. All but the density lie in 0 .. 1.
struct ManifoldQuality {
  /// Share of generated vectors inside the ball of any real one: does the generator make only what is real?
  double precision = 0.0;
  /// Share of real vectors inside the ball of any generated one: does it make all that is real?
  double recall = 0.0;
  /// Real balls around a generated vector over `coverage_neighbours`, on average: precision that outliers do not
  /// inflate; may exceed 1
  double density = 0.0;
  /// Share of real balls with a generated vector inside: recall that outliers do not inflate
  double coverage = 0.0;
};

/// Options of `manifold_quality`.
struct ManifoldOptions {
  std::int64_t neighbours = 3;           ///< k of precision and recall
  std::int64_t coverage_neighbours = 5;  ///< k of density and coverage
  std::int64_t threads = 0;              ///< 0: as many as there are; the result does not depend on it
};

/// Compares generated feature vectors with real ones.
///
/// **Shapes**: real `[N, F]`, generated `[M, F]`.
/// **Formula**: the ball of a vector reaches to its k-th nearest neighbour in its own set, itself left out; on the
/// boundary counts as inside. Euclidean distances. Equal sets give precision, recall and coverage 1 (density about 1);
/// sets far apart give 0. Two samples of one distribution give less than 1: measure a second real sample too, and
/// compare with that. Results are exact: distances come from blocked matrix products, and wherever rounding could
/// decide they are taken again from the differences, in double.
/// **Throws** `shape_mismatch` for vectors of different length, `invalid_argument` for options out of range and values
/// that are not finite, `empty_input` when a set has no more vectors than neighbours are asked for.
/// **Cost**: N² + M² + N·M distances; two sets of 10 000 vectors of length 128 take about ten seconds on two cores.
/// Memory for some 4 MB per thread.
/// Example: `ManifoldQuality quality = manifold_quality(features_of_test_images, features_of_generated_images);`
[[nodiscard]] ManifoldQuality manifold_quality(const Matrix<double>& real, const Matrix<double>& generated,
                                               const ManifoldOptions& options = {});

/// Squared distance of every vector to its k-th nearest neighbour in the same set, itself left out; one column per
/// entry of `neighbours`.
///
/// **Shapes**: points `[N, F]` -> `[N, neighbours.size()]`. **Throws** as `manifold_quality`. **Cost**: N² distances.
[[nodiscard]] Matrix<double> neighbour_distances(const Matrix<double>& points,
                                                 const std::vector<std::int64_t>& neighbours, std::int64_t threads = 0);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/manifold_quality_impl.hpp>
#endif
