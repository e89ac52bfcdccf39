// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The StyleGAN2 networks with fused steps between the convolutions: for training in float32 on the CPU, checked against
// stylegan2/networks.hpp. The discriminator is differentiable twice, for R1; the generator once: path length
// regularisation runs the plain networks.

#include <faultline/torch/networks.hpp>
#include <faultline/torch/training/detail/fused_kernels.hpp>
#include <faultline/torch/training/detail/libtorch_loop.hpp>
#include <faultline/torch/training/libtorch.hpp>

#include <optional>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

namespace detail {

using torch::autograd::AutogradContext;
using Variables = torch::autograd::variable_list;

inline const float* floats(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

/// Absent tensors must not reach `Function::apply` as undefined ones.
inline std::optional<at::Tensor> if_defined(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional<at::Tensor>(tensor) : std::nullopt;
}

/// Runs `fir_plane` over `count` planes of side `in`.
inline at::Tensor fir_planes(const at::Tensor& input, std::int64_t pad, double gain) {
  const at::Tensor x = input.contiguous();
  const std::int64_t in = x.size(3);
  const std::int64_t out = in + 2 * pad - 3;
  at::Tensor y = at::empty({x.size(0), x.size(1), out, out}, x.options());
  const float* from = floats(x);
  float* to = y.data_ptr<float>();
  libtorch_loop(x.size(0) * x.size(1), 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(static_cast<std::size_t>(in + 2 * pad)), zeros(static_cast<std::size_t>(in));
    for (std::int64_t p = begin; p < end; ++p)
      fused_kernels().fir_plane(from + p * in * in, in, pad, static_cast<float>(gain / 64.0), to + p * out * out,
                                row.data(), zeros.data());
  });
  return y;
}

/// From the raw response of a convolution to what the next one reads: [FIR,] demodulation, noise, bias, activation,
/// next style; and the ToRGB sum.
///
/// Inputs: u `[N, C, h, w]` (2n + 1 wide before the FIR), d `[N, C]`, noise `[N, 1, r, r]` or undefined, strength [],
/// bias `[C]`, style `[N, C]` or undefined, rgb `[N, K, C]` or undefined. Outputs: y · style (or y itself without a
/// style when there is no rgb) and Σ_c rgb · y `[N, K, r, r]`.
struct SynthesisEpilogue : public torch::autograd::Function<SynthesisEpilogue> {
  static Variables forward(AutogradContext* context, const at::Tensor& response, const at::Tensor& d,
                           const std::optional<at::Tensor>& maybe_noise, const at::Tensor& strength,
                           const at::Tensor& bias, const std::optional<at::Tensor>& maybe_style,
                           const std::optional<at::Tensor>& maybe_rgb, bool filter) {
    const at::Tensor noise = maybe_noise.value_or(at::Tensor()), style = maybe_style.value_or(at::Tensor()),
                     rgb = maybe_rgb.value_or(at::Tensor());
    const at::Tensor u = filter ? fir_planes(response, 1, 4.0) : response.contiguous();
    const std::int64_t n = u.size(0), channels = u.size(1), pixels = u.size(2) * u.size(3);
    const std::int64_t colours = rgb.defined() ? rgb.size(1) : 0;
    at::Tensor y = at::empty(u.sizes(), u.options());
    at::Tensor scaled = style.defined() ? at::empty(u.sizes(), u.options()) : at::Tensor();
    at::Tensor image = colours > 0 ? at::zeros({n, colours, u.size(2), u.size(3)}, u.options()) : at::Tensor();
    const at::Tensor demodulation = d.contiguous(), styles = style.defined() ? style.contiguous() : style,
                     weights = rgb.defined() ? rgb.contiguous() : rgb, biases = bias.contiguous();
    const float sigma = noise.defined() ? strength.item<float>() : 0.0f;
    const float *from = floats(u), *dp = floats(demodulation), *np = floats(noise), *bp = floats(biases),
                *sp = floats(styles), *wp = floats(weights);
    float *yp = y.data_ptr<float>(), *scp = scaled.defined() ? scaled.data_ptr<float>() : nullptr,
          *ip = image.defined() ? image.data_ptr<float>() : nullptr;
    libtorch_loop(n, 1, [&](std::int64_t i, std::int64_t) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t plane = i * channels + c;
        fused_kernels().epilogue_plane(from + plane * pixels, pixels, dp[plane], np ? np + i * pixels : nullptr, sigma,
                                       bp[c], sp ? sp[plane] : 1.0f, wp ? wp + i * colours * channels + c : nullptr,
                                       colours, channels, yp + plane * pixels, scp ? scp + plane * pixels : nullptr,
                                       ip ? ip + i * colours * pixels : nullptr);
      }
    });
    context->save_for_backward({y, demodulation, noise, strength, biases, styles, weights});
    context->saved_data["filter"] = filter;
    return {scaled.defined() ? scaled : y, image.defined() ? image : at::empty({0}, u.options())};
  }

  static Variables backward(AutogradContext* context, Variables incoming) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &y = saved[0], &d = saved[1], &noise = saved[2], &strength = saved[3], &bias = saved[4],
                     &style = saved[5], &rgb = saved[6];
    const std::int64_t n = y.size(0), channels = y.size(1), pixels = y.size(2) * y.size(3);
    const std::int64_t colours = rgb.defined() ? rgb.size(1) : 0;
    const bool direct = style.defined() || colours == 0;  // without style and rgb the first output is y itself
    const at::Tensor gscaled = direct && incoming[0].defined() ? incoming[0].contiguous() : at::Tensor();
    const at::Tensor gimage = colours > 0 && incoming[1].defined() ? incoming[1].contiguous() : at::Tensor();
    const std::int64_t used_colours = gimage.defined() ? colours : 0;
    at::Tensor gu = at::empty(y.sizes(), y.options());
    at::Tensor sums = at::empty({4, n, channels}, y.options());
    at::Tensor grgb = colours > 0 ? at::zeros(rgb.sizes(), y.options()) : at::Tensor();
    const float sigma = noise.defined() ? strength.item<float>() : 0.0f;
    const float *yp = floats(y), *dp = floats(d), *np = floats(noise), *bp = floats(bias), *sp = floats(style),
                *wp = floats(rgb), *gsp = floats(gscaled), *gip = floats(gimage);
    float *gup = gu.data_ptr<float>(), *sump = sums.data_ptr<float>(),
          *grp = grgb.defined() ? grgb.data_ptr<float>() : nullptr;
    libtorch_loop(n, 1, [&](std::int64_t i, std::int64_t) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t plane = i * channels + c;
        PlaneSums plane_sums;
        fused_kernels().epilogue_plane_backward(
            yp + plane * pixels, pixels, dp[plane], np ? np + i * pixels : nullptr, sigma, bp[c], sp ? sp[plane] : 1.0f,
            wp ? wp + i * colours * channels + c : nullptr, used_colours, channels,
            gsp ? gsp + plane * pixels : nullptr, gip ? gip + i * colours * pixels : nullptr, gup + plane * pixels,
            grp ? grp + i * colours * channels + c : nullptr, plane_sums);
        sump[plane] = plane_sums.d;
        sump[n * channels + plane] = plane_sums.bias;
        sump[2 * n * channels + plane] = plane_sums.strength;
        sump[3 * n * channels + plane] = plane_sums.style;
      }
    });
    const at::Tensor gresponse = context->saved_data["filter"].toBool() ? fir_planes(gu, 2, 4.0) : gu;
    return {gresponse,      sums[0],
            at::Tensor(),   noise.defined() ? sums[2].sum() : at::Tensor(),
            sums[1].sum(0), style.defined() ? sums[3] : at::Tensor(),
            grgb,           at::Tensor()};
  }
};

