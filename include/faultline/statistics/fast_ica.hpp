// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Independent components of whitened coordinates: directions of variation found without properties or labels (method
// section 5.1).

#include <faultline/core/matrix.hpp>
#include <faultline/core/ranges.hpp>

#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

struct FastIcaOptions {
  /// Of each search among all components not yet found, and of the refinement of those found
  std::int64_t max_iterations = 40;
  /// Further searches, each in what is left, as long as the one before found something
  std::int64_t searches = 5;
  double tolerance = 1e-4;      ///< change of a component between iterations, 1 − |cos|, that counts as none
  double least_kurtosis = 0.5;  ///< |excess kurtosis| from which a component is worth following to rest
  std::int64_t seed = 0;        ///< of the random orthogonal start
};

/// Independent components, the least Gaussian first.
struct IndependentComponents {
  Matrix<double> directions;  ///< `[r, r]`, orthonormal rows, each with its largest entry positive
  /// `[r]`, of v·w̃. Components near 0 are Gaussian to the eye: an arbitrary rotation of each other
  std::vector<double> excess_kurtosis;
  /// `[r]`, 1 where the component came to rest; those below `least_kurtosis` never do
  std::vector<std::uint8_t> settled;
  std::int64_t iterations = 0;
  /// Whether every component of at least `least_kurtosis` that was found came to rest
  bool converged = false;
};

/// Address of the start matrices among the permutation draws: far beyond any replicate.
inline constexpr std::int64_t ica_start_first = std::int64_t{1} << 50;

/// Excess kurtosis of every column: 0 for a Gaussian, positive for heavy tails, −1.2 for a uniform distribution.
[[nodiscard]] std::vector<double> excess_kurtosis(const Matrix<double>& projected);

/// tanh to 1e-4 by Lambert's continued fraction: the iteration needs a smooth sigmoid, not this one, and std::tanh
/// would take most of its time.
[[nodiscard]] float sigmoid(float x) noexcept;

/// One fixed-point step of the rows of w: E[tanh(W x) xᵀ] − diag(E[1 − tanh²(W x)]) W, then decorrelated. Sums of 512
/// samples in float, beyond that in double.
[[nodiscard]] Matrix<double> ica_step(const Matrix<float>& x, const Matrix<double>& w);

/// 1 − |cos| between corresponding rows.
[[nodiscard]] std::vector<double> row_changes(const Matrix<double>& before, const Matrix<double>& after);

/// The given rows of a matrix.
[[nodiscard]] Matrix<double> take_rows(const Matrix<double>& m, const std::vector<std::int64_t>& rows);

/// Positions from the largest to the smallest magnitude.
[[nodiscard]] std::vector<std::int64_t> by_magnitude(const std::vector<double>& values);

/// The rows of `top`, then rows first .. last − 1 of `bottom`.
[[nodiscard]] Matrix<double> stack_rows(const Matrix<double>& top, const Matrix<double>& bottom, std::int64_t first,
                                        std::int64_t last);

/// A random rotation, the start of a search.
[[nodiscard]] Matrix<double> random_rotation(std::int64_t r, std::int64_t seed, std::int64_t search);

/// Iterates all rows until those that are not Gaussian hardly move and no further one emerges; returns how many those
/// are, sorted to the front.
std::int64_t search_components(const Matrix<double>& whitened, Matrix<double>& w, const FastIcaOptions& options,
                               std::int64_t& iterations);

/// Iterates the given components alone until none changes by more than the tolerance; whether they got there.
[[nodiscard]] bool settle_components(const Matrix<float>& x, Matrix<double>& w, const FastIcaOptions& options,
                                     std::int64_t& iterations);

/// Finds independent components by the symmetric fixed-point iteration with the nonlinearity tanh.
///
/// **Shapes**: whitened `[N, r]` with unit covariance, as `whiten` gives it on the samples it was fitted to ->
/// directions `[r, r]`.
/// **Formula**: W ← E[tanh(W x) xᵀ] − diag(E[1 − tanh²(W x)]) W, then W ← (W Wᵀ)^-½ W (Hyvärinen 1999). First for all
/// rows, until the non-Gaussian ones (|excess kurtosis| ≥ `least_kurtosis`) hardly move; then for those alone, because
/// Gaussian rows never come to rest and would keep shaking them; then again in what is left. Not converging is no
/// error: it is in the result, per component. Few samples in many dimensions find mild components that are chance (10
/// 000 in 60: |excess| up to about .5).
/// **Throws** `degenerate_statistics` unless N > r > 0, `invalid_argument` for no iterations.
/// **Randomness**: (seed, Stream::permutations, 2^50 + …) for the starts. **Cost**: per iteration 2 N r²
/// multiplications and N r tanh, in float; memory 2 N r numbers.
/// Example: `auto parts = fast_ica(whitened); // offer row k if |excess_kurtosis[k]| >= .5`
[[nodiscard]] IndependentComponents fast_ica(const Matrix<double>& whitened, const FastIcaOptions& options = {});

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/fast_ica_impl.hpp>
#endif
