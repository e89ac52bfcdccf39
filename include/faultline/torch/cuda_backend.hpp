// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The backend for CUDA devices: LibTorch's convolutions, everything between them in kernels compiled at run time, the
// whole in CUDA graphs.

#include <faultline/stylegan2/generator.hpp>
#include <faultline/torch/tensor_arrays.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace stylegan2::detail {
struct CudaTable;
class CudaEngine;
}  // namespace stylegan2::detail

/// How a CudaBackend computes its convolutions. Mapping, styles, norms and images are float32 in every mode.
enum class CudaMode {
  ieee,  ///< float32 as IEEE 754 has it: equals the reference to 1e-4
  tf32,  ///< float32 whose products keep ten bits of mantissa (tensor cores)
  bf16,  ///< features and kernels in bfloat16, sums in float32 (tensor cores)
};

/// Options of a CudaBackend.
struct CudaOptions {
  CudaMode mode = CudaMode::ieee;
  std::int64_t device = 0;  ///< ordinal of the device
  bool kernels = true;      ///< compile our kernels; false: LibTorch operations only
  bool graphs = true;       ///< capture CUDA graphs; false: queue every operation
  /// Folder of compiled kernels; empty: $FAULTLINE_CACHE_DIR/kernels, else ~/.cache/faultline/kernels
  std::filesystem::path kernel_cache = {};
  /// For tests: another way to driver, compiler and LibTorch's CUDA half; empty: the machine's
  std::shared_ptr<const stylegan2::detail::CudaTable> table = {};
};

/// Runs a generator on a CUDA device.
///
/// Results are device tensors; arguments may be on the host or the device. Modulated convolution in its
/// style-equivalent form, d · Conv_W(s · x) with one kernel for the whole batch (Karras et al. 2020, section 2.2), in
/// channels-last layout; b4.conv1 is one matrix product. FIR, demodulation, noise, bias, activation, clamp, next style
/// and ToRGB between two convolutions are one kernel.
/// **Falls back**: without NVRTC, a compiled kernel or a capture it goes on with LibTorch operations; `path()` says
/// what runs, `warnings()` why. At start-up the chosen mode and the kernels are checked against float32: a mode that
/// computes wrongly is replaced by `ieee`.
/// **Gradients**: where LibTorch's gradient mode is on and an argument asks for them, everything runs as LibTorch
/// operations.
/// **Throws** device_unavailable when there is no CUDA device, or it is too old for the mode (tf32 and bf16 need
/// compute capability 8.0).
/// **Cost**: about two launches per convolution; the second call with a batch size captures a graph, later ones replay
/// it and copy the styles in and the images out (with the kernels, passes of over four billion products per launch need
/// none). Copies share weights and graphs; calls from several threads take turns. `Noise::random` is made on the host
/// and uploaded.
/// Example: `auto generator = Generator<CudaBackend>::load("digits.safetensors", Integrity::checked, {.mode =
/// CudaMode::bf16});`
class CudaBackend {
 public:
  using Options = CudaOptions;
  using Arrays = stylegan2::TensorArrays;

  explicit CudaBackend(stylegan2::GeneratorModel model, const CudaOptions& options = {});

  /// The model, on the host.
  [[nodiscard]] const stylegan2::GeneratorModel& model() const noexcept;
  [[nodiscard]] at::Device device() const noexcept;
  /// The stored noise images, one per convolution, on the host.
  [[nodiscard]] std::vector<at::Tensor> constant_noise() const;

  [[nodiscard]] at::Tensor mapping(const at::Tensor& z, const at::Tensor& classes) const;
  [[nodiscard]] at::Tensor styles(const at::Tensor& w) const;
  [[nodiscard]] at::Tensor synthesis(const at::Tensor& s, const std::vector<at::Tensor>& noise) const;

  /// The mode in use: the one asked for, or `ieee` when that one failed its check.
  [[nodiscard]] CudaMode mode() const noexcept;
  /// How images are made, for reports, in one line: device, mode, fused kernels or LibTorch operations, graphs or not.
  [[nodiscard]] std::string path() const;
  /// Work per row and launches per call, as chosen at start-up: with the kernels two launches per convolution and one
  /// for all norms; launches of LibTorch operations are not counted.
  [[nodiscard]] GeneratorCost cost() const;
  /// One sentence for each piece that is missing; empty when all is as asked for.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  std::shared_ptr<stylegan2::detail::CudaEngine> engine_;
};

}  // namespace v1
}  // namespace faultline

#include <faultline/torch/detail/cuda_backend_impl.hpp>
