// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The yardstick: StyleGAN2's synthesis as it is usually written, with a kernel per sample and grouped convolutions
// (Karras et al. 2020, section 2.2), on plain LibTorch operations in float32.

#include <faultline/torch/networks.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace bench {

namespace detail {

/// Modulated convolution with one kernel per sample: W s, demodulated, all samples as groups of one convolution.
/// Shapes: x `[N, I, h, w]`, weight `[O, I, k, k]`, style `[N, I]`.
inline at::Tensor grouped_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& style,
                                      const at::Tensor& filter, bool upsample, bool demodulate) {
  const std::int64_t n = x.size(0), in = weight.size(1), out = weight.size(0), k = weight.size(2);
  at::Tensor kernels = weight.unsqueeze(0) * style.view({n, 1, in, 1, 1});
  if (demodulate)
    kernels = kernels * (kernels.square().sum({2, 3, 4}, true) + faultline::stylegan2::normalization_epsilon).rsqrt();
  const at::Tensor all = x.reshape({1, n * in, x.size(2), x.size(3)});
  if (!upsample)
    return at::conv2d(all, kernels.reshape({n * out, in, k, k}), {}, 1, k / 2, 1, n)
        .view({n, out, x.size(2), x.size(3)});
  const at::Tensor y = at::conv_transpose2d(all, kernels.transpose(1, 2).reshape({n * in, out, k, k}), {}, 2, 0, 0, n)
                           .view({n, out, 2 * x.size(2) + 1, 2 * x.size(3) + 1});
  return at::conv2d(y, filter.expand({out, 1, 4, 4}), {}, 1, 1, 1, out);
}

}  // namespace detail

/// Images `[N, C, R, R]` of flat styles `[N, D]`, constant noise.
inline at::Tensor plain_synthesis(const faultline::stylegan2::GeneratorConfig& config,
                                  const faultline::stylegan2::TensorWeights& weights, const at::Tensor& s) {
  namespace sg = faultline::stylegan2;
  at::Tensor taps = at::ones({4});
  taps.narrow(0, 1, 2).fill_(3.0);
  const at::Tensor filter = (taps.unsqueeze(0) * taps.unsqueeze(1) / 16.0).view({1, 1, 4, 4});
  at::Tensor x = weights["synthesis.b4.const"].unsqueeze(0).repeat({s.size(0), 1, 1, 1});
  at::Tensor image;
  std::int64_t offset = 0;
  for (const auto& layer : sg::synthesis_layers(config)) {
    const std::string name = "synthesis." + layer.name;
    const at::Tensor style = s.narrow(1, offset, layer.in);
    offset += layer.in;
    const at::Tensor bias = weights[name + ".bias"].view({1, -1, 1, 1});
    if (layer.kind == sg::SynthesisLayer::Kind::to_rgb) {
      const at::Tensor rgb =
          detail::grouped_convolution(x, weights[name + ".weight"],
                                      style * (1.0 / std::sqrt(static_cast<double>(layer.in))), filter, false, false) +
          bias;
      image = image.defined() ? sg::upsample2d(image) + rgb : rgb;
    } else {
      x = detail::grouped_convolution(x, weights[name + ".weight"], style, filter,
                                      layer.kind == sg::SynthesisLayer::Kind::upsampling_conv, true);
      x = sg::scaled_leaky_relu(x + weights[name + ".noise_const"] * weights[name + ".noise_strength"] + bias);
    }
  }
  return image;
}

}  // namespace bench
