// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the calls of a generator take and return with a backend of LibTorch: tensors.

#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/torch/networks.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// A session of single-channel edits whose images are tensors on the host; it works with CpuBackend's kernels.
class TensorEdits {
 public:
  explicit TensorEdits(SynthesisEdits edits) : edits_(std::move(edits)) {}
  [[nodiscard]] at::Tensor images(std::span<const StyleEdit> edits) { return to_tensor(edits_.images(edits)); }
  [[nodiscard]] at::Tensor start_images() const { return to_tensor(edits_.start_images()); }
  [[nodiscard]] const EditCost& cost() const noexcept { return edits_.cost(); }
  [[nodiscard]] double passes_of(std::int64_t channel) const { return edits_.passes_of(channel); }
  [[nodiscard]] const StyleLayout& layout() const noexcept { return edits_.layout(); }

 private:
  SynthesisEdits edits_;
};

/// The array types of `Generator<Backend>` for backends on tensors, and its calls on them: checks of shapes,
/// truncation, noise, gradients where the backend has none of its own, and the way to and from the host.
struct TensorArrays {
  using latent_type = at::Tensor;  ///< Float `[N, z_dim]`, `[N, w_dim]`, `[N, num_ws, w_dim]`
  using style_type = at::Tensor;   ///< Float `[N, D]`
  using label_type = at::Tensor;   ///< Long `[N]`, undefined or empty when unconditional
  using image_type = at::Tensor;   ///< Float `[N, C, R, R]`
  using edits_type = TensorEdits;

  template <class Call>
  static decltype(auto) call(const char* where, Call&& body) {
    return detail::libtorch_call(where, std::forward<Call>(body));
  }

  template <class Backend>
  static at::Tensor map(const char* where, const Backend& backend, const at::Tensor& z, const at::Tensor& labels,
                        const MapOptions& options) {
    const GeneratorConfig& config = backend.model().config;
    if (!z.defined() || z.dim() != 2 || z.size(1) != config.z_dim || z.scalar_type() != at::kFloat)
      wrong_tensor(where, "z as Float [N, " + std::to_string(config.z_dim) + "]", z);
    require_rows(where, z.size(0));
    at::Tensor classes;
    if (config.c_dim > 0) {
      if (!labels.defined() || labels.dim() != 1 || labels.size(0) != z.size(0) || labels.scalar_type() != at::kLong)
        wrong_tensor(where, "labels as Long [" + std::to_string(z.size(0)) + "]", labels);
      const at::Tensor plain = labels.to(at::kCPU).contiguous();
      HostArrays::check_labels(where, config,
                               {plain.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(plain.size(0))});
      classes = stylegan2::one_hot(plain, config.c_dim);
    } else if (labels.defined() && labels.numel() != 0) {
      wrong_tensor(where, "no labels (the generator is unconditional)", labels);
    }
    const at::Tensor w = backend.mapping(z, classes);
    at::Tensor truncated = w;
    if (options.truncation != 1.0) {
      const at::Tensor average = to_tensor(backend.model().weights["mapping.w_avg"]).to(w.device());
      truncated = average + (w - average) * options.truncation;
    }
    if (!options.cutoff) return truncated;
    const std::int64_t cutoff = *options.cutoff;
    const auto slots = [&](const at::Tensor& value, std::int64_t count) {
      return value.unsqueeze(1).expand({z.size(0), count, config.w_dim});
    };
    return at::cat({slots(truncated, cutoff), slots(w, config.num_ws() - cutoff)}, 1);
  }

  template <class Backend>
  static at::Tensor styles(const char* where, const Backend& backend, const at::Tensor& w) {
    const GeneratorConfig& config = backend.model().config;
    const bool flat = w.defined() && w.dim() == 2 && w.size(1) == config.w_dim;
    const bool layered = w.defined() && w.dim() == 3 && w.size(1) == config.num_ws() && w.size(2) == config.w_dim;
    if (!(flat || layered) || w.scalar_type() != at::kFloat)
      wrong_tensor(where,
                   "w as Float [N, " + std::to_string(config.w_dim) + "] or [N, " + std::to_string(config.num_ws()) +
                       ", " + std::to_string(config.w_dim) + "]",
                   w);
    require_rows(where, w.size(0));
    return backend.styles(w);
  }

  static void require_styles(const char* where, const StyleLayout& layout, const at::Tensor& s) {
    if (!s.defined() || s.dim() != 2 || s.size(1) != layout.dimension() || s.scalar_type() != at::kFloat)
      wrong_tensor(where, "styles as Float [N, " + std::to_string(layout.dimension()) + "]", s);
    require_rows(where, s.size(0));
  }
  [[nodiscard]] static std::int64_t rows(const at::Tensor& s) { return s.size(0); }

