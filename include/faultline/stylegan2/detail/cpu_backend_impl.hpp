// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of CpuBackend: the choice of kernels and precision with its check, and the calls.

#include <faultline/stylegan2/cpu_backend.hpp>

#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>
#include <faultline/stylegan2/detail/cpu_engine.hpp>
#include <faultline/stylegan2/detail/edit_passes.hpp>

#include <cmath>
#include <limits>

namespace faultline {
inline namespace v1 {

namespace stylegan2::detail {

/// Root mean square of the difference over that of `exact` about its mean; larger than any bound when something is not
/// finite.
inline double relative_error(const ImageBatch& exact, const ImageBatch& other) {
  const std::int64_t size = exact.count() * exact.shape().elements();
  double mean = 0.0, error = 0.0, spread = 0.0;
  for (std::int64_t i = 0; i < size; ++i) mean += static_cast<double>(exact.data()[i]) / static_cast<double>(size);
  for (std::int64_t i = 0; i < size; ++i) {
    const auto a = static_cast<double>(exact.data()[i]), b = static_cast<double>(other.data()[i]);
    error += (a - b) * (a - b);
    spread += (a - mean) * (a - mean);
  }
  return std::isfinite(error) && spread > 0.0 ? std::sqrt(error / spread) : std::numeric_limits<double>::infinity();
}

/// Beyond this the reduced precision is taken to be wrong rather than rounded: a layer rounds by 2^-9 per product,
/// which a dozen layers turn into a percent or two.
inline constexpr double bf16_tolerance = 0.1;

}  // namespace stylegan2::detail

FAULTLINE_INLINE CpuBackend::CpuBackend(stylegan2::GeneratorModel model, const CpuOptions& options)
    : CpuBackend(std::move(model), options, *kernels::runnable_kernels().front()) {}

FAULTLINE_INLINE CpuBackend::CpuBackend(stylegan2::GeneratorModel model, const CpuOptions& options,
                                        const kernels::Kernels& kernels)
    : engine_(std::make_shared<stylegan2::detail::CpuEngine>(stylegan2::whole_model(std::move(model)), kernels)) {
  namespace detail = stylegan2::detail;
  detail::CpuEngine& engine = *engine_;
  const bool wanted = options.precision == CpuOptions::Precision::bf16, narrow = wanted && kernels.convolve_bf16;
  engine.synthesis = std::make_unique<detail::PackedSynthesis>(engine.pack(kernels, narrow, options.winograd));
  engine.path = std::string("CPU, ") + kernels.name + ", float32";
  if (!wanted) return;
  if (!narrow) {
    engine.warnings.push_back(
        "CpuBackend: float32 is used in place of bfloat16: the processor has no instructions for it");
    return;
  }
  // Both precisions on the styles of w ~ N(0, 1).
  auto exact = std::make_unique<detail::PackedSynthesis>(engine.pack(kernels, false, options.winograd));
  Matrix<float> w(8, engine.model.config.w_dim);
  core::fill_normals(0, core::Stream::latents, 0, w.values());
  const Matrix<float> s = engine.mapping.styles(w);
  const stylegan2::NoiseImages noise =
      stylegan2::noise_images(engine.model.config, engine.model.weights, s.rows(), SynthesisOptions{});
  const double error = detail::relative_error(exact->images(s, noise), engine.synthesis->images(s, noise));
  if (error <= detail::bf16_tolerance) {
    engine.path = std::string("CPU, ") + kernels.name + ", bfloat16";
  } else {
    engine.synthesis = std::move(exact);
    engine.warnings.push_back("CpuBackend: float32 is used in place of bfloat16, whose images differ from float32 by " +
                              std::to_string(error) + " of their spread, more than " +
                              std::to_string(detail::bf16_tolerance));
  }
}

FAULTLINE_INLINE const stylegan2::GeneratorModel& CpuBackend::model() const noexcept { return engine_->model; }
FAULTLINE_INLINE const std::string& CpuBackend::path() const noexcept { return engine_->path; }
FAULTLINE_INLINE const std::vector<std::string>& CpuBackend::warnings() const noexcept { return engine_->warnings; }

FAULTLINE_INLINE GeneratorCost CpuBackend::cost() const {
  return stylegan2::generator_cost(engine_->model.config, stylegan2::ActivationTraffic::fused,
                                   engine_->synthesis->weights.narrow ? 2 : 4);
}

FAULTLINE_INLINE Matrix<float> CpuBackend::mapping(const Matrix<float>& z, std::span<const std::int64_t> labels) const {
  return engine_->mapping.map(z, labels);
}

FAULTLINE_INLINE Matrix<float> CpuBackend::styles(const Matrix<float>& w) const { return engine_->mapping.styles(w); }

FAULTLINE_INLINE ImageBatch CpuBackend::synthesis(const Matrix<float>& s, const stylegan2::NoiseImages& noise) const {
  return engine_->synthesis->images(s, noise);
}

FAULTLINE_INLINE Matrix<float> CpuBackend::pullback(const Matrix<float>& s, const stylegan2::NoiseImages& noise,
                                                    const ImageBatch& image_gradient) const {
  namespace detail = stylegan2::detail;
  detail::CpuEngine& engine = *engine_;
  std::call_once(engine.once, [&] {
    const detail::cpu::SynthesisWeights& own = engine.synthesis->weights;
    if (own.narrow) engine.exact = std::make_unique<detail::PackedSynthesis>(engine.pack(*own.kernels, false, true));
    engine.gradient = std::make_unique<const detail::cpu::GradientWeights>(
        *own.kernels, engine.model.config, engine.model.weights, engine.exact ? engine.exact->weights : own);
  });
  const detail::cpu::SynthesisWeights& weights = engine.exact ? engine.exact->weights : engine.synthesis->weights;
  Matrix<float> gradient(s.rows(), s.cols());
  parallel_for(s.rows(), 0, [&](std::int64_t i) {
    auto space = engine.gradient_pool.take(weights, 1, 1);
    (*engine.gradient)(s.row_span(i).data(), noise, i, image_gradient.image(i).data(), gradient.row_span(i).data(),
                       *space);
    engine.gradient_pool.put(std::move(space));
  });
  return gradient;
}

FAULTLINE_INLINE stylegan2::SynthesisEdits CpuBackend::begin_edits(const Matrix<float>& s) const {
  return stylegan2::SynthesisEdits(std::make_shared<stylegan2::detail::EditPasses>(engine_, s));
}

}  // namespace v1
}  // namespace faultline
