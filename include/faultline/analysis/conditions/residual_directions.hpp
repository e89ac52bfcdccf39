// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Directions of w along which failures still go once a model has explained what it can: the conditions that no property
// names (method.md: Conditions, phase 2).

#include <faultline/analysis/conditions/term.hpp>
#include <faultline/statistics/logistic_regression.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Orthonormal basis of the reading vectors of the properties that terms use, and of the terms' own directions:
/// `[k, r]`. Further directions are sought off it.
[[nodiscard]] Matrix<double> spanned_by(std::span<const Term> terms, const ReadingVectors& reading_vectors);

/// The direction along which the residuals of a fit grow, off `held`: a term with one direction, or none when the
/// residuals have no linear part.
///
/// **Formula**: starts where one Newton step of a linear logit points (consistent for elliptical latents, Li and Duan
/// 1989), then Gauss–Newton steps of the single-index model logit = x·β + h(d·w̃), h a spline that is refitted after
/// every step (unpolished, one threshold is split into two directions).
/// **Shapes**: x `[N, p]` the columns of the model that `fit` is; held `[k, r]` orthonormal rows. With `class_label`
/// only samples of this class count.
/// **Cost**: some six times N r².
[[nodiscard]] std::optional<Term> residual_direction(const ConditionSample& sample, const Matrix<double>& x,
                                                     const statistics::LogisticFit& fit, const Matrix<double>& held,
                                                     std::optional<std::int64_t> class_label = std::nullopt);

/// The directions along which the second moment of failures differs from that of successes, off `held`: failures in
/// the middle, on two sides, or where two coordinates agree (XOR).
///
/// **Formula**: eigenvectors of Σ (f_i − p̂_i) w̃_i w̃_iᵀ whose eigenvalue is beyond the largest of `permutations` draws
/// in which residuals are permuted within classes; exactly the `dimension` largest when it is given.
/// **Randomness**: (seed, Stream::permutations, b). **Cost**: at most 24 · permutations · N r for the draws, N r² + r³
/// for what stands out of them.
[[nodiscard]] std::optional<Term> residual_subspace(const ConditionSample& sample, const statistics::LogisticFit& fit,
                                                    const Matrix<double>& held, std::int64_t seed,
                                                    std::optional<std::int64_t> class_label = std::nullopt,
                                                    std::int64_t dimension = 0, std::int64_t permutations = 19);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/conditions/detail/residual_directions_impl.hpp>
#endif
