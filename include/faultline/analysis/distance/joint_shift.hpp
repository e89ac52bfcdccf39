// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Two causes moved together by as little as still makes the classifier fail (paper.md).

#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/analysis/report.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// The smallest joint shift of two causes from each start latent, and what these are over all.
///
/// **Start latents**: the first `options.threshold_latents` held-out latents that are valid and do not fail; of the
/// class of a cause that is one class's. **Formula**: both causes are moved by the same t standard deviations towards
/// failure (the grid of distances, then narrowed), until the outcome changes; then a shift is dropped, or halved, as
/// long as the image still fails and the judge, if there is one, still sees its class. What is left can be neither
/// dropped nor halved. **Checks**: every image that counts is classified again alone.
/// Empty where one of the two has no direction, or they belong to different classes. **Randomness**: none of its own.
/// **Cost**: about 30 images per start latent.
[[nodiscard]] std::optional<JointShift> joint_shift(const FindingContext& context, const Finding& first,
                                                    const Finding& second);

/// Fills `joint` of every interaction between two of the causes.
void measure_joint_shifts(const FindingContext& context, std::span<const Finding> causes,
                          std::span<InteractionFinding> interactions);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/distance/detail/joint_shift_impl.hpp>
#endif