/// x + bias of a discriminator epilogue, whose signs are the slopes; where the filter stands; and the sums that a
/// backward pass makes on the way.
struct EpiloguePlanes {
  const at::Tensor& x;     ///< `[N, C, h, w]`, contiguous
  const at::Tensor& bias;  ///< `[C]`, contiguous
  double gain;
  bool filter;

  /// Runs plane(from, scratch, to) over all planes: `from` of side `in`, `to` of side `out`, `row` and `zeros` for the
  /// filter, `plane` of the side of x.
  template <class Run>
  at::Tensor each(const at::Tensor& input, std::int64_t out, const Run& run) const {
    const std::int64_t side = x.size(3), in = input.size(3), planes = x.size(0) * x.size(1);
    at::Tensor result = at::empty({x.size(0), x.size(1), out, out}, x.options());
    const float* from = floats(input);
    float* to = result.data_ptr<float>();
    libtorch_loop(planes, 16, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> row(static_cast<std::size_t>(side + 4)), zeros(static_cast<std::size_t>(side + 1)),
          plane(static_cast<std::size_t>(filter ? side * side : 0));
      for (std::int64_t p = begin; p < end; ++p) run(p, from + p * in * in, to + p * out * out, row, zeros, plane);
    });
    return result;
  }

  /// dL/dx of dL/dy; `sums` `[N, C]`, where given, receives its sums over the pixels.
  [[nodiscard]] at::Tensor back(const at::Tensor& incoming, at::Tensor* sums) const {
    const at::Tensor gy = incoming.contiguous();
    const std::int64_t side = x.size(3), channels = x.size(1), out = gy.size(3);
    const float *xp = floats(x), *bp = floats(bias);
    float* sp = sums ? sums->data_ptr<float>() : nullptr;
    return each(gy, side,
                [&](std::int64_t p, const float* g, float* gx, std::vector<float>& row, std::vector<float>& zeros,
                    std::vector<float>& plane) {
                  if (filter) {
                    fused_kernels().fir_plane(g, out, 1, 1.0f / 64.0f, plane.data(), row.data(), zeros.data());
                    g = plane.data();
                  }
                  float sum = 0.0f;
                  fused_kernels().activation_plane_backward(xp + p * side * side, side * side, bp[p % channels],
                                                            static_cast<float>(gain), g, gx, sum);
                  if (sp) sp[p] = sum;
                });
  }

  /// Transpose of `back`: the slopes are constant almost everywhere.
  [[nodiscard]] at::Tensor forth(const at::Tensor& incoming) const {
    const at::Tensor ggx = incoming.contiguous();
    const std::int64_t side = x.size(3), channels = x.size(1);
    const float *xp = floats(x), *bp = floats(bias);
    return each(ggx, filter ? side + 1 : side,
                [&](std::int64_t p, const float* g, float* gg, std::vector<float>& row, std::vector<float>& zeros,
                    std::vector<float>& plane) {
                  float sum = 0.0f;
                  fused_kernels().activation_plane_backward(xp + p * side * side, side * side, bp[p % channels],
                                                            static_cast<float>(gain), g, filter ? plane.data() : gg,
                                                            sum);
                  if (!filter) return;
                  fused_kernels().fir_plane(plane.data(), side, 2, 1.0f / 64.0f, gg, row.data(), zeros.data());
                });
  }
};