  [[nodiscard]] static at::Tensor shift(const at::Tensor& s, std::span<const std::int64_t> channels,
                                        const Matrix<float>& shifts) {
    at::Tensor shifted = s.clone();
    shifted.narrow(0, 0, shifts.rows())
        .index_add_(1, to_label_tensor(channels).to(s.device()), to_tensor(shifts).to(s.device()));
    return shifted;
  }

  template <class Backend>
  static at::Tensor synthesize(const Backend& backend, const at::Tensor& s, const SynthesisOptions& options) {
    return backend.synthesis(s, noise(backend, s.size(0), options));
  }

  template <class Backend>
  static Matrix<float> pullback(const Backend& backend, const at::Tensor& s, const ImageBatch& image_gradient) {
    const c10::AutoGradMode on(true);
    const at::Tensor input = s.detach().clone().requires_grad_(true);
    const at::Tensor images = backend.synthesis(input, noise(backend, s.size(0), SynthesisOptions{}));
    return to_matrix(torch::autograd::grad({images}, {input}, {to_tensor(image_gradient).to(images.device())}).front());
  }

  template <class Backend>
  static TensorEdits begin_edits(const Backend& backend, const at::Tensor& s) {
    return TensorEdits(CpuBackend(backend.model()).begin_edits(to_matrix(s)));
  }

  template <class Backend>
  static at::Tensor from_rows(const Backend& backend, const Matrix<float>& rows) {
    return call("Generator::from_host", [&] {
      const at::Tensor tensor = to_tensor(rows);
      if constexpr (requires { backend.device(); }) return tensor.to(backend.device());
      else return tensor;
    });
  }
  static at::Tensor from_labels(std::span<const std::int64_t> labels) {
    return call("Generator::from_host", [&] { return to_label_tensor(labels); });
  }
  static Matrix<float> to_rows(const at::Tensor& tensor) {
    if (!tensor.defined() || tensor.dim() != 2) wrong_tensor("Generator::to_host", "a tensor of rank 2", tensor);
    return call("Generator::to_host", [&] { return to_matrix(tensor); });
  }
  static ImageBatch to_images(const ImageShape& shape, const at::Tensor& images) {
    if (!images.defined() || images.dim() != 4 || images.size(1) != shape.channels || images.size(2) != shape.height ||
        images.size(3) != shape.width)
      wrong_tensor("Generator::image_to_host", "images of this generator", images);
    return call("Generator::image_to_host", [&] { return stylegan2::to_images(images); });
  }
  static at::Tensor from_vector(const std::vector<float>& values) {
    return call("Generator::w_average", [&] { return to_tensor(values, {static_cast<std::int64_t>(values.size())}); });
  }

  /// The LibTorch that this was compiled with, "2.15.0": reports name it, because its kernels decide the last bits.
  [[nodiscard]] static std::string torch_version() {
    return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." +
           std::to_string(TORCH_VERSION_PATCH);
  }

 private:
  [[noreturn]] static void wrong_tensor(const std::string& where, const std::string& expected, const at::Tensor& got) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected " + expected + ", got " +
                    (got.defined()
                         ? std::string(c10::toString(got.scalar_type())) + " " + kernels::shape_text(got.sizes().vec())
                         : std::string("an undefined tensor")));
  }
  static void require_rows(const std::string& where, std::int64_t rows) {
    if (rows == 0) throw Error(ErrorCode::empty_input, where, "expected at least one row, got none");
  }

  /// The noise of a call, one tensor per convolution, as the backend takes it.
  template <class Backend>
  static std::vector<at::Tensor> noise(const Backend& backend, std::int64_t count, const SynthesisOptions& options) {
    const GeneratorConfig& config = backend.model().config;
    if (options.noise == Noise::none) return {};
    if (options.noise == Noise::constant) return backend.constant_noise();
    const at::Tensor normals =
        to_tensor(random_noise(config, count, options.seed, options.first), {count, noise_pixels(config)});
    std::vector<at::Tensor> images;
    std::int64_t offset = 0;
    for (const auto& layer : synthesis_layers(config)) {
      if (layer.kind == SynthesisLayer::Kind::to_rgb) continue;
      const std::int64_t side = layer.resolution;
      images.push_back(normals.narrow(1, offset, side * side).reshape({count, 1, side, side}));
      offset += side * side;
    }
    return images;
  }
};

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
