// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The synthesis network folded for one device and type: shared kernels in channels-last layout, cached Wsq, constants
// folded, b4.conv1 as one product (Karras et al. 2020, style-equivalent form).

#include <faultline/torch/detail/epilogue.hpp>
#include <faultline/torch/networks.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// Noise of a synthesis call: none, the model's own (strength folded in), or given images per convolution.
enum class NoiseSource { none, constant, given };

/// The folded network. Features are of `type` (float32 or bfloat16), everything else float32.
class DeviceSynthesis {
 public:
  DeviceSynthesis(const GeneratorConfig& config, const TensorWeights& weights, at::Device device, c10::ScalarType type)
      : config_(config), type_(type) {
    const c10::AutoGradMode off(false);
    std::int64_t offset = 0;
    for (const SynthesisLayer& layer : synthesis_layers(config)) {
      const std::string name = "synthesis." + layer.name;
      const at::Tensor weight = weights[name + ".weight"].to(at::kFloat);
      Layer folded;
      folded.kind = layer.kind;
      folded.offset = offset;
      folded.width = layer.in;
      offset += layer.in;
      folded.bias = weights[name + ".bias"].to(device, at::kFloat).contiguous();
      if (layer.kind == SynthesisLayer::Kind::to_rgb) {
        folded.weight = (weight.flatten(1) * (1.0 / std::sqrt(static_cast<double>(layer.in)))).to(device).contiguous();
      } else {
        norms_.layers.push_back(
            {folded.offset, layer.in, layer.out, weight.to(at::kDouble).square().sum({2, 3}).to(at::kFloat)});
        folded.strength = weights[name + ".noise_strength"].to(device, at::kFloat);
        folded.noise = (weights[name + ".noise_const"] * weights[name + ".noise_strength"])
                           .to(device, at::kFloat)
                           .view({1, 1, layer.resolution, layer.resolution})
                           .contiguous();
        if (layer.resolution == 4)
          folded.weight = constant_product(weights["synthesis.b4.const"], weight).to(device, type).contiguous();
        else if (layer.kind == SynthesisLayer::Kind::upsampling_conv)
          folded.weight = channels_last(weight.transpose(0, 1).to(device, type));
        else folded.weight = channels_last(weight.to(device, type));
      }
      layers_.push_back(std::move(folded));
    }
    std::vector<at::Tensor> squares;
    for (const auto& layer : norms_.layers) squares.push_back(layer.squares.flatten());
    norms_.all = at::cat(squares).to(device);
    std::int64_t begin = 0;
    for (auto& layer : norms_.layers) {
      layer.squares = norms_.all.narrow(0, begin, layer.in * layer.out).view({layer.out, layer.in});
      begin += layer.in * layer.out;
    }
  }

  [[nodiscard]] c10::ScalarType type() const noexcept { return type_; }

  /// Images `[N, C, R, R]` float32 of styles `[N, D]` on the network's device. `given` holds one noise tensor per
  /// convolution when `source` says so.
  template <class Epilogues>
  [[nodiscard]] at::Tensor operator()(const at::Tensor& s, NoiseSource source, const std::vector<at::Tensor>& given,
                                      const Epilogues& epilogues) const {
    const std::vector<at::Tensor> norms = epilogues.squared_norms(s, norms_);
    const auto style = [&](std::size_t i) { return s.narrow(1, layers_[i].offset, layers_[i].width); };
    at::Tensor x;  // input of the next convolution, scaled by its style already
    at::Tensor image;
    std::size_t convolution = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      Activation to;
      to.squared_norm = norms[convolution];
      to.bias = layer.bias;
      to.clamp = config_.conv_clamp;
      if (source == NoiseSource::constant) to.noise = layer.noise;
      if (source == NoiseSource::given) to.noise = scaled_noise(given[convolution], layer);
      ++convolution;
      if (layer.kind == SynthesisLayer::Kind::upsampling_conv) {
        to.style = style(i + 1);  // conv1 of the same block
        x = epilogues.fir_activation(channels_last(at::conv_transpose2d(x, layer.weight, {}, 2)), to);
        continue;
      }
      const at::Tensor u =
          image.defined() ? channels_last(at::conv2d(x, layer.weight, {}, 1, 1)) : first_sum(style(i), layer);
      const bool last = i + 2 == layers_.size();
      if (!last) to.style = style(i + 2);  // conv0 of the next block
      ++i;                                 // and the ToRGB layer between them
      const ToRgb rgb{layers_[i].weight, style(i), layers_[i].bias, image, config_.conv_clamp};
      std::tie(x, image) = epilogues.activation(u, to, rgb, !last);
    }
    return image;
  }

 private:
  struct Layer {
    SynthesisLayer::Kind kind = SynthesisLayer::Kind::conv;
    std::int64_t offset = 0;  // in the flat styles
    std::int64_t width = 0;
    at::Tensor weight;  // convolution kernel; b4.conv1: [I, 16·O]; ToRGB: [O, C]
    at::Tensor bias;
    at::Tensor noise;     // σ · noise_const, [1, 1, r, r]
    at::Tensor strength;  // σ
  };

  /// b4.conv1 reads a constant, so it is linear in its style: T[i, (y, x, o)] = Conv_W(const_i). Computed in double.
  [[nodiscard]] static at::Tensor constant_product(const at::Tensor& constant, const at::Tensor& weight) {
    const std::int64_t in = weight.size(1), out = weight.size(0);
    const at::Tensor kernels = weight.to(at::kDouble).transpose(0, 1).reshape({in * out, 1, 3, 3});
    // [1, I·O, 4, 4]
    const at::Tensor sums = at::conv2d(constant.to(at::kDouble).unsqueeze(0), kernels, {}, 1, 1, 1, in);
    return sums.view({in, out, 16}).transpose(1, 2).reshape({in, 16 * out});
  }

  [[nodiscard]] at::Tensor first_sum(const at::Tensor& style, const Layer& layer) const {
    return at::matmul(style.to(type_), layer.weight).view({style.size(0), 4, 4, -1}).permute({0, 3, 1, 2});
  }

  [[nodiscard]] static at::Tensor scaled_noise(const at::Tensor& noise, const Layer& layer) {
    const at::Tensor there = noise.to(layer.bias.device(), at::kFloat);
    const std::int64_t side = there.size(-1);
    return (there * layer.strength).view({-1, 1, side, side}).contiguous();
  }

  GeneratorConfig config_;
  c10::ScalarType type_;
  std::vector<Layer> layers_;
  NormTable norms_;
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
