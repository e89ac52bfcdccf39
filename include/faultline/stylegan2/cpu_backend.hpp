// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The backend for populations on a CPU: own convolution kernels with everything between two convolutions in one pass,
// float32 or bfloat16.

#include <faultline/concepts/generator_cost.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/stylegan2/generator_model.hpp>
#include <faultline/stylegan2/host_arrays.hpp>
#include <faultline/stylegan2/noise.hpp>
#include <faultline/stylegan2/synthesis_edits.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace kernels {
struct Kernels;
}  // namespace kernels
namespace stylegan2::detail {
struct CpuEngine;
}  // namespace stylegan2::detail

/// How CpuBackend computes.
struct CpuOptions {
  /// `bf16` rounds weights and activations to bfloat16 and sums in float32: about twice as fast where the processor has
  /// AVX512-BF16.
  enum class Precision { fp32, bf16 };
  Precision precision = Precision::fp32;
  /// Whether plain float32 convolutions go Winograd's way, F(2x2, 3x3) of Lavin and Gray (2016): 16 products where the
  /// definition has 36, with rounding errors of the same size.
  bool winograd = true;
};

/// Runs a generator on the CPU at the speed of its arithmetic, on arrays in host memory.
///
/// Modulated convolution in its style-equivalent form (Karras et al. 2020, appendix B): one shared kernel, d from the
/// product of squared styles with squared weights; b4.conv1 is one matrix product, since its input is a constant; plain
/// convolutions by Winograd's algorithm. Kernels for AVX-512, AVX2 and any processor are chosen at run time.
///
/// A row of any result depends on its own arguments alone, bit for bit: not on the batch, its size or the number of
/// threads (`available_threads`). Agrees with ReferenceBackend to 1e-4 in float32 (about 1e-6 is seen). With bf16 the
/// first use is a comparison with float32; where it is wrong, or the processor lacks the instructions, float32 is used
/// and `warnings()` say so. Calls may come from several threads at a time.
/// **Cost**: memory for the packed weights (as many as in the file, twice the first layer) and the activations of 4
/// images per thread. Copies share all of it.
class CpuBackend {
 public:
  using Options = CpuOptions;
  using Arrays = stylegan2::HostArrays;
  static constexpr bool batch_invariant = true;

  /// Throws invalid_argument, missing_tensor, wrong_tensor_shape for a model that is not whole.
  explicit CpuBackend(stylegan2::GeneratorModel model, const CpuOptions& options = {});

  /// With given kernels, for tests and comparisons; they must be among those the processor runs.
  CpuBackend(stylegan2::GeneratorModel model, const CpuOptions& options, const kernels::Kernels& kernels);

  [[nodiscard]] const stylegan2::GeneratorModel& model() const noexcept;

  /// How images are made, for reports: kernels and precision.
  [[nodiscard]] const std::string& path() const noexcept;
  /// Why another precision than the one asked for.
  [[nodiscard]] const std::vector<std::string>& warnings() const noexcept;

  /// What rows and images cost: every convolution reads its input and writes its output once. Products are those of the
  /// definition, which Winograd's algorithm stays below.
  [[nodiscard]] GeneratorCost cost() const;

  /// w `[N, w_dim]` before truncation, of z `[N, z_dim]` and one label per row (none when unconditional).
  [[nodiscard]] Matrix<float> mapping(const Matrix<float>& z, std::span<const std::int64_t> labels) const;

  /// Styles `[N, D]` of w `[N, w_dim]` or `[N, num_ws · w_dim]`.
  [[nodiscard]] Matrix<float> styles(const Matrix<float>& w) const;

  /// Images of styles `[N, D]`.
  [[nodiscard]] ImageBatch synthesis(const Matrix<float>& s, const stylegan2::NoiseImages& noise) const;

  /// dL/ds `[N, D]` of dL/dimage `[N, C, R, R]`, in float32 whatever the precision. Nothing flows through a value that
  /// a clamp has cut. Cost: about three times `synthesis`; the first call packs the weights once more.
  [[nodiscard]] Matrix<float> pullback(const Matrix<float>& s, const stylegan2::NoiseImages& noise,
                                       const ImageBatch& image_gradient) const;

  /// A session of single-channel edits of start latents `[N, D]`, with the model's own noise.
  [[nodiscard]] stylegan2::SynthesisEdits begin_edits(const Matrix<float>& s) const;

 private:
  std::shared_ptr<stylegan2::detail::CpuEngine> engine_;
};

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/stylegan2/detail/cpu_backend_impl.hpp>
#endif
