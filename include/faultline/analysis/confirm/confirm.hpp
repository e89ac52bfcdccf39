// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Confirmation: frozen directions are put to the test on samples that had no part in choosing them (method section
// 5.2).

#include <faultline/analysis/conditions/candidates.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/statistics/stratified.hpp>

#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What confirmation says about all frozen candidates together.
struct Confirmation {
  std::vector<ConfirmationEffect> effects;  ///< one per candidate
  /// Share of the bias-free Mahalanobis d² of the candidate's classes, one per candidate
  std::vector<double> explained;
};

/// d² off its bias: E |difference|² = true + dimensions / n_eff.
[[nodiscard]] double unbiased_square(double square, double dimensions, double effective) noexcept;

/// What share of everything a linear rule can explain lies in the span of `directions` (unit vectors, not necessarily
/// orthogonal).
[[nodiscard]] double explained_together(std::span<const double> difference,
                                        std::span<const std::vector<double>> directions, double effective);

/// Tests every frozen candidate on the confirmation half.
///
/// **Shapes**: whitened `[N, r]` are the confirmation half in the coordinates fitted on discovery.
/// **Formula**: one-sided stratified Welch t of v·w̃, outcomes permuted within classes; Holm and Benjamini–Hochberg
/// over all candidates, common and class-specific together. Explained share: (d_j² − 1/n_eff) / (Σ d² − r/n_eff), both
/// measured here, in the candidate's class when it belongs to one.
/// **Error rate**: any false `p_adjusted` ≤ α occurs in at most a share α of runs (family-wise).
/// **Randomness**: (seed, Stream::permutations, 2^40 + b). **Cost**: no generator or classifier calls.
[[nodiscard]] Confirmation confirm(const Problem& problem, const Matrix<double>& whitened,
                                   const statistics::Strata& strata, std::span<const FrozenCandidate> candidates,
                                   const MethodOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/confirm_impl.hpp>
#endif
