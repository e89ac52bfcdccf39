// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Intervention: is a confirmed direction a cause? Codes that were not selected by outcome are moved along it, and along
// random directions (method section 5.2).

#include <faultline/analysis/conditions/candidates.hpp>
#include <faultline/analysis/problem/held_out_latents.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/statistics/stratified.hpp>
#include <faultline/statistics/whitening.hpp>

#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Is the effect of moving the direction large enough, and larger than that of a random one, to call it a cause?
[[nodiscard]] bool is_cause(const InterventionEffect& effect, double min_effect) noexcept;

/// Moves fresh codes along frozen candidates by ± 2 standard deviations, and sets the coordinate of fresh failures to
/// what success has.
///
/// **Shapes**: `whitened` `[N, r]` and `strata` are of the discovery half; `confirmed` are positions in `candidates`,
/// and one effect for each of them comes back. A class-specific candidate is moved on codes of its class.
/// **Formula**: e_i = fail(w_i + 2 Σ^½ v) − fail(w_i − 2 Σ^½ v); contrast its mean, lower its one-sided 95 % bound
/// (`contrast_lower_bound`). Placebo: the same codes along random directions orthogonal to all candidates, each
/// pointing the way discovery says failure lies, as candidates do; the 95th percentile of their contrasts. Repaired
/// share: failing codes that no longer fail with their coordinate at the median of their class's successes; its placebo
/// is the mean over eight of the random directions. The placebo of a class is measured only when one of its candidates
/// exceeds `min_effect` and the placebo of all classes, which stands otherwise; where neither was measured, placebo is
/// empty; and on a quarter of the codes, because it would otherwise be most of the cost of a run. Fewer codes spread
/// the random contrasts, so their 95th percentile, and with it the bar, is higher rather than lower.
/// **Error rate**: a direction without effect is called a cause (`is_cause`) with probability at most 5 %, given that
/// it was confirmed.
/// **Randomness**: codes are samples from index 2^41 on, directions (seed, Stream::codes, 2^41 + j).
/// **Cost**: images, for all classes 2 · codes x (candidates + placebo directions) + failures x (candidates + 8), by
/// default about 10 000; for one class about a third of that.
[[nodiscard]] std::vector<InterventionEffect> intervene(const Problem& problem, const statistics::Whitening& whitening,
                                                        const Matrix<double>& whitened,
                                                        const statistics::Strata& strata,
                                                        std::span<const FrozenCandidate> candidates,
                                                        std::span<const std::size_t> confirmed, HeldOutLatents& fresh,
                                                        const MethodOptions& options);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/intervention_impl.hpp>
#endif
