// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which start latents and shifts stand for a finding where there is room for a few.

#include <faultline/analysis/report.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// "start 12" is sample 2^41 + 12, "latent 12" is sample 2^41 + 2^40 + 12.
std::string latent_name(std::int64_t index);

/// Up to `count` examples that stand for the whole: those whose distance is nearest to the median come first, and
/// labels do not repeat while others are left.
std::vector<analysis::ExampleLatent> typical_examples(const Finding& finding, std::int64_t count);

/// Shifts of a finding's own sheet: round steps from about -2 sd, or where both ends fail from half as far again as the
/// median flip there, to half as far again as the median flip, zero among them, at most nine.
std::vector<double> sheet_shifts(const Finding& finding);

/// One example of every class that has a start latent, the most typical one, by label.
std::vector<analysis::ExampleLatent> class_examples(const Finding& finding);

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/sheet_choices_impl.hpp>
#endif
