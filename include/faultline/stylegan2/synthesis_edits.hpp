// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Single-channel edits of held start latents without whole passes: shared prefix, an update instead of the first
// convolution, and no synthesis at all for ToRGB channels.

#include <faultline/concepts/style_edits.hpp>
#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/image.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

namespace detail {
class EditPasses;
}  // namespace detail

/// Start latents whose layer inputs and responses are held, and images of single-channel edits of them: a model of
/// `EditSession`. Made by `Generator::begin_edits`; it keeps the packed weights alive by itself.
///
/// **Formula**: let u = Σ_c s_c (W_c * x_c) be the response of a convolution before demodulation and n = Σ_c s_c² Wsq_c
/// its squared norms. Shifting s_c by δ gives u + δ (W_c * x_c) and n + Wsq_c (2 s_c δ + δ²): one single-channel
/// convolution, shared by all shifts of that channel of that latent, after which only later layers run, batched over
/// the edits of a layer. A ToRGB channel adds δ W_c x_c / √I to what that layer paints, before its clamp, and the
/// upsampling of the difference to the image. Exact for every δ.
/// **Cost**: one synthesis of the start latents; memory of three times their activations; per edit what `passes_of`
/// says.
/// **Throws** invalid_argument, empty_input for edits.
class SynthesisEdits {
 public:
  explicit SynthesisEdits(std::shared_ptr<detail::EditPasses> passes) : passes_(std::move(passes)) {}

  /// One image per edit, `[M, C, R, R]`. Edits of one layer share a pass; those of one channel of one latent that
  /// follow each other share its update.
  [[nodiscard]] ImageBatch images(std::span<const StyleEdit> edits);
  /// Images of the start latents, `[N, C, R, R]`.
  [[nodiscard]] const ImageBatch& start_images() const noexcept;

  [[nodiscard]] const EditCost& cost() const noexcept;
  /// Multiplications of one more edit of this channel over those of a whole synthesis, at most 1.
  [[nodiscard]] double passes_of(std::int64_t channel) const;
  [[nodiscard]] const StyleLayout& layout() const noexcept;

 private:
  std::shared_ptr<detail::EditPasses> passes_;
};

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/stylegan2/detail/synthesis_edits_impl.hpp>
#endif
