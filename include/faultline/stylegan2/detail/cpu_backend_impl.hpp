// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of CpuBackend: the choice of kernels and precision with its check, and the way between tensors and plain
// memory.

#include <faultline/stylegan2/cpu_backend.hpp>

#include <faultline/core/parallel_for.hpp>

#include <array>

namespace faultline {
inline namespace v1 {

namespace stylegan2::detail::cpu {

/// Styles to compare two precisions on: those of w ~ N(0, 1) through the affine layers of the model.
inline at::Tensor check_styles(const GeneratorModel& model) {
  constexpr std::int64_t count = 8;
  at::Tensor w = at::empty({count, model.config.w_dim}, at::kFloat);
  core::fill_normals(0, core::Stream::latents, 0,
                     std::span<float>(w.data_ptr<float>(), static_cast<std::size_t>(w.numel())));
  return at::cat(layer_styles(model.config, model.weights, w), 1);
}

/// Root mean square of the difference over that of `exact` about its mean; larger than any bound when something is not
/// finite.
inline double relative_error(const at::Tensor& exact, const at::Tensor& other) {
  const at::Tensor a = exact.to(at::kDouble), b = other.to(at::kDouble);
  const double error = (a - b).square().mean().item<double>(), spread = (a - a.mean()).square().mean().item<double>();
  return std::isfinite(error) && spread > 0.0 ? std::sqrt(error / spread) : std::numeric_limits<double>::infinity();
}

/// Beyond this the reduced precision is taken to be wrong rather than rounded: a layer rounds by 2^-9 per product,
/// which a dozen layers turn into a percent or two.
inline constexpr double bf16_tolerance = 0.1;

}  // namespace stylegan2::detail::cpu

inline CpuBackend::CpuBackend(stylegan2::GeneratorModel model, const CpuOptions& options,
                              const kernels::Kernels& kernels)
    : model_(std::move(model)),
      layout_(stylegan2::style_layout(model_.config)),
      mapping_(std::make_shared<stylegan2::detail::cpu::Mapping>(kernels, model_.config, model_.weights)),
      state_(std::make_shared<State>()) {
  namespace cpu = stylegan2::detail::cpu;
  const c10::AutoGradMode off(false);
  const bool wanted = options.precision == CpuOptions::Precision::bf16;
  state_->weights = cpu::pack_synthesis(kernels, wanted && kernels.convolve_bf16 != nullptr, options.winograd,
                                        model_.config, model_.weights);
  path_ = std::string("CPU, ") + kernels.name + ", float32";
  if (!wanted) return;
  if (kernels.convolve_bf16 == nullptr) {
    warnings_.push_back("CpuBackend: float32 is used in place of bfloat16: the processor has no instructions for it");
    return;
  }
  auto exact = std::make_shared<State>();
  exact->weights = cpu::pack_synthesis(kernels, false, options.winograd, model_.config, model_.weights);
  const at::Tensor s = cpu::check_styles(model_);
  const std::vector<at::Tensor> noise = stylegan2::constant_noise(model_.config, model_.weights);
  const double error = cpu::relative_error(run(*exact, model_.config, s, noise), run(*state_, model_.config, s, noise));
  if (error <= cpu::bf16_tolerance) {
    path_ = std::string("CPU, ") + kernels.name + ", bfloat16";
  } else {
    state_ = exact;
    warnings_.push_back("CpuBackend: float32 is used in place of bfloat16, whose images differ from float32 by " +
                        std::to_string(error) + " of their spread, more than " + std::to_string(cpu::bf16_tolerance));
  }
}

namespace stylegan2::detail::cpu {

/// Noise tensors as plain memory; `kept` keeps contiguous copies alive.
inline NoiseSource noise_source(const std::vector<at::Tensor>& noise, std::vector<at::Tensor>& kept) {
  NoiseSource source;
  for (const at::Tensor& image : noise) {
    kept.push_back(image.contiguous());
    source.data.push_back(kept.back().const_data_ptr<float>());
    source.step.push_back(image.dim() == 4 && image.size(0) > 1 ? image.size(2) * image.size(3) : 0);
  }
  return source;
}

}  // namespace stylegan2::detail::cpu

inline at::Tensor CpuBackend::run(State& state, const stylegan2::GeneratorConfig& config, const at::Tensor& s,
                                  const std::vector<at::Tensor>& noise) {
  const at::Tensor rows = s.contiguous();
  std::vector<at::Tensor> kept;
  const stylegan2::detail::cpu::NoiseSource source = stylegan2::detail::cpu::noise_source(noise, kept);
  at::Tensor images =
      at::empty({rows.size(0), config.img_channels, config.img_resolution, config.img_resolution}, at::kFloat);
  const std::int64_t dimension = rows.size(1), pixels = images.numel() / images.size(0);
  const float* const styles = rows.const_data_ptr<float>();
  float* const out = images.data_ptr<float>();
  stylegan2::detail::cpu::for_each_group(
      state.weights, state.pool, rows.size(0), source,
      [&](auto& group, std::ptrdiff_t first) { group(styles + first * dimension, dimension, out + first * pixels); });
  return images;
}

inline at::Tensor CpuBackend::synthesis_from(const stylegan2::SynthesisState& from, const at::Tensor& s,
                                             const std::vector<at::Tensor>& noise) const {
  const std::vector<stylegan2::SynthesisLayer> layers = stylegan2::synthesis_layers(model_.config);
  if (from.layer == 0) return synthesis(s, noise);
  if (from.layer == layers.size()) return from.image;
  const c10::AutoGradMode off(false);
  const bool colours_first = layers[from.layer].kind == stylegan2::SynthesisLayer::Kind::to_rgb;
  std::size_t convolution = 0;
  for (std::size_t l = 0; l < from.layer; ++l)
    convolution += layers[l].kind == stylegan2::SynthesisLayer::Kind::to_rgb ? 0 : 1;
  const at::Tensor rows = s.contiguous(), x = from.x.contiguous(),
                   image = from.image.defined() ? from.image.contiguous() : from.image;
  std::vector<at::Tensor> kept;
  const stylegan2::detail::cpu::NoiseSource source = stylegan2::detail::cpu::noise_source(noise, kept);
  const std::int64_t count = rows.size(0), dimension = rows.size(1);
  at::Tensor images = at::empty(
      {count, model_.config.img_channels, model_.config.img_resolution, model_.config.img_resolution}, at::kFloat);
  const std::int64_t pixels = images.numel() / count, activations = x.numel() / count,
                     painted = image.defined() ? image.numel() / count : 0;
  stylegan2::detail::cpu::for_each_group(
      state_->weights, state_->pool, count, source, [&](auto& group, std::ptrdiff_t first) {
        group.resume(rows.const_data_ptr<float>() + first * dimension, dimension, convolution, colours_first,
                     x.const_data_ptr<float>() + first * activations,
                     painted > 0 ? image.const_data_ptr<float>() + first * painted : nullptr,
                     images.data_ptr<float>() + first * pixels);
      });
  return images;
}

namespace stylegan2::detail::cpu {

inline bool records(const at::Tensor& tensor) {
  return c10::GradMode::is_enabled() && tensor.defined() && tensor.requires_grad();
}

}  // namespace stylegan2::detail::cpu

inline at::Tensor CpuBackend::mapping(const at::Tensor& z, const at::Tensor& classes) const {
  if (stylegan2::detail::cpu::records(z) || stylegan2::detail::cpu::records(classes))
    return stylegan2::mapping(model_.config, model_.weights, z, classes);
  return mapping_->map(model_.config.z_dim > 0 ? z : at::Tensor(), classes);
}

inline at::Tensor CpuBackend::styles(const at::Tensor& w) const {
  if (stylegan2::detail::cpu::records(w)) return at::cat(stylegan2::layer_styles(model_.config, model_.weights, w), 1);
  return mapping_->styles(w);
}

inline at::Tensor CpuBackend::synthesis(const at::Tensor& s, const std::vector<at::Tensor>& noise) const {
  if (stylegan2::detail::cpu::records(s)) {
    std::vector<at::Tensor> styles;
    for (const auto& layer : layout_.layers()) styles.push_back(s.narrow(1, layer.offset, layer.width));
    return stylegan2::synthesis(model_.config, model_.weights, styles, noise);
  }
  return run(*state_, model_.config, s, noise);
}

inline at::Tensor CpuBackend::pullback(const at::Tensor& s, const std::vector<at::Tensor>& noise,
                                       const at::Tensor& image_gradient) const {
  namespace cpu = stylegan2::detail::cpu;
  if (model_.config.conv_clamp) {  // an activation at the clamp does not tell what it was made from
    const c10::AutoGradMode on(true);
    const at::Tensor input = s.detach().clone().requires_grad_(true);
    return torch::autograd::grad({synthesis(input, noise)}, {input}, {image_gradient}).front();
  }
  const c10::AutoGradMode off(false);
  State& state = *state_;
  std::call_once(state.once, [&] {
    const kernels::Kernels& kernels = *state.weights.kernels;
    if (state.weights.narrow)
      state.exact = std::make_unique<cpu::SynthesisWeights>(
          cpu::pack_synthesis(kernels, false, true, model_.config, model_.weights));
    state.gradient = std::make_unique<cpu::GradientWeights>(kernels, model_.config, model_.weights,
                                                            state.exact ? *state.exact : state.weights);
  });
  const cpu::SynthesisWeights& weights = state.exact ? *state.exact : state.weights;
  const at::Tensor rows = s.contiguous(), incoming = image_gradient.contiguous();
  std::vector<at::Tensor> kept;
  const cpu::NoiseSource source = cpu::noise_source(noise, kept);
  at::Tensor gradient = at::empty(rows.sizes(), at::kFloat);
  const std::int64_t dimension = rows.size(1), pixels = incoming.numel() / rows.size(0);
  parallel_for(rows.size(0), stylegan2::detail::loop_threads(), [&](std::int64_t i) {
    auto space = state.gradient_pool.take(weights, 1, 1);
    (*state.gradient)(rows.const_data_ptr<float>() + i * dimension, source, i,
                      incoming.const_data_ptr<float>() + i * pixels, gradient.data_ptr<float>() + i * dimension,
                      *space);
    state.gradient_pool.put(std::move(space));
  });
  return gradient;
}

}  // namespace v1
}  // namespace faultline
