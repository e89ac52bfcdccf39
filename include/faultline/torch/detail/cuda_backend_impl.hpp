// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of CudaBackend: what it has, what it found missing, and how a call takes the fastest way that is there.

#include <faultline/torch/cuda_backend.hpp>

#include <faultline/stylegan2/cost.hpp>
#include <faultline/torch/detail/cuda_graphs.hpp>
#include <faultline/torch/detail/cuda_precision.hpp>
#include <faultline/torch/detail/device_synthesis.hpp>
#include <faultline/torch/detail/kernel_epilogues.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

inline const char* mode_name(CudaMode mode) {
  return mode == CudaMode::ieee ? "ieee" : mode == CudaMode::tf32 ? "tf32" : "bf16";
}

/// Largest difference from float32, relative to the images' root mean square, that passes for rounding. A wrong
/// operation is off by about 1.
inline double mode_tolerance(CudaMode mode) {
  return mode == CudaMode::ieee ? 1e-3 : mode == CudaMode::tf32 ? 0.05 : 0.3;
}

/// Whether a pass keeps the device busy for longer than its launches take to queue: a graph would save nothing, hold
/// the memory of a whole pass and copy the images once more. Four billion products take an H200 ten microseconds at its
/// best (bfloat16, products of large matrices), in practice several times that; a launch through LibTorch takes the
/// host about five.
inline bool outlasts_queueing(const GeneratorCost& cost, std::int64_t rows) {
  constexpr double products = 4e9;
  return cost.launches > 0 && static_cast<double>(cost.synthesis_macs) * static_cast<double>(rows) >
                                  products * static_cast<double>(cost.launches);
}

/// Everything that copies of a CudaBackend share.
class CudaEngine {
 public:
  CudaEngine(GeneratorModel model, const CudaOptions& options)
      : model_(whole_model(std::move(model))),
        weights_(to_tensors(model_.weights)),
        options_(options),
        mode_(options.mode),
        table_(options.table ? options.table : system_cuda_table()),
        device_(table_->torch.device(static_cast<int>(options.device))) {
    const c10::AutoGradMode off(false);
    const c10::DeviceGuard guard(device_);
    describe_device();
    upload();
    const at::Tensor s = probe_styles();
    const DeviceSynthesis exact(model_.config, weights_, device_, at::kFloat);
    const at::Tensor expected = run(exact, CudaMode::ieee, s, NoiseSource::constant, {}, TorchEpilogues{});
    if (mode_ != CudaMode::ieee) check_mode(s, expected);
    if (!synthesis_) synthesis_.emplace(exact);
    load_kernels(s, expected);
    cost_ = stated_cost();
    if (!options_.graphs) graphs_off_ = "switched off";
    else if (!table_->torch.graphs_missing.empty()) lose_graphs(table_->torch.graphs_missing);
    else graphs_.emplace(table_->torch, device_);
  }

  [[nodiscard]] const GeneratorModel& model() const noexcept { return model_; }
  [[nodiscard]] const std::vector<at::Tensor>& constant_noise() const noexcept { return own_noise_; }
  [[nodiscard]] at::Device device() const noexcept { return device_; }
  [[nodiscard]] CudaMode mode() const noexcept { return mode_; }

  [[nodiscard]] const GeneratorCost& cost() const noexcept { return cost_; }

  [[nodiscard]] at::Tensor mapping(const at::Tensor& z, const at::Tensor& classes) const {
    const c10::DeviceGuard guard(device_);
    const PrecisionScope precision(false);
    return stylegan2::mapping(model_.config, mapping_, here(z), here(classes));
  }

  [[nodiscard]] at::Tensor styles(const at::Tensor& w) const {
    const c10::DeviceGuard guard(device_);
    const PrecisionScope precision(false);
    const at::Tensor latent = here(w);
    if (latent.dim() == 2) return at::addmm(style_bias_, latent, style_matrix_);
    std::vector<at::Tensor> parts;
    std::int64_t offset = 0;
    for (const auto& layer : synthesis_layers(model_.config)) {
      parts.push_back(at::addmm(style_bias_.narrow(0, offset, layer.in), latent.select(1, layer.slot),
                                style_matrix_.narrow(1, offset, layer.in)));
      offset += layer.in;
    }
    return at::cat(parts, 1);
  }

