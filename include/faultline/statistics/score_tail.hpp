// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Upper tail of a score statistic of independent outcomes by saddlepoint approximation: the p-value of a frozen term
// of an additive logistic regression (method.md: Conditions).

#include <faultline/config.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// P(S ≥ observed) for S = Σ h_i (f_i − p_i) with independent f_i ~ Bernoulli(p_i): one-sided p-value of an efficient
/// score whose weights h point towards failure.
///
/// **Shapes**: probability p `[n]` in [0, 1], weight h `[n]` finite, of either sign; terms with h = 0 or p of exactly 0
/// or 1 do not vary and are left out. Where nothing varies the answer is 1: no evidence.
/// **Formula**: 1 − Φ(w) + φ(w) (1/u − 1/w) with K(t) = log E exp(tS), K'(t̂) = observed, w = sign(t̂) √(2 (t̂ · observed
/// − K(t̂))), u = t̂ √K''(t̂) (Lugannani and Rice 1980; Daniels 1987); near the mean the bracket by its expansion −λ₃/6 +
/// (5λ₃²/24 − λ₄/8) t̂ σ. Never above Chernoff's bound exp(−w²/2) and never below the probability of the largest value,
/// Π p over h > 0 times Π (1 − p) over h < 0, which is returned exactly at the end of the support; 0 beyond it. Where
/// one term outweighs the others the formula may rise again; its largest value from `observed` on is returned, so that
/// the result falls in `observed`.
/// **Accuracy**: against the exact distribution of 400 outcomes, 20 or more of them expected and no weight above .6
/// deviations of S: relative error below .002 for tails down to 1e-6. Of twelve outcomes: absolute error up to .03 for
/// weights within a factor of 3, .15 where one outweighs the others. There is no correction for steps: at a value that
/// S takes, the answer lies between P(S > observed) and P(S ≥ observed). **Error rate**: size .05 and .01 within
/// simulation error with 40, 100 and 400 expected failures and lognormal weights.
/// **Throws** `shape_mismatch` when the lengths differ; `invalid_argument` for a p outside [0, 1] or anything not
/// finite. **Cost**: about 10 passes over the n terms, memory 6 n.
/// Example: `double p = score_upper_tail(fitted, weights, score);`
[[nodiscard]] double score_upper_tail(std::span<const double> probability, std::span<const double> weight,
                                      double observed);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/score_tail_impl.hpp>
#endif