/// dL/dx of a discriminator epilogue as a function of dL/dy that is differentiable once more, for R1. It does not
/// depend on x but at the kink.
struct EpilogueSlope : public torch::autograd::Function<EpilogueSlope> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gy, const at::Tensor& x, const at::Tensor& bias,
                            double gain, bool filter) {
    context->save_for_backward({x, bias});
    context->saved_data["gain"] = gain;
    context->saved_data["filter"] = filter;
    return EpiloguePlanes{x, bias, gain, filter}.back(gy, nullptr);
  }
  static Variables backward(AutogradContext* context, Variables incoming) {
    const auto saved = context->get_saved_variables();
    return {EpiloguePlanes{saved[0], saved[1], context->saved_data["gain"].toDouble(),
                           context->saved_data["filter"].toBool()}
                .forth(incoming[0]),
            at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

/// gain · lrelu(x + bias) [+ residual], then optionally the FIR that precedes a stride-2 convolution; differentiable
/// twice. Shapes: x `[N, C, h, w]`, bias `[C]`.
struct DiscriminatorEpilogue : public torch::autograd::Function<DiscriminatorEpilogue> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& bias,
                            const std::optional<at::Tensor>& maybe_residual, double gain, bool filter) {
    const at::Tensor residual = maybe_residual.value_or(at::Tensor());
    const at::Tensor x = input.contiguous(), biases = bias.contiguous(),
                     other = residual.defined() ? residual.contiguous() : residual;
    const std::int64_t channels = x.size(1), side = x.size(3), pixels = side * side;
    const float *bp = floats(biases), *rp = floats(other);
    const at::Tensor y = EpiloguePlanes{x, biases, gain, filter}.each(
        x, filter ? side + 1 : side,
        [&](std::int64_t p, const float* from, float* to, std::vector<float>& row, std::vector<float>& zeros,
            std::vector<float>& plane) {
          fused_kernels().activation_plane(from, pixels, bp[p % channels], static_cast<float>(gain),
                                           rp ? rp + p * pixels : nullptr, filter ? plane.data() : to);
          if (filter) fused_kernels().fir_plane(plane.data(), side, 2, 1.0f / 64.0f, to, row.data(), zeros.data());
        });
    context->save_for_backward({x, biases});
    context->saved_data["gain"] = gain;
    context->saved_data["filter"] = filter;
    context->saved_data["residual"] = residual.defined();
    return y;
  }

  static Variables backward(AutogradContext* context, Variables incoming) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &bias = saved[1], &gy = incoming[0];
    const bool filter = context->saved_data["filter"].toBool();
    const double gain = context->saved_data["gain"].toDouble();
    at::Tensor gx, gbias;
    if (c10::GradMode::is_enabled()) {  // this pass will be differentiated itself
      gx = EpilogueSlope::apply(gy, x.detach(), bias.detach(), gain, filter);
      gbias = gx.sum({0, 2, 3});
    } else {
      at::Tensor sums = at::empty({x.size(0), x.size(1)}, x.options());
      gx = EpiloguePlanes{x, bias, gain, filter}.back(gy, &sums);
      gbias = sums.sum(0);
    }
    return {gx, gbias, context->saved_data["residual"].toBool() ? gy : at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

/// FIR with one zero around, every second output on both axes. Shapes: `[N, C, n, n]` -> `[N, C, n/2, n/2]`.
inline at::Tensor halving_filter(const at::Tensor& input) {
  const at::Tensor x = input.contiguous();
  const std::int64_t side = x.size(3), half = side / 2;
  at::Tensor y = at::empty({x.size(0), x.size(1), half, half}, x.options());
  const float* xp = floats(x);
  float* yp = y.data_ptr<float>();
  libtorch_loop(x.size(0) * x.size(1), 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(static_cast<std::size_t>(side + 2)), zeros(static_cast<std::size_t>(side));
    for (std::int64_t p = begin; p < end; ++p)
      for (std::int64_t j = 0; j < half; ++j) {
        const float* plane = xp + p * side * side;
        const float* tap[4];
        for (std::int64_t k = 0; k < 4; ++k) {
          const std::int64_t line = 2 * j + k - 1;
          tap[k] = line >= 0 && line < side ? plane + line * side : zeros.data();
        }
        for (std::int64_t i = 0; i < side; ++i)
          row[static_cast<std::size_t>(i + 1)] =
              ((tap[0][i] + tap[3][i]) + 3.0f * (tap[1][i] + tap[2][i])) * (1.0f / 64.0f);
        float* target = yp + (p * half + j) * half;
        const float* r = row.data();
        for (std::int64_t i = 0; i < half; ++i)
          target[i] = (r[2 * i] + r[2 * i + 3]) + 3.0f * (r[2 * i + 1] + r[2 * i + 2]);
      }
  });
  return y;
}

/// Transpose of `halving_filter`. Shapes: `[N, C, n/2, n/2]` -> `[N, C, n, n]`.
inline at::Tensor halving_filter_transposed(const at::Tensor& incoming) {
  const at::Tensor gy = incoming.contiguous();
  const std::int64_t half = gy.size(3), side = 2 * half;
  at::Tensor gx = at::empty({gy.size(0), gy.size(1), side, side}, gy.options());
  const float* gp = floats(gy);
  float* xp = gx.data_ptr<float>();
  libtorch_loop(gy.size(0) * gy.size(1), 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(static_cast<std::size_t>(half + 2)), zeros(static_cast<std::size_t>(half));
    for (std::int64_t p = begin; p < end; ++p)
      for (std::int64_t j = 0; j < side; ++j) {
        const std::int64_t near = j / 2, far = j % 2 == 0 ? near - 1 : near + 1;
        const float* a = gp + (p * half + near) * half;
        const float* b = far >= 0 && far < half ? gp + (p * half + far) * half : zeros.data();
        for (std::int64_t i = 0; i < half; ++i)
          row[static_cast<std::size_t>(i + 1)] = (3.0f * a[i] + b[i]) * (1.0f / 64.0f);
        float* target = xp + (p * side + j) * side;
        const float* r = row.data() + 1;
        for (std::int64_t i = 0; i < half; ++i) {
          target[2 * i] = 3.0f * r[i] + r[i - 1];
          target[2 * i + 1] = 3.0f * r[i] + r[i + 1];
        }
      }
  });
  return gx;
}