  [[nodiscard]] at::Tensor synthesis(const at::Tensor& styles, const std::vector<at::Tensor>& noise) {
    const c10::DeviceGuard guard(device_);
    const at::Tensor s = here(styles).contiguous();
    const NoiseSource source = source_of(noise);
    if (c10::GradMode::is_enabled() && s.requires_grad())
      return run(*synthesis_, mode_, s, source, noise, TorchEpilogues{});
    const c10::AutoGradMode off(false);
    const std::lock_guard<std::mutex> lock(mutex_);
    // A piece that fails is given up, and the call goes on without it.
    for (;;) {
      try {
        if (!graphs_ || source == NoiseSource::given || (kernels_ && outlasts_queueing(cost_, s.size(0))))
          return launch(s, source, noise);
        try {
          return (*graphs_)({s.size(0), static_cast<int>(source)}, s,
                            [&](const at::Tensor& rows) { return launch(rows, source, noise); });
        } catch (const KernelFailure&) {
          throw;
        } catch (const PieceMissing& missing) {
          lose_graphs(missing.why);
        }
      } catch (const KernelFailure& failure) {
        lose_kernels(failure.why);
      }
    }
  }

  [[nodiscard]] std::string path() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string text = device_name_ + ", " + mode_name(mode_) + ", ";
    text += kernels_ ? "fused kernels" : "LibTorch operations (fused kernels: " + kernels_off_ + ")";
    text += graphs_ ? ", CUDA graphs" : ", no CUDA graphs (" + graphs_off_ + ")";
    return text;
  }

  [[nodiscard]] std::vector<std::string> warnings() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return warnings_;
  }

 private:
  /// A launch went wrong: the kernels are to blame, not the graph it may have happened in.
  struct KernelFailure : PieceMissing {};

  void describe_device() {
    const CudaDriver& driver = table_->driver;
    if (!driver.missing.empty()) {
      device_name_ = "CUDA device " + std::to_string(options_.device);
      return;
    }
    CUdevice handle = 0;
    std::array<char, 128> name{};
    int major = 0, minor = 0;
    const bool known =
        driver.init(0) == CUDA_SUCCESS &&
        driver.device_get(&handle, static_cast<int>(options_.device)) == CUDA_SUCCESS &&
        driver.device_get_name(name.data(), static_cast<int>(name.size()) - 1, handle) == CUDA_SUCCESS &&
        driver.device_get_attribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, handle) == CUDA_SUCCESS &&
        driver.device_get_attribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, handle) == CUDA_SUCCESS;
    if (!known) {
      device_name_ = "CUDA device " + std::to_string(options_.device);
      return;
    }
    architecture_ = 10 * major + minor;
    device_name_ = std::string(name.data()) + " (sm_" + std::to_string(architecture_) + ")";
    if (mode_ != CudaMode::ieee && architecture_ < 80)
      throw Error(ErrorCode::device_unavailable, "CudaBackend",
                  std::string("the mode ") + mode_name(mode_) + " needs compute capability 8.0, " + device_name_ +
                      " has " + std::to_string(major) + "." + std::to_string(minor) + "; use CudaMode::ieee");
  }

  void upload() {
    for (const auto& [name, tensor] : weights_.all())
      if (name.rfind("mapping.", 0) == 0) mapping_.set(name, tensor.to(device_, at::kFloat));
    const double gain = 1.0 / std::sqrt(static_cast<double>(model_.config.w_dim));
    std::vector<at::Tensor> rows, biases;
    for (const auto& layer : synthesis_layers(model_.config)) {
      rows.push_back(weights_["synthesis." + layer.name + ".affine.weight"] * gain);
      biases.push_back(weights_["synthesis." + layer.name + ".affine.bias"]);
    }
    style_matrix_ = at::cat(rows, 0).to(device_, at::kFloat).t().contiguous();
    style_bias_ = at::cat(biases, 0).to(device_, at::kFloat).contiguous();
    own_noise_ = stylegan2::constant_noise(model_.config, weights_);
  }

  /// Styles of two latents: what modes and kernels are tried on.
  [[nodiscard]] at::Tensor probe_styles() const {
    constexpr std::int64_t count = 2;
    at::Tensor z = at::empty({count, model_.config.z_dim}, at::kFloat);
    for (std::int64_t i = 0; i < count; ++i)
      core::fill_normals(0, core::Stream::latents, i,
                         std::span<float>(z.mutable_data_ptr<float>() + i * model_.config.z_dim,
                                          static_cast<std::size_t>(model_.config.z_dim)));
    const at::Tensor classes =
        model_.config.c_dim > 0
            ? stylegan2::one_hot(at::zeros({count}, at::TensorOptions().dtype(at::kLong)), model_.config.c_dim)
            : at::Tensor();
    return styles(mapping(z, classes));
  }

  void check_mode(const at::Tensor& s, const at::Tensor& expected) {
    std::string problem;
    try {
      synthesis_.emplace(model_.config, weights_, device_, mode_ == CudaMode::bf16 ? at::kBFloat16 : at::kFloat);
      const double difference =
          deviation(run(*synthesis_, mode_, s, NoiseSource::constant, {}, TorchEpilogues{}), expected);
      if (!(difference <= mode_tolerance(mode_)))
        problem = "its images differ from float32 by " + std::to_string(difference) + " of their root mean square";
    } catch (const c10::Error& error) {
      problem = error.what_without_backtrace();
    }
    if (problem.empty()) return;
    warnings_.push_back(std::string("CudaBackend: the mode ") + mode_name(mode_) +
                        " failed its check and ieee is used instead: " + problem);
    mode_ = CudaMode::ieee;
    synthesis_.reset();
  }

  void load_kernels(const at::Tensor& s, const at::Tensor& expected) {
    if (!options_.kernels) {
      kernels_off_ = "switched off";
      return;
    }
    try {
      if (!KernelEpilogues::paints(model_.config.img_channels))
        throw PieceMissing{"they make images of one or three channels, not of " +
                           std::to_string(model_.config.img_channels)};
      if (!table_->torch.streams_missing.empty()) throw PieceMissing{table_->torch.streams_missing};
      if (!table_->driver.missing.empty()) throw PieceMissing{table_->driver.missing};
      if (architecture_ == 0) throw PieceMissing{"the driver does not describe the device"};
      kernels_.emplace(table_->driver, table_->compiler,
                       CubinCache(options_.kernel_cache.empty() ? default_kernel_cache() : options_.kernel_cache),
                       static_cast<int>(options_.device), architecture_,
                       cuda_source(model_.config.conv_clamp.has_value()));
      const double difference = deviation(launch(s, NoiseSource::constant, {}), expected);
      if (!(difference <= mode_tolerance(mode_)))
        throw PieceMissing{"their images differ from float32 by " + std::to_string(difference) +
                           " of their root mean square"};
    } catch (const PieceMissing& missing) {
      lose_kernels(missing.why);
    }
  }

  /// The pass after a convolution reads its output once more; with the kernels it reads the image off on the way.
  [[nodiscard]] GeneratorCost stated_cost() const {
    const std::int64_t element = mode_ == CudaMode::bf16 ? 2 : 4;
    GeneratorCost cost =
        generator_cost(model_.config, kernels_ ? ActivationTraffic::two_pass : ActivationTraffic::eager, element);
    if (!kernels_) return cost;
    cost.launches = 1;  // all norms
    for (const SynthesisLayer& layer : synthesis_layers(model_.config)) {
      if (layer.kind == SynthesisLayer::Kind::to_rgb)
        cost.synthesis_bytes -= element * (layer.in + layer.out) * layer.resolution * layer.resolution;
      else cost.launches += 2;  // convolution, everything else
    }
    return cost;
  }

  /// One pass, with the kernels if there are any.
  [[nodiscard]] at::Tensor launch(const at::Tensor& s, NoiseSource source, const std::vector<at::Tensor>& noise) const {
    if (!kernels_) return run(*synthesis_, mode_, s, source, noise, TorchEpilogues{});
    try {
      return run(*synthesis_, mode_, s, source, noise,
                 KernelEpilogues(*kernels_, table_->torch.native_stream(table_->torch.current_stream(device_))));
    } catch (const PieceMissing& missing) {
      throw KernelFailure{{missing.why}};
    }
  }

  template <class Epilogues>
  [[nodiscard]] static at::Tensor run(const DeviceSynthesis& synthesis, CudaMode mode, const at::Tensor& s,
                                      NoiseSource source, const std::vector<at::Tensor>& noise,
                                      const Epilogues& epilogues) {
    const PrecisionScope precision(mode == CudaMode::tf32);
    return synthesis(s, source, noise, epilogues);
  }

  [[nodiscard]] static double deviation(const at::Tensor& images, const at::Tensor& expected) {
    const at::Tensor exact = expected.to(at::kDouble);
    const double scale = std::sqrt(exact.square().mean().item<double>());
    return (images.to(at::kDouble) - exact).abs().max().item<double>() / std::max(scale, 1e-12);
  }

  [[nodiscard]] at::Tensor here(const at::Tensor& tensor) const {
    return tensor.defined() ? tensor.to(device_) : tensor;
  }

  /// The model's own noise has been uploaded, with its strength; anything else comes with the call.
  [[nodiscard]] NoiseSource source_of(const std::vector<at::Tensor>& noise) const {
    if (noise.empty()) return NoiseSource::none;
    for (std::size_t i = 0; i < noise.size(); ++i)
      if (!noise[i].is_same(own_noise_[i])) return NoiseSource::given;
    return NoiseSource::constant;
  }

  void lose_kernels(const std::string& why) {
    if (graphs_) graphs_.emplace(table_->torch, device_);  // what was captured launches them, so it goes first
    kernels_.reset();
    kernels_off_ = why;
    warnings_.push_back("CudaBackend: LibTorch operations run in place of the fused kernels: " + why);
  }

  void lose_graphs(const std::string& why) {
    graphs_.reset();
    graphs_off_ = why;
    warnings_.push_back("CudaBackend: no CUDA graphs: " + why);
  }

  GeneratorModel model_;
  TensorWeights weights_;  // on the host
  CudaOptions options_;
  CudaMode mode_;
  std::shared_ptr<const CudaTable> table_;
  at::Device device_;
  std::string device_name_;
  int architecture_ = 0;  // 90 for compute capability 9.0
  TensorWeights mapping_;
  at::Tensor style_matrix_;  // [w_dim, D]
  at::Tensor style_bias_;
  std::vector<at::Tensor> own_noise_;
  std::optional<DeviceSynthesis> synthesis_;
  std::optional<CudaKernels> kernels_;
  std::optional<CudaGraphs> graphs_;
  GeneratorCost cost_;
  std::string kernels_off_;
  std::string graphs_off_;
  std::vector<std::string> warnings_;
  mutable std::mutex mutex_;
};

}  // namespace detail
}  // namespace stylegan2

