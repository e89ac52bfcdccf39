// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What happens between two convolutions of the synthesis network, as LibTorch operations on any device: the twin of the
// CUDA kernels, and what runs where they cannot.

#include <faultline/torch/operations.hpp>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// From a convolution's raw sum u to the next convolution's input: clamp(√2 lrelu(u / √norm + noise + bias)) · style.
struct Activation {
  at::Tensor squared_norm;  ///< `[N, C]` float32, Σ_i s² Wsq + 1e-8
  at::Tensor noise;         ///< `[1 or N, 1, r, r]` float32 with its strength, or undefined
  at::Tensor bias;          ///< `[C]` float32
  /// `[N, C]` float32, of the layer that reads the result next; undefined: not scaled
  at::Tensor style;
  std::optional<double> clamp = std::nullopt;
};

/// The image that is read off the activations, added to the upsampled one of the block before.
struct ToRgb {
  at::Tensor weight;    ///< `[O, C]` float32, 1/√C in it
  at::Tensor style;     ///< `[N, C]` float32
  at::Tensor bias;      ///< `[O]` float32
  at::Tensor previous;  ///< `[N, O, r/2, r/2]` float32, or undefined
  std::optional<double> clamp = std::nullopt;
};

/// What the squared norms of all modulated kernels are made of, convolution by convolution.
struct NormTable {
  struct Layer {
    std::int64_t style = 0;  ///< first column of its styles
    std::int64_t in = 0, out = 0;
    at::Tensor squares;  ///< `[O, I]` float32, sums of squares over a kernel's taps; a view of `all`
  };
  std::vector<Layer> layers;
  at::Tensor all;
};

inline at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

/// Epilogues made of LibTorch operations, in float32 whatever the type of the features; differentiable.
class TorchEpilogues {
 public:
  /// Σ_i s² Wsq + 1e-8 of styles `[N, D]`: `[N, O]` per convolution.
  [[nodiscard]] std::vector<at::Tensor> squared_norms(const at::Tensor& s, const NormTable& table) const {
    const at::Tensor squares = s.square();
    std::vector<at::Tensor> norms;
    for (const NormTable::Layer& layer : table.layers)
      norms.push_back(at::matmul(squares.narrow(1, layer.style, layer.in), layer.squares.t()) + normalization_epsilon);
    return norms;
  }

  /// FIR of a transposed convolution's output `[N, C, r + 1, r + 1]`, then the activation -> `[N, C, r, r]` of the same
  /// type.
  [[nodiscard]] at::Tensor fir_activation(const at::Tensor& u, const Activation& to) const {
    return next_input(activated(fir(u.to(at::kFloat), 1, 1, 4.0), to), to, u.scalar_type());
  }

  /// The activation of `u` `[N, C, r, r]`, and the image `[N, O, r, r]` float32. The first is undefined when `wanted`
  /// is false.
  [[nodiscard]] std::pair<at::Tensor, at::Tensor> activation(const at::Tensor& u, const Activation& to,
                                                             const ToRgb& rgb, bool wanted) const {
    const at::Tensor x = activated(u.to(at::kFloat), to);
    const at::Tensor kernel = rgb.weight.unsqueeze(0) * rgb.style.unsqueeze(1);  // [N, O, C]
    at::Tensor image = at::matmul(kernel, x.flatten(2)).reshape({x.size(0), rgb.weight.size(0), x.size(2), x.size(3)}) +
                       rgb.bias.view({1, -1, 1, 1});
    if (rgb.clamp) image = at::clamp(image, -*rgb.clamp, *rgb.clamp);
    if (rgb.previous.defined()) image = upsample2d(rgb.previous) + image;
    return {wanted ? next_input(x, to, u.scalar_type()) : at::Tensor(), image.contiguous()};
  }

 private:
  [[nodiscard]] static at::Tensor activated(at::Tensor u, const Activation& to) {
    u = u * to.squared_norm.rsqrt().unsqueeze(-1).unsqueeze(-1);
    if (to.noise.defined()) u = u + to.noise;
    return bias_activation(u, to.bias, true, to.clamp);
  }

  [[nodiscard]] static at::Tensor next_input(const at::Tensor& x, const Activation& to, c10::ScalarType type) {
    return channels_last((to.style.defined() ? x * to.style.unsqueeze(-1).unsqueeze(-1) : x).to(type));
  }
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