/// The filter and its transpose as functions that are each other's backward, so differentiable any number of times:
/// what precedes the discriminator's 1x1 skip convolution.
template <bool Transposed>
struct HalvingFilter : public torch::autograd::Function<HalvingFilter<Transposed>> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& x) {
    return Transposed ? halving_filter_transposed(x) : halving_filter(x);
  }
  static Variables backward(AutogradContext*, Variables incoming) {
    return {HalvingFilter<!Transposed>::apply(incoming[0])};
  }
};

}  // namespace detail

/// Whether the fused functions apply: no clamp (they fold the gain into the activation).
template <class Config>
bool can_fuse(const Config& config) {
  return !config.conv_clamp.has_value();
}

/// `stylegan2::synthesis` in fused steps: same arguments, same result to rounding, differentiable once. Noise must be
/// full `[N, 1, r, r]` tensors or absent.
inline at::Tensor fused_synthesis(const stylegan2::GeneratorConfig& config, const stylegan2::TensorWeights& weights,
                                  const std::vector<at::Tensor>& styles, const std::vector<at::Tensor>& noise) {
  using Kind = stylegan2::SynthesisLayer::Kind;
  const auto layers = stylegan2::synthesis_layers(config);
  at::Tensor input = weights["synthesis.b4.const"].unsqueeze(0) * styles[0].unsqueeze(-1).unsqueeze(-1);
  at::Tensor image;
  std::size_t convolution = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].kind == Kind::to_rgb) continue;
    const std::string name = "synthesis." + layers[i].name;
    const at::Tensor& weight = weights[name + ".weight"];
    const at::Tensor response = layers[i].kind == Kind::upsampling_conv
                                    ? at::conv_transpose2d(input, weight.transpose(0, 1), {}, 2)
                                    : at::conv2d(input, weight, {}, 1, 1);
    // The layer that follows in the list is this block's conv1 or its ToRGB; behind a ToRGB comes the next block's
    // conv0.
    const bool to_rgb = layers[i + 1].kind == Kind::to_rgb;
    const std::size_t next = to_rgb ? i + 2 : i + 1;
    const at::Tensor next_style = next < layers.size() ? styles[next] : at::Tensor();
    const std::string rgb_name = "synthesis." + layers[i + 1].name;
    at::Tensor rgb;
    if (to_rgb)
      rgb = weights[rgb_name + ".weight"].flatten(1).unsqueeze(0) *
            (styles[i + 1] * (1.0 / std::sqrt(static_cast<double>(layers[i + 1].in)))).unsqueeze(1);
    const at::Tensor eta = noise.empty() ? at::Tensor() : noise[convolution++];
    const auto out = detail::SynthesisEpilogue::apply(response, stylegan2::demodulation(weight, styles[i]),
                                                      detail::if_defined(eta), weights[name + ".noise_strength"],
                                                      weights[name + ".bias"], detail::if_defined(next_style),
                                                      detail::if_defined(rgb), layers[i].kind == Kind::upsampling_conv);
    input = out[0];
    if (to_rgb) {
      const at::Tensor added = out[1] + weights[rgb_name + ".bias"].view({1, -1, 1, 1});
      image = image.defined() ? stylegan2::upsample2d(image) + added : added;
    }
  }
  return image;
}

