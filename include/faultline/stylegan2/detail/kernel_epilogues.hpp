// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The epilogues as launches of the CUDA kernels; same calls as TorchEpilogues.

#include <faultline/stylegan2/detail/cuda_kernels.hpp>
#include <faultline/stylegan2/detail/epilogue.hpp>

#include <cstdint>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// Launches on one stream. Images of more than four channels, batches beyond a grid and other types than float32 and bfloat16 take the LibTorch operations. Throws PieceMissing.
class KernelEpilogues {
 public:
  KernelEpilogues(const CudaKernels& kernels, void* stream) : kernels_(&kernels), stream_(stream) {}

  [[nodiscard]] at::Tensor fir_activation(const at::Tensor& u, const Activation& to) const {
    if (!fits(u)) return plain_.fir_activation(u, to);
    const std::int64_t size = u.size(2) - 1;
    at::Tensor out = at::empty({u.size(0), u.size(1), size, size}, u.options().memory_format(at::MemoryFormat::ChannelsLast));
    const EpilogueArguments arguments = arguments_of(u, out, size, to);
    kernels_->fir(is_bf16(u), is_wide(arguments), u.size(0), arguments, stream_);
    return out;
  }

  /// (in place: `u` is a convolution's fresh result)
  [[nodiscard]] std::pair<at::Tensor, at::Tensor> activation(const at::Tensor& u, const Activation& to, const ToRgb& rgb, bool wanted) const {
    if (!fits(u) || rgb.weight.size(0) > 4) return plain_.activation(u, to, rgb, wanted);
    const std::int64_t size = u.size(2);
    at::Tensor image = at::empty({u.size(0), rgb.weight.size(0), size, size}, rgb.bias.options());
    EpilogueArguments arguments = arguments_of(u, wanted ? u : at::Tensor(), size, to);
    arguments.style_stride = rgb.style.stride(0);
    ToRgbArguments head{};
    head.weight = rgb.weight.const_data_ptr<float>();
    head.style = rgb.style.const_data_ptr<float>();
    head.bias = rgb.bias.const_data_ptr<float>();
    head.previous = rgb.previous.defined() ? rgb.previous.const_data_ptr<float>() : nullptr;
    head.image = image.mutable_data_ptr<float>();
    head.channels = static_cast<int>(rgb.weight.size(0));
    head.clamp = rgb.clamp ? static_cast<float>(*rgb.clamp) : 0.0f;
    kernels_->point(is_bf16(u), is_wide(arguments) && aligned(head.weight) && aligned(head.style), u.size(0), arguments, head, stream_);
    return {wanted ? u : at::Tensor(), image};
  }

 private:
  static bool is_bf16(const at::Tensor& u) { return u.scalar_type() == at::kBFloat16; }
  static bool fits(const at::Tensor& u) { return u.size(0) <= CudaKernels::most_samples && (u.scalar_type() == at::kFloat || is_bf16(u)); }
  static bool aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; }

  /// Whether four channels can move as one word.
  static bool is_wide(const EpilogueArguments& a) {
    return a.channels % 4 == 0 && a.style_stride % 4 == 0 && aligned(a.in) && aligned(a.out) && aligned(a.squared_norm) && aligned(a.bias) && aligned(a.style);
  }

  static EpilogueArguments arguments_of(const at::Tensor& u, const at::Tensor& out, std::int64_t size, const Activation& to) {
    EpilogueArguments a{};
    a.in = u.const_data_ptr();
    a.out = out.defined() ? out.mutable_data_ptr() : nullptr;
    a.squared_norm = to.squared_norm.const_data_ptr<float>();
    a.bias = to.bias.const_data_ptr<float>();
    if (to.noise.defined()) {
      a.noise = to.noise.const_data_ptr<float>();
      a.noise_stride = to.noise.size(0) == 1 ? 0 : size * size;
    }
    if (to.style.defined()) {
      a.style = to.style.const_data_ptr<float>();
      a.style_stride = to.style.stride(0);
    }
    a.size = static_cast<int>(size);
    a.channels = static_cast<int>(u.size(1));
    a.clamp = to.clamp ? static_cast<float>(*to.clamp) : 0.0f;
    return a;
  }

  const CudaKernels* kernels_;
  void* stream_;
  TorchEpilogues plain_;
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
