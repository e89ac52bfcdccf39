// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Single-channel edits of held start codes without whole passes: shared prefix, an update instead of the first
// convolution, and no synthesis at all for ToRGB channels.

#include <faultline/concepts/style_edits.hpp>
#include <faultline/stylegan2/cost.hpp>
#include <faultline/torch/networks.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// A backend that can run the synthesis network from a layer on; without it `synthesis_from` of the plain networks is
/// used.
///
/// `synthesis_from(state, s, noise)`: state as in `SynthesisState` (x `[N, in, r, r]`, N, C, H, W), flat styles s `[N,
/// D]` of which those of earlier layers are not read, noise as `synthesis` takes it -> images `[N, C, R, R]`. *Law*:
/// from the state of a layer it ends where `synthesis` does, to rounding.
template <class B>
concept ResumesSynthesis = requires(const B& backend, const SynthesisState& state, const at::Tensor& s,
                                    const std::vector<at::Tensor>& noise) {
  { backend.synthesis_from(state, s, noise) } -> std::same_as<at::Tensor>;
};

/// Start codes whose layer inputs and responses are held, and images of single-channel edits of them: a model of
/// `EditSession`.
///
/// **Formula**: let u = Σ_c s_c (W_c * x_c) be the response of a convolution before demodulation and n = Σ_c s_c² Wsq_c
/// its squared norms. Shifting s_c by δ gives u + δ (W_c * x_c) and n + Wsq_c (2 s_c δ + δ²): one single-channel
/// convolution, shared by all shifts of that channel of that code, after which only later layers run, batched over the
/// edits of a layer. A ToRGB channel adds δ W_c x_c / √I to what that layer paints, before its clamp, and the
/// upsampling of the difference to the image. Exact for every δ.
/// **Cost**: one synthesis of the start codes; memory of twice their activations; per edit what `passes_of` says. No
/// gradients are recorded.
/// **Throws** shape_mismatch, empty_input when constructed; invalid_argument, empty_input for edits.
class SynthesisEdits {
 public:
  /// Runs a synthesis from a state on, given flat styles and noise.
  using Resume =
      std::function<at::Tensor(const SynthesisState& state, const at::Tensor& s, const std::vector<at::Tensor>& noise)>;

  /// Styles s `[N, D]` in the type of the weights, on the device to work on; `noise` empty or one tensor per
  /// convolution, for all rows or for each; `resume` runs later layers, the plain networks by default.
  SynthesisEdits(GeneratorConfig config, Weights weights, const at::Tensor& s, std::vector<at::Tensor> noise,
                 Resume resume = {});

  /// One image per edit, `[M, C, R, R]`. Edits of one layer share a pass; those of one channel of one code that follow
  /// each other share its update.
  [[nodiscard]] at::Tensor images(std::span<const StyleEdit> edits);
  /// Images of the start codes, `[N, C, R, R]`.
  [[nodiscard]] const at::Tensor& start_images() const noexcept { return held_.image; }

  [[nodiscard]] const EditCost& cost() const noexcept { return cost_; }
  [[nodiscard]] double passes_of(std::int64_t channel) const;
  [[nodiscard]] const StyleLayout& layout() const noexcept { return layout_; }

 private:
  /// What is held of one layer.
  struct Held {
    at::Tensor x;         ///< `[N or 1, in, h, w]` what it takes, before its style
    at::Tensor image;     ///< `[N, C, r, r]` the image before it
    at::Tensor response;  ///< `[N, out, r, r]` before demodulation; of a ToRGB before its clamp
    at::Tensor norms;     ///< `[N, out]` float64, squared norms of its kernels
    at::Tensor squares;   ///< `[in, out]` float64, Wsq
    /// `[in, out · phases, 9]` single-channel kernels, made when first needed; an upsampling layer has four phases
    at::Tensor kernels;
    at::Tensor spread;    ///< `[R, r]` upsampling along one axis, of a ToRGB
    at::Tensor noise;     ///< scaled by its strength; undefined without
    double update = 0.0;  ///< multiplications of one single-channel update
    double rest = 0.0;    ///< multiplications of all later layers
  };

  [[nodiscard]] at::Tensor finish(std::size_t layer, const at::Tensor& response, const at::Tensor& norms,
                                  const at::Tensor& noise) const;
  [[nodiscard]] at::Tensor weight(std::size_t layer, const char* part) const;
  [[nodiscard]] at::Tensor on_device(std::span<const std::int64_t> values) const;
  [[nodiscard]] at::Tensor edit_layer(std::size_t layer, std::span<const StyleEdit> edits);
  [[nodiscard]] at::Tensor edit_colour(const Held& held, std::size_t layer, const at::Tensor& rows,
                                       const at::Tensor& channels, const at::Tensor& shifts) const;

  GeneratorConfig config_;
  Weights weights_;
  StyleLayout layout_;
  std::vector<SynthesisLayer> layers_;
  at::Tensor s_;
  std::vector<at::Tensor> noise_;
  Resume resume_;
  std::vector<Held> held_layers_;
  SynthesisState held_;  ///< the finished pass of the start codes
  double whole_ = 1.0;   ///< multiplications of one synthesis
  EditCost cost_;
};

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline

#include <faultline/stylegan2/detail/synthesis_edits_impl.hpp>