/// `stylegan2::discriminator_features` in fused steps: same arguments, same result to rounding, differentiable twice
/// (R1).
inline at::Tensor fused_discriminator_features(const stylegan2::DiscriminatorConfig& config,
                                               const stylegan2::TensorWeights& weights, const at::Tensor& images) {
  const auto conv = [&](const std::string& name, const at::Tensor& x, std::int64_t stride, std::int64_t pad,
                        double gain = 1.0) {
    const at::Tensor& stored = weights[name + ".weight"];
    return at::conv2d(
        x, stored * (gain / std::sqrt(static_cast<double>(stored.size(1) * stored.size(2) * stored.size(3)))), {},
        stride, pad);
  };
  const auto epilogue = [&](const at::Tensor& x, const std::string& name, const at::Tensor& residual, double gain,
                            bool filter) {
    return detail::DiscriminatorEpilogue::apply(x, weights[name + ".bias"], detail::if_defined(residual), gain, filter);
  };
  const std::string first = "b" + std::to_string(config.img_resolution) + ".fromrgb";
  at::Tensor x = epilogue(conv(first, images, 1, 0), first, {}, std::numbers::sqrt2, false);
  for (std::int64_t r = config.img_resolution; r > 4; r /= 2) {
    const std::string block = "b" + std::to_string(r);
    const at::Tensor skip =
        conv(block + ".skip", detail::HalvingFilter<false>::apply(x), 1, 0, 1.0 / std::numbers::sqrt2);
    const at::Tensor filtered =
        epilogue(conv(block + ".conv0", x, 1, 1), block + ".conv0", {}, std::numbers::sqrt2, true);
    x = epilogue(conv(block + ".conv1", filtered, 2, 0), block + ".conv1", skip, 1.0, false);
  }
  if (config.mbstd_num_channels > 0)
    x = stylegan2::minibatch_std(x, config.mbstd_group_size, config.mbstd_num_channels);
  x = epilogue(conv("b4.conv", x, 1, 1), "b4.conv", {}, std::numbers::sqrt2, false);
  x = stylegan2::scaled_leaky_relu(
      stylegan2::fully_connected(x.flatten(1), weights["b4.fc.weight"], weights["b4.fc.bias"]));
  return stylegan2::fully_connected(x, weights["b4.out.weight"], weights["b4.out.bias"]);
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