inline CudaBackend::CudaBackend(stylegan2::GeneratorModel model, const CudaOptions& options)
    : engine_(std::make_shared<stylegan2::detail::CudaEngine>(std::move(model), options)) {}
inline const stylegan2::GeneratorModel& CudaBackend::model() const noexcept { return engine_->model(); }
inline std::vector<at::Tensor> CudaBackend::constant_noise() const { return engine_->constant_noise(); }
inline at::Device CudaBackend::device() const noexcept { return engine_->device(); }
inline at::Tensor CudaBackend::mapping(const at::Tensor& z, const at::Tensor& classes) const {
  return engine_->mapping(z, classes);
}
inline at::Tensor CudaBackend::styles(const at::Tensor& w) const { return engine_->styles(w); }
inline at::Tensor CudaBackend::synthesis(const at::Tensor& s, const std::vector<at::Tensor>& noise) const {
  return engine_->synthesis(s, noise);
}
inline CudaMode CudaBackend::mode() const noexcept { return engine_->mode(); }
inline std::string CudaBackend::path() const { return engine_->path(); }
inline GeneratorCost CudaBackend::cost() const { return engine_->cost(); }
inline std::vector<std::string> CudaBackend::warnings() const { return engine_->warnings(); }

}  // namespace v1
}  // namespace faultline
