// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Is a moved image still what it should be? What a second, stronger classifier says of the images at the flip (method
// section 6).

#include <faultline/analysis/finding.hpp>
#include <faultline/analysis/problem/finding_context.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Validity from the judge's answers on the flipped images (1: still the label); nothing without any.
///
/// **Formula**: the share that agrees with its Clopper-Pearson interval; *mostly valid* when that lies above one half,
/// *mostly invalid* when below, else *undecided*.
[[nodiscard]] Validity validity_of(std::span<const std::uint8_t> judge_agrees);

/// The same from counts: the judge gives the label to `agreed` of so many flips; the interval is of this confidence.
[[nodiscard]] Validity validity_of_counts(std::int64_t agreed, std::int64_t flips, double confidence);

/// Interim analyses of validity at the flip, each at so many times `threshold_latents` start latents.
inline constexpr std::array<std::int64_t, 3> validity_analyses = {1, 4, 16};

/// Draws more flips of findings whose validity (of `measure_thresholds`) does not decide at a level that holds at all
/// three analyses together; the interval is of that level then.
///
/// **Cost**: up to 15 `options.threshold_latents` more start latents for each, about 12 images per latent; none where
/// the first analysis decides, or without a judge.
void decide_validity(const FindingContext& context, std::span<Finding> findings);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/validity_impl.hpp>
#endif
