// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// From a direction in w back to StyleSpace: which style channels go along with it, and what the paper would have said
// of each (method.md: Back to StyleSpace).

#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/concepts/style_layout.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How many style channels are listed with each finding.
inline constexpr std::int64_t carriers_per_finding = 10;

/// Fills `carriers`, `channel` and `sign` of every finding.
///
/// The ten style channels with the largest within-class |correlation| with the direction, strongest first; none for a
/// finding without a direction. Of a pair or a subspace, the correlation is the multiple one with its directions.
/// **Formula**: with u·w = v·w̃ the projection, corr(s_k, u·w) = a_k Σ uᵀ / √(a_k Σ a_kᵀ · u Σ uᵀ), Σ the pooled
/// within-class covariance of w on the discovery split: exact, because s = A w + b. Effects are those of the
/// confirmation split: `effect` within classes (within the one class of a class-specific direction) over σ_k,
/// `paper_effect` pooled over the standard deviation of all samples; σ_k (`sigma`) is the discovery split's, in which
/// shifts are counted.
/// **Throws** `shape_mismatch` when a direction does not fit the whitening. **Cost**: no generator or classifier calls;
/// two passes over w, D d² multiplications, once for all findings.
/// Example: `attach_carriers(context, report.findings);`
void attach_carriers(const FindingContext& context, std::span<Finding> findings);

/// The same for one finding; for several, the call above shares the moments.
void attach_carriers(const FindingContext& context, Finding& finding);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/carriers_impl.hpp>
#endif
