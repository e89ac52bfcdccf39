// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of SynthesisEdits.

#include <faultline/stylegan2/synthesis_edits.hpp>

#include <faultline/stylegan2/detail/edit_passes.hpp>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

FAULTLINE_INLINE ImageBatch SynthesisEdits::images(std::span<const StyleEdit> edits) { return passes_->images(edits); }
FAULTLINE_INLINE const ImageBatch& SynthesisEdits::start_images() const noexcept { return passes_->start_images(); }
FAULTLINE_INLINE const EditCost& SynthesisEdits::cost() const noexcept { return passes_->cost(); }
FAULTLINE_INLINE double SynthesisEdits::passes_of(std::int64_t channel) const { return passes_->passes_of(channel); }
FAULTLINE_INLINE const StyleLayout& SynthesisEdits::layout() const noexcept { return passes_->layout(); }

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
