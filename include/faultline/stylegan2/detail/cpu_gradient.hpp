// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Gradients of a loss with respect to all styles, from its gradient with respect to the images: the forward pass of
// CpuBackend with its activations kept, then the same kernels backward.

#include <faultline/stylegan2/detail/cpu_synthesis.hpp>

namespace faultline {
inline namespace v1 {
namespace stylegan2::detail::cpu {

/// Transposed weights, for the way back.
class GradientWeights {
 public:
  GradientWeights(const Kernels& kernels, const GeneratorConfig& config, const Weights& weights,
                  const SynthesisWeights& forward)
      : forward_(forward) {
    std::size_t l = 0;
    for (const SynthesisLayer& layer : synthesis_layers(config)) {
      if (layer.kind == SynthesisLayer::Kind::to_rgb) continue;
      const Convolution& conv = forward.convolutions[l];
      const float* const w = weights["synthesis." + layer.name + ".weight"].data();
      const auto at = [&](std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t k) {
        return w[(o * layer.in + i) * 9 + k];
      };
      Layer back;
      back.squares = Product(kernels, layer.in, layer.out, [&](std::ptrdiff_t i, std::ptrdiff_t o) {
        double sum = 0.0;
        for (std::ptrdiff_t k = 0; k < 9; ++k)
          sum += static_cast<double>(at(o, i, k)) * static_cast<double>(at(o, i, k));
        return static_cast<float>(sum);
      });
      if (l > 0) {
        back.cut = {conv.out, conv.in, kernels.tile, 64, 9};
        // Plain: a convolution with the kernel turned round, over the gradient with a ring of zeros. Upsampling: with
        // stride 2 over the filtered gradient.
        const std::ptrdiff_t line = conv.up ? conv.response_side : conv.side + 2;
        for (std::ptrdiff_t k = 0; k < 9; ++k) back.taps.push_back((k / 3 * line + k % 3) * conv.out);
        back.weight = back.cut.pack<float>(
            layer.in, layer.out,
            [&](std::ptrdiff_t i, std::ptrdiff_t o, std::ptrdiff_t k) { return at(o, i, conv.up ? k : 8 - k); });
      }
      layers_.push_back(std::move(back));
      ++l;
    }
    // Back from the 16 pixels of the first convolution to its styles.
    const Product& first = forward.first;
    const Convolution& conv = forward.convolutions.front();
    Buffer<float> unit(static_cast<std::size_t>(first.in()));
    std::vector<float> matrix(static_cast<std::size_t>(conv.style_width * 16 * conv.out));
    for (std::int64_t i = 0; i < conv.style_width; ++i) {
      unit.data()[i] = 1.0f;
      first(unit.data(), first.in(), 1, matrix.data() + i * 16 * conv.out, 16 * conv.out);
      unit.data()[i] = 0.0f;
    }
    first_ = Product(kernels, conv.style_width, 16 * conv.out, [&](std::ptrdiff_t i, std::ptrdiff_t column_index) {
      return matrix[static_cast<std::size_t>(i * 16 * conv.out + column_index)];
    });
  }

  /// One sample: its styles `[D]` and dL/dimage `[colours][R][R]` -> dL/dstyles `[D]`.
  void operator()(const float* styles, const NoiseImages& noise, std::ptrdiff_t sample, const float* image_gradient,
                  float* style_gradient, Workspace& space) const {
    const auto& convolutions = forward_.convolutions;
    const Convolution& last = convolutions.back();
    KeptPass kept = KeptPass::activations(forward_, 1);
    std::vector<float> image(static_cast<std::size_t>(last.colours * last.side * last.side));
    GroupRun(forward_, space, noise, sample, 1, false, &kept)(styles, 0, image.data());

    std::fill_n(style_gradient, forward_.style_dimension, 0.0f);
    std::vector<float> rgb(image_gradient, image_gradient + image.size());
    std::vector<float> painted;  // dL/d of what the ToRGB at hand adds, before its clamp
    Buffer<float> incoming;      // dL/d(y · style) of the convolution at hand
    for (std::size_t l = convolutions.size(); l-- > 0;) {
      const Convolution& conv = convolutions[l];
      const std::ptrdiff_t side = conv.side, ring = conv.up || l == 0 ? 0 : 1, line = side + 2 * ring;
      Buffer<float> u(static_cast<std::size_t>(line * line * conv.out));
      Buffer<float> style_sums(static_cast<std::size_t>(conv.out)),
          rgb_sums(static_cast<std::size_t>(conv.colours * conv.out)), scales(static_cast<std::size_t>(conv.out));
      const bool has_next = l + 1 < convolutions.size();
      if (conv.colours > 0) {
        painted = rgb;
        const float* const before = kept.colours[l / 2].data();
        for (std::size_t p = 0; p < painted.size(); ++p)
          if (std::abs(before[p]) > forward_.clamp) painted[p] = 0.0f;
      }
      for (std::ptrdiff_t y = 0; y < side; ++y)
        forward_.kernels->finish_gradient(
            {conv.out, side, kept.y[l].data() + y * side * conv.out,
             has_next ? incoming.data() + y * side * conv.out : nullptr,
             has_next ? space.styles[l + 1].data() : nullptr, painted.data() + y * side, side * side, conv.colours,
             space.rgb_weight[l].data(), space.demodulation[l].data(), conv.bias.data(), noise.row(l, sample, y * side),
             conv.noise_gain, u.data() + ((y + ring) * line + ring) * conv.out, style_sums.data(), rgb_sums.data(),
             scales.data(), forward_.clamp});
      if (has_next)
        for (std::ptrdiff_t c = 0; c < conv.outs; ++c)
          style_gradient[convolutions[l + 1].style_offset + c] += style_sums.data()[c];
      for (std::ptrdiff_t k = 0; k < conv.colours; ++k)
        for (std::ptrdiff_t c = 0; c < conv.outs; ++c)
          style_gradient[conv.rgb_style_offset + c] +=
              conv.rgb_weight.data()[k * conv.out + c] * rgb_sums.data()[k * conv.out + c];
      add_demodulation(l, scales, space, style_gradient + conv.style_offset);
      if (l == 0) {
        Buffer<float> slope(static_cast<std::size_t>(first_.out()));
        first_(u.data(), 0, 1, slope.data(), 0);
        for (std::int64_t i = 0; i < conv.style_width; ++i) style_gradient[conv.style_offset + i] += slope.data()[i];
        return;
      }
      incoming = conv.up ? through_upsampling(l, u) : through_convolution(l, u);
      if (conv.up) rgb = coarser(rgb, last.colours, side);
    }
  }

 private:
  struct Layer {
    Cut cut;
    std::vector<std::ptrdiff_t> taps;
    Buffer<float> weight;
    Product squares;  ///< Wsq transposed
  };

  /// d = gain (Σ_i s_i² Wsq + ε)^(-1/2): dL/ds_i −= s_i Σ_o (d dL/dd)_o (d_o / gain)² Wsq[o, i].
  void add_demodulation(std::size_t l, Buffer<float>& scales, const Workspace& space, float* gradient) const {
    const Convolution& conv = forward_.convolutions[l];
    for (std::ptrdiff_t o = 0; o < conv.out; ++o) {
      const float d = space.demodulation[l].data()[o] / conv.gain;
      scales.data()[o] *= d * d;
    }
    Buffer<float> sums(static_cast<std::size_t>(layers_[l].squares.out()));
    layers_[l].squares(scales.data(), 0, 1, sums.data(), 0);
    for (std::int64_t i = 0; i < conv.style_width; ++i) gradient[i] -= space.styles[l].data()[i] * sums.data()[i];
  }

  Buffer<float> rows(std::size_t l, const float* source, std::ptrdiff_t line, std::ptrdiff_t stride) const {
    const Convolution& conv = forward_.convolutions[l];
    const Layer& back = layers_[l];
    const std::ptrdiff_t side = conv.side_in;
    Buffer<float> result(static_cast<std::size_t>(side * side * conv.in));
    for (std::ptrdiff_t first = 0; first < conv.in; first += back.cut.tile)
      for (std::ptrdiff_t o = 0; o < conv.out; o += back.cut.block)
        for (std::ptrdiff_t y = 0; y < side; ++y)
          forward_.kernels->convolve({source + stride * y * line * conv.out + o, stride * conv.out, back.taps.data(), 9,
                                      back.cut.depth(o), back.weight.data() + back.cut.offset(first, o, 0),
                                      back.cut.width(first), result.data() + y * side * conv.in + first, conv.in, side,
                                      o > 0});
    return result;
  }

  Buffer<float> through_convolution(std::size_t l, const Buffer<float>& u) const {
    return rows(l, u.data(), forward_.convolutions[l].side + 2, 1);
  }

  /// The filter is its own transpose: with two zeros around, side -> side + 1; then every second position of a plain
  /// correlation.
  Buffer<float> through_upsampling(std::size_t l, const Buffer<float>& u) const {
    const Convolution& conv = forward_.convolutions[l];
    const std::ptrdiff_t side = conv.side, row = side * conv.out, wide = (side + 1) * conv.out;
    Buffer<float> zeros(static_cast<std::size_t>(row)), vertical(static_cast<std::size_t>((side + 4) * conv.out)),
        filtered(static_cast<std::size_t>((side + 1) * wide));
    const auto source = [&](std::ptrdiff_t y) { return y >= 0 && y < side ? u.data() + y * row : zeros.data(); };
    for (std::ptrdiff_t y = 0; y <= side; ++y) {
      forward_.kernels->filter(
          {source(y - 2), source(y - 1), source(y), source(y + 1), row, vertical.data() + 2 * conv.out});
      forward_.kernels->filter({vertical.data(), vertical.data() + conv.out, vertical.data() + 2 * conv.out,
                                vertical.data() + 3 * conv.out, wide, filtered.data() + y * wide});
    }
    return rows(l, filtered.data(), side + 1, 2);
  }

  /// Transpose of `upsample_plane`, every colour.
  static std::vector<float> coarser(const std::vector<float>& fine, std::int64_t colours, std::ptrdiff_t side) {
    const std::ptrdiff_t half = side / 2;
    std::vector<float> result(static_cast<std::size_t>(colours * half * half), 0.0f),
        line(static_cast<std::size_t>(half));
    for (std::int64_t k = 0; k < colours; ++k)
      for (std::ptrdiff_t y = 0; y < side; ++y) {
        const float* row = fine.data() + (k * side + y) * side;
        for (std::ptrdiff_t x = 0; x < half; ++x) {
          float sum = 0.75f * (row[2 * x] + row[2 * x + 1]);
          if (x + 1 < half) sum += 0.25f * row[2 * x + 2];
          if (x > 0) sum += 0.25f * row[2 * x - 1];
          line[static_cast<std::size_t>(x)] = sum;
        }
        const std::ptrdiff_t near = y / 2, far = y % 2 == 0 ? near - 1 : near + 1;
        for (std::ptrdiff_t x = 0; x < half; ++x) {
          result[static_cast<std::size_t>((k * half + near) * half + x)] += 0.75f * line[static_cast<std::size_t>(x)];
          if (far >= 0 && far < half)
            result[static_cast<std::size_t>((k * half + far) * half + x)] += 0.25f * line[static_cast<std::size_t>(x)];
        }
      }
    return result;
  }

  const SynthesisWeights& forward_;
  std::vector<Layer> layers_;
  Product first_;
};

}  // namespace stylegan2::detail::cpu
}  // namespace v1
}  // namespace faultline
