// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The primitive operations of StyleGAN2 (Karras et al. 2020): short, in any floating type, differentiable twice.
// Everything faster is checked against these.

#include <faultline/stylegan2/config.hpp>
#include <faultline/torch/libtorch.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// x · (mean_j x_j² + 1e-8)^(-1/2) along the last axis of `[N, F]`.
inline at::Tensor normalize_second_moment(const at::Tensor& x) {
  return x * (x.square().mean({-1}, true) + normalization_epsilon).rsqrt();
}

/// √2 · lrelu(x) with slope 0.2.
inline at::Tensor scaled_leaky_relu(const at::Tensor& x) {
  return at::leaky_relu(x, leaky_slope) * std::numbers::sqrt2;
}

/// Fully connected layer with equalised learning rate: x (V · m/√in)ᵀ + v · m.
///
/// Shapes: x `[N, in]`, weight `[out, in]`, bias `[out]` -> `[N, out]`. `multiplier` is the layer's learning-rate
/// multiplier m.
inline at::Tensor fully_connected(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                  double multiplier = 1.0) {
  const double gain = multiplier / std::sqrt(static_cast<double>(weight.size(1)));
  return at::matmul(x, (weight * gain).t()) + bias * multiplier;
}

/// Bias and activation of feature maps: clamp(gain · act(x + bias)), the clamp bound scaled by `residual_gain` too.
///
/// Shapes: x `[N, C, H, W]`, bias `[C]` or undefined. The gain is √2 · q for leaky ReLU and q for a linear layer, q =
/// residual_gain.
inline at::Tensor bias_activation(at::Tensor x, const at::Tensor& bias, bool leaky, std::optional<double> clamp,
                                  double residual_gain = 1.0) {
  if (bias.defined()) x = x + bias.view({1, -1, 1, 1});
  if (leaky) x = at::leaky_relu(x, leaky_slope);
  const double gain = (leaky ? std::numbers::sqrt2 : 1.0) * residual_gain;
  if (gain != 1.0) x = x * gain;
  return clamp ? at::clamp(x, -*clamp * residual_gain, *clamp * residual_gain) : x;
}

namespace detail {

/// One axis of the FIR filter [1, 3, 3, 1] / 8, valid positions only, every `step`-th output.
inline at::Tensor fir_axis(const at::Tensor& x, std::int64_t axis, std::int64_t step, double gain) {
  const std::int64_t count = (x.size(axis) - 4) / step + 1;
  const auto tap = [&](std::int64_t offset) { return x.slice(axis, offset, offset + (count - 1) * step + 1, step); };
  return at::add(tap(0) + tap(3), tap(1) + tap(2), 3.0) * (gain / 8.0);
}

/// One axis of `upsample2d`: y[2m] = ¼ x[m−1] + ¾ x[m], y[2m+1] = ¾ x[m] + ¼ x[m+1], zero outside.
inline at::Tensor upsample_axis(const at::Tensor& x, std::int64_t axis) {
  const std::int64_t n = x.size(axis);
  const at::Tensor padded = axis == 3 ? at::constant_pad_nd(x, {1, 1}) : at::constant_pad_nd(x, {0, 0, 1, 1});
  const auto tap = [&](std::int64_t offset) { return padded.narrow(axis, offset, n); };
  auto shape = x.sizes().vec();
  shape[static_cast<std::size_t>(axis)] = 2 * n;
  return at::stack({tap(0) * 0.25 + tap(1) * 0.75, tap(1) * 0.75 + tap(2) * 0.25}, axis + 1).reshape(shape);
}

}  // namespace detail

/// FIR low-pass [1,3,3,1] ⊗ [1,3,3,1] / 64 · gain with `pad` zeros on every side, keeping every `step`-th output from
/// the first.
///
/// Shapes: `[N, C, n, n]` -> `[N, C, m, m]`, m = ⌊(n + 2 pad − 4) / step⌋ + 1.
inline at::Tensor fir(const at::Tensor& x, std::int64_t pad, std::int64_t step = 1, double gain = 1.0) {
  const at::Tensor padded = at::constant_pad_nd(x, {pad, pad, pad, pad});
  return detail::fir_axis(detail::fir_axis(padded, 2, step, std::sqrt(gain)), 3, step, std::sqrt(gain));
}

/// Image upsampling by 2; not `interpolate`: samples outside the image are zero, not repeated.
inline at::Tensor upsample2d(const at::Tensor& x) { return detail::upsample_axis(detail::upsample_axis(x, 2), 3); }

/// Convolution by 3x3 that doubles the resolution: transposed convolution (n -> 2n + 1), then FIR (-> 2n). Weight `[O,
/// I, 3, 3]`.
inline at::Tensor upsampling_conv(const at::Tensor& x, const at::Tensor& weight) {
  return fir(at::conv_transpose2d(x, weight.transpose(0, 1), {}, 2), 1, 1, 4.0);
}

/// Convolution by 3x3 that halves the resolution: FIR (n -> n + 1), then stride 2 (-> n/2). Weight `[O, I, 3, 3]`.
inline at::Tensor downsampling_conv(const at::Tensor& x, const at::Tensor& weight) {
  return at::conv2d(fir(x, 2), weight, {}, 2);
}

/// Reciprocal norm of every modulated kernel, d[n, o] = (Σ_i s[n, i]² Wsq[o, i] + 1e-8)^(-1/2), Wsq[o, i] = Σ_ab W[o,
/// i, a, b]².
///
/// A scale per input channel commutes with the convolution, so no per-sample kernel is ever formed.
inline at::Tensor demodulation(const at::Tensor& weight, const at::Tensor& style) {
  return (at::matmul(style.square(), weight.square().sum({2, 3}).t()) + normalization_epsilon).rsqrt();
}

/// Modulated convolution in its style-equivalent form: d · Conv_W(s · x).
///
/// Shapes: x `[N, I, h, w]` (or `[1, I, h, w]`, repeated), weight `[O, I, k, k]`, style `[N, I]` -> `[N, O, h', w']`.
inline at::Tensor modulated_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& style, bool upsample,
                                 bool demodulate) {
  const at::Tensor scaled = x * style.unsqueeze(-1).unsqueeze(-1);
  const at::Tensor y =
      upsample ? upsampling_conv(scaled, weight) : at::conv2d(scaled, weight, {}, 1, weight.size(2) / 2);
  return demodulate ? y * demodulation(weight, style).unsqueeze(-1).unsqueeze(-1) : y;
}

/// Appends `features` channels holding the standard deviation of each group of samples, averaged over channels and
/// pixels (Karras et al. 2018, section 3).
///
/// Shapes: `[N, C, H, W]` -> `[N, C + features, H, W]`; groups are strided, {j, j + N/G, …}; N must be a multiple of G
/// = min(group, N).
inline at::Tensor minibatch_std(const at::Tensor& x, std::int64_t group, std::int64_t features) {
  const std::int64_t n = x.size(0);
  const std::int64_t g = group == 0 ? n : std::min(group, n);
  const at::Tensor grouped = x.reshape({g, n / g, features, x.size(1) / features, x.size(2), x.size(3)});
  const at::Tensor variance = (grouped - grouped.mean({0}, true)).square().mean({0});
  const at::Tensor deviation = (variance + normalization_epsilon).sqrt().mean({2, 3, 4});  // [N/G, features]
  const at::Tensor channel =
      deviation.repeat({g, 1}).view({n, features, 1, 1}).expand({n, features, x.size(2), x.size(3)});
  return at::cat({x, channel}, 1);
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
