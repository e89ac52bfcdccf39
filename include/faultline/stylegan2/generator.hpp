// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Generator<Backend>: a StyleGAN2 generator file as a model of the StyleGenerator concept, with gradients and the
// affine map from w to styles.

#include <faultline/concepts/generator_cost.hpp>
#include <faultline/concepts/generator_options.hpp>
#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/data/safetensors.hpp>
#include <faultline/stylegan2/cost.hpp>
#include <faultline/stylegan2/generator_model.hpp>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

/// A class-conditional StyleGAN2 generator (Karras et al. 2020) whose networks `Backend` runs.
///
/// What its calls take and return is the backend's: `CpuBackend` works on matrices and image batches in host memory,
/// `ReferenceBackend` and `CudaBackend` (torch.hpp, cuda.hpp) on float32 tensors of LibTorch, which lie where the
/// backend works; arguments may lie anywhere. Shapes are the same for all of them. All calls are const and
/// deterministic. Copies share the weights.
/// **Throws**, with a backend of LibTorch, in every call: forked_process in a process that was forked after such a
/// call; libtorch_failed and std::bad_alloc for what LibTorch refuses. There a call records gradients when LibTorch's
/// gradient mode is on and its argument requires them; inference mode, autocast, the default type and the number of
/// threads of the caller change no result.
/// Example: `auto generator = Generator<CpuBackend>::load("digits.safetensors"); ImageBatch x =
/// generator.synthesize(generator.styles(generator.map(z, labels)));`
template <class Backend>
class Generator {
 public:
  using Arrays = typename Backend::Arrays;
  using latent_type = typename Arrays::latent_type;
  using style_type = typename Arrays::style_type;
  using label_type = typename Arrays::label_type;
  using image_type = typename Arrays::image_type;
  /// Whether the backend computes every row by itself, bit for bit.
  static constexpr bool batch_invariant = requires { requires Backend::batch_invariant; };

  /// Reads a generator file and re-checks its probe.
  ///
  /// Throws what `read_safetensors` throws; foreign_format, malformed_header, missing_tensor, unexpected_tensor,
  /// wrong_tensor_shape; probe_mismatch when the network does not reproduce the images stored with it to 1e-4.
  [[nodiscard]] static Generator load(const std::filesystem::path& path, Integrity integrity = Integrity::checked,
                                      const typename Backend::Options& options = {});

  /// From weights in memory, for example of a training run; `options` are the backend's. Throws invalid_argument,
  /// missing_tensor, wrong_tensor_shape, and what the backend throws.
  explicit Generator(stylegan2::GeneratorModel model, const typename Backend::Options& options = {});

  /// Writes the generator with a fresh probe, all or nothing. Throws cannot_write, not_durable.
  void save(const std::filesystem::path& path) const;

  /// w of latents and labels, truncated towards the mean of all classes.
  ///
  /// Shapes: z `[N, z_dim]`, labels `[N]` int64 in [0, num_classes()) (empty when unconditional) -> `[N, w_dim]`; with
  /// `cutoff` `[N, num_ws, w_dim]` (a matrix: `[N, num_ws · w_dim]`), the first `cutoff` slots truncated. Throws
  /// shape_mismatch, label_out_of_range, empty_input; invalid_argument for ψ outside [-2, 2] or a cutoff outside [0,
  /// num_ws].
  [[nodiscard]] latent_type map(const latent_type& z, const label_type& labels, const MapOptions& options = {}) const;

  /// Styles `[N, D]`, in the order of `layout()`, before any gain (ToRGB styles without their 1/√I). w is `[N, w_dim]`
  /// or `[N, num_ws, w_dim]`. Throws shape_mismatch, empty_input.
  [[nodiscard]] style_type styles(const latent_type& w) const;

  /// Styles `[N, D]` with shifts `[n, channels]` added to their first n rows in the channels named (flat indices), on
  /// the device where they lie. Throws shape_mismatch, empty_input, invalid_argument for a channel outside [0, D).
  [[nodiscard]] style_type shift_styles(const style_type& s, std::span<const std::int64_t> channels,
                                        const Matrix<float>& shifts) const;

  /// Raw images `[N, C, R, R]` of styles `[N, D]`; nominally in `value_range()`, not clamped.
  ///
  /// Randomness: `Noise::random` takes row i from (seed, stream 2, first + i), one block after the other through the
  /// layers; it does not depend on the batch. Throws shape_mismatch, empty_input. Cost: 0.04 GMAC per image for the
  /// shipped generator.
  [[nodiscard]] image_type synthesize(const style_type& s, const SynthesisOptions& options = {}) const;

