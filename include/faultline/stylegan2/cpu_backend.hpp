// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The backend for populations on a CPU: own convolution kernels with everything between two convolutions in one pass,
// float32 or bfloat16.

#include <faultline/stylegan2/cost.hpp>
#include <faultline/stylegan2/detail/cpu_gradient.hpp>
#include <faultline/stylegan2/detail/cpu_mapping.hpp>
#include <faultline/stylegan2/detail/cpu_synthesis.hpp>
#include <faultline/stylegan2/model_file.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

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

/// Runs a generator on the CPU at the speed of its arithmetic.
///
/// Modulated convolution in its style-equivalent form (Karras et al. 2020, appendix B): one shared kernel, d from the
/// product of squared styles with squared weights; b4.conv1 is one matrix product, since its input is a constant; plain
/// convolutions by Winograd's algorithm. Kernels for AVX-512, AVX2 and any processor are chosen at run time.
///
/// An image depends on its own styles alone, bit for bit: not on the batch, its size or the number of threads. Agrees
/// with ReferenceBackend to 1e-4 in float32 (about 1e-6 is seen). With bf16 the first use is a comparison with float32;
/// where it is wrong, or the processor lacks the instructions, float32 is used and `warnings()` say so. Gradients:
/// `pullback` runs the same kernels backward; a call whose argument requires gradients takes ReferenceBackend's way.
/// Memory: the packed weights (as many as in the file, twice the first layer) and the activations of 4 images per
/// thread.
class CpuBackend {
 public:
  using Options = CpuOptions;
  static constexpr bool batch_invariant = true;

  explicit CpuBackend(stylegan2::GeneratorModel model, const CpuOptions& options = {})
      : CpuBackend(std::move(model), options, *kernels::runnable_kernels().front()) {}

  /// With given kernels, for tests and comparisons; they must be among those the processor runs.
  CpuBackend(stylegan2::GeneratorModel model, const CpuOptions& options, const kernels::Kernels& kernels);

  [[nodiscard]] const stylegan2::GeneratorModel& model() const noexcept { return model_; }

  /// How images are made, for reports: kernels and precision.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Why another precision than the one asked for.
  [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  /// What rows and images cost: every convolution reads its input and writes its output once. Products are those of the
  /// definition, which Winograd's algorithm stays below.
  [[nodiscard]] GeneratorCost cost() const {
    return stylegan2::generator_cost(model_.config, stylegan2::ActivationTraffic::fused,
                                     state_->weights.narrow ? 2 : 4);
  }

  /// w `[N, w_dim]` before truncation; `classes` one-hot or soft, undefined when unconditional.
  [[nodiscard]] at::Tensor mapping(const at::Tensor& z, const at::Tensor& classes) const;

  /// Flat styles `[N, D]` of w `[N, w_dim]` or `[N, num_ws, w_dim]`.
  [[nodiscard]] at::Tensor styles(const at::Tensor& w) const;

  /// Images of flat styles; `noise` is empty or holds one tensor per convolution.
  [[nodiscard]] at::Tensor synthesis(const at::Tensor& s, const std::vector<at::Tensor>& noise) const;

  /// Images from the state before a layer on (see `stylegan2::ResumesSynthesis`): what edits of single channels run.
  [[nodiscard]] at::Tensor synthesis_from(const stylegan2::SynthesisState& from, const at::Tensor& s,
                                          const std::vector<at::Tensor>& noise) const;

  /// dL/ds `[N, D]` of dL/dimage `[N, C, R, R]`, in float32 whatever the precision. Cost: about three times
  /// `synthesis`; the first call packs the weights once more.
  [[nodiscard]] at::Tensor pullback(const at::Tensor& s, const std::vector<at::Tensor>& noise,
                                    const at::Tensor& image_gradient) const;

 private:
  struct State {
    stylegan2::detail::cpu::SynthesisWeights weights;
    stylegan2::detail::cpu::WorkspacePool pool;
    std::once_flag once;  // for what pullback needs
    std::unique_ptr<const stylegan2::detail::cpu::SynthesisWeights> exact;
    std::unique_ptr<const stylegan2::detail::cpu::GradientWeights> gradient;
    stylegan2::detail::cpu::WorkspacePool gradient_pool;
  };
  [[nodiscard]] static at::Tensor run(State& state, const stylegan2::GeneratorConfig& config, const at::Tensor& s,
                                      const std::vector<at::Tensor>& noise);

  stylegan2::GeneratorModel model_;
  StyleLayout layout_;
  std::shared_ptr<const stylegan2::detail::cpu::Mapping> mapping_;
  std::shared_ptr<State> state_;  // copies share it; its weights never change
  std::string path_;
  std::vector<std::string> warnings_;
};

}  // namespace v1
}  // namespace faultline

#include <faultline/stylegan2/detail/cpu_backend_impl.hpp>
