// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The epilogues as launches of the CUDA kernels; same calls as TorchEpilogues.

#include <faultline/torch/detail/cuda_kernels.hpp>
#include <faultline/torch/detail/epilogue.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// Launches on one stream. Images that are neither grey nor of three channels, batches beyond a grid, samples beyond 32
/// bits and other types than float32 and bfloat16 take the LibTorch operations. Throws PieceMissing.
class KernelEpilogues {
 public:
  KernelEpilogues(const CudaKernels& kernels, void* stream) : kernels_(&kernels), stream_(stream) {}

  /// Whether there is a kernel for images of so many channels.
  [[nodiscard]] static bool paints(std::int64_t colours) { return colours == 1 || colours == 3; }

  [[nodiscard]] std::vector<at::Tensor> squared_norms(const at::Tensor& s, const NormTable& table) const {
    const std::int64_t count = s.size(0);
    if (count > CudaKernels::most_samples || table.layers.size() > static_cast<std::size_t>(norm_layers))
      return plain_.squared_norms(s, table);
    NormArguments a{};
    bool wide = s.stride(0) % 4 == 0 && aligned(s.const_data_ptr());
    int outs = 0;
    for (const NormTable::Layer& layer : table.layers) {
      a.layer[a.count++] = {static_cast<int>(layer.style),
                            static_cast<int>(layer.in),
                            static_cast<int>(layer.out),
                            outs,
                            a.warps,
                            layer.squares.const_data_ptr<float>() - table.all.const_data_ptr<float>()};
      outs += static_cast<int>(layer.out);
      a.warps += (static_cast<int>(layer.out) + norm_outs - 1) / norm_outs;
      wide = wide && layer.style % 4 == 0 && layer.in % 4 == 0;
    }
    const at::Tensor all = at::empty({count * std::int64_t{outs}}, s.options());
    a.style = s.const_data_ptr<float>();
    a.weight = table.all.const_data_ptr<float>();
    a.out = all.mutable_data_ptr<float>();
    a.style_stride = s.stride(0);
    a.samples = static_cast<int>(count);
    a.epsilon = static_cast<float>(normalization_epsilon);
    kernels_->norms(wide, a, stream_);
    std::vector<at::Tensor> norms;
    for (int l = 0; l < a.count; ++l)
      norms.push_back(all.narrow(0, count * a.layer[l].before, count * a.layer[l].out).view({count, a.layer[l].out}));
    return norms;
  }

  [[nodiscard]] at::Tensor fir_activation(const at::Tensor& u, const Activation& to) const {
    if (!fits(u)) return plain_.fir_activation(u, to);
    const std::int64_t size = u.size(2) - 1;
    at::Tensor out =
        at::empty({u.size(0), u.size(1), size, size}, u.options().memory_format(at::MemoryFormat::ChannelsLast));
    const EpilogueArguments arguments = arguments_of(u, out, size, to);
    kernels_->fir(is_bf16(u), is_wide(arguments, CudaKernels::fir_width), u.size(0), arguments, stream_);
    return out;
  }

  /// (in place: `u` is a convolution's fresh result)
  [[nodiscard]] std::pair<at::Tensor, at::Tensor> activation(const at::Tensor& u, const Activation& to,
                                                             const ToRgb& rgb, bool wanted) const {
    const std::int64_t colours = rgb.weight.size(0);
    if (!fits(u) || !paints(colours)) return plain_.activation(u, to, rgb, wanted);
    const std::int64_t size = u.size(2);
    at::Tensor image = at::empty({u.size(0), colours, size, size}, rgb.bias.options());
    EpilogueArguments arguments = arguments_of(u, wanted ? u : at::Tensor(), size, to);
    arguments.style_stride = rgb.style.stride(0);
    ToRgbArguments head{};
    head.weight = rgb.weight.const_data_ptr<float>();
    head.style = rgb.style.const_data_ptr<float>();
    head.bias = rgb.bias.const_data_ptr<float>();
    head.previous = rgb.previous.defined() ? rgb.previous.const_data_ptr<float>() : nullptr;
    head.image = image.mutable_data_ptr<float>();
    head.clamp = limit(rgb.clamp);
    kernels_->point(
        is_bf16(u),
        is_wide(arguments, CudaKernels::point_width(is_bf16(u))) && aligned(head.weight) && aligned(head.style),
        colours, u.size(0), arguments, head, stream_);
    return {wanted ? u : at::Tensor(), image};
  }

 private:
  static float limit(const std::optional<double>& clamp) {
    return clamp ? static_cast<float>(*clamp) : std::numeric_limits<float>::infinity();
  }
  static bool is_bf16(const at::Tensor& u) { return u.scalar_type() == at::kBFloat16; }
  /// (within a sample the kernels count in 32 bits)
  static bool fits(const at::Tensor& u) {
    return u.size(0) <= CudaKernels::most_samples && u.numel() / u.size(0) <= std::numeric_limits<int>::max() &&
           (u.scalar_type() == at::kFloat || is_bf16(u));
  }
  static bool aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; }

  /// Whether `width` channels can move as one word.
  static bool is_wide(const EpilogueArguments& a, int width) {
    return a.channels % width == 0 && a.style_stride % 4 == 0 && aligned(a.in) && aligned(a.out) &&
           aligned(a.squared_norm) && aligned(a.bias) && aligned(a.style);
  }

  static EpilogueArguments arguments_of(const at::Tensor& u, const at::Tensor& out, std::int64_t size,
                                        const Activation& to) {
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
    a.clamp = limit(to.clamp);
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