  /// dL/ds `[N, D]` for a given dL/dimage `[N, C, R, R]`, constant noise. Throws shape_mismatch, empty_input. Cost:
  /// about three times `synthesize`.
  [[nodiscard]] Matrix<float> pullback(const style_type& s, const ImageBatch& image_gradient) const;

  /// Holds start latents s `[N, D]` for images of single-channel edits of them, with constant noise (see
  /// `SynthesisEdits`). The session works with CpuBackend's kernels in float32 or, on a CpuBackend, its precision,
  /// whatever the backend. Throws shape_mismatch, empty_input. Cost: one synthesis, and memory of three times its
  /// activations; edits cost what they change.
  [[nodiscard]] typename Arrays::edits_type begin_edits(const style_type& s) const;

  /// A and b of s = A w + b, `[D, w_dim]` and `[D, 1]` (all w slots equal).
  [[nodiscard]] Matrix<float> style_matrix() const;
  [[nodiscard]] Matrix<float> style_bias() const;

  [[nodiscard]] std::int64_t latent_dim() const noexcept { return model().config.z_dim; }
  [[nodiscard]] std::int64_t w_dim() const noexcept { return model().config.w_dim; }
  [[nodiscard]] std::int64_t num_classes() const noexcept { return model().config.c_dim; }
  [[nodiscard]] std::int64_t num_ws() const { return model().config.num_ws(); }
  [[nodiscard]] ImageShape image_shape() const noexcept {
    return {model().config.img_channels, model().config.img_resolution, model().config.img_resolution};
  }
  [[nodiscard]] ValueRange value_range() const noexcept { return model().config.value_range; }
  [[nodiscard]] const StyleLayout& layout() const noexcept { return layout_; }
  [[nodiscard]] const std::vector<std::string>& class_names() const noexcept { return model().config.class_names; }
  /// Mean of w over all classes, the centre of truncation, `[w_dim]` (a matrix: `[1, w_dim]`).
  [[nodiscard]] latent_type w_average() const { return Arrays::from_vector(model().weights["mapping.w_avg"].values); }
  /// SHA-256 of the generator file (of the file it would be stored as, when it was not read from a checked one).
  [[nodiscard]] const std::string& digest() const noexcept { return digest_; }
  [[nodiscard]] const stylegan2::GeneratorModel& model() const noexcept { return backend_.model(); }
  [[nodiscard]] const Backend& backend() const noexcept { return backend_; }
  /// What the backend says it runs, and what it had to do without: both go into reports. Empty for a backend that says
  /// nothing.
  [[nodiscard]] std::string backend_description() const;
  [[nodiscard]] std::vector<std::string> backend_warnings() const;
  /// The LibTorch that this was compiled with, "2.15.0": reports name it, because its kernels decide the last bits.
  [[nodiscard]] std::string torch_version() const requires requires { Arrays::torch_version(); }
  { return Arrays::torch_version(); }
  /// Multiply-accumulates per row, and bytes and launches where the backend states them (0 where it does not).
  [[nodiscard]] GeneratorCost cost() const {
    if constexpr (requires {
                    { backend_.cost() } -> std::same_as<GeneratorCost>;
                  })
      return backend_.cost();
    else
      return {stylegan2::mapping_macs(model().config), stylegan2::styles_macs(model().config),
              stylegan2::synthesis_macs(model().config)};
  }

  [[nodiscard]] latent_type latent_from_host(const Matrix<float>& rows) const {
    return Arrays::from_rows(backend_, rows);
  }
  [[nodiscard]] style_type style_from_host(const Matrix<float>& rows) const {
    return Arrays::from_rows(backend_, rows);
  }
  /// (labels stay on the host, where `map` looks at them)
  [[nodiscard]] label_type label_from_host(std::span<const std::int64_t> labels) const {
    return Arrays::from_labels(labels);
  }
  [[nodiscard]] Matrix<float> latent_to_host(const latent_type& w) const { return Arrays::to_rows(w); }
  [[nodiscard]] Matrix<float> style_to_host(const style_type& s) const { return Arrays::to_rows(s); }
  [[nodiscard]] ImageBatch image_to_host(const image_type& images) const {
    return Arrays::to_images(image_shape(), images);
  }

 private:
  Backend backend_;
  StyleLayout layout_;
  std::string digest_;
};

}  // namespace v1
}  // namespace faultline

#include <faultline/stylegan2/detail/generator_impl.hpp>
