// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The generator's networks and their gradient by definition, in double precision and plain loops, one sample at a time:
// the yardstick for everything faster. Shares nothing with the library but the structures of sizes and weights.

#include <faultline/kernels/weights.hpp>
#include <faultline/stylegan2/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reference64 {

using Array = std::vector<double>;
using faultline::kernels::WeightArray;
using faultline::kernels::Weights;
using faultline::stylegan2::GeneratorConfig;
using faultline::stylegan2::SynthesisLayer;

inline constexpr double slope = 0.2, tiny = 1e-8;

inline Array doubles(const WeightArray& array) { return {array.values.begin(), array.values.end()}; }
inline Array zeros(std::int64_t count) { return Array(static_cast<std::size_t>(count), 0.0); }

// --- mapping and styles ----------------------------------------------------------------------------------------------

/// x (V · m/√in)ᵀ + v · m.
inline Array fully_connected(const Array& x, const WeightArray& weight, const WeightArray& bias, double multiplier) {
  const Array v = doubles(weight);
  Array y = doubles(bias);
  const double gain = multiplier / std::sqrt(static_cast<double>(x.size()));
  for (std::size_t o = 0; o < y.size(); ++o) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * v[o * x.size() + i];
    y[o] = sum * gain + y[o] * multiplier;
  }
  return y;
}

/// x · (mean x² + 1e-8)^(-1/2).
inline Array normalized(Array x) {
  double sum = 0.0;
  for (const double value : x) sum += value * value;
  for (double& value : x) value /= std::sqrt(sum / static_cast<double>(x.size()) + tiny);
  return x;
}

/// w before truncation; `label` is not looked at by an unconditional network.
inline Array mapping(const GeneratorConfig& config, const Weights& weights, const Array& z, std::int64_t label) {
  Array h = z.empty() ? z : normalized(z);
  if (config.c_dim > 0) {
    Array one_hot = zeros(config.c_dim);
    one_hot.at(static_cast<std::size_t>(label)) = 1.0;
    const Array embedded =
        normalized(fully_connected(one_hot, weights["mapping.embed.weight"], weights["mapping.embed.bias"], 1.0));
    h.insert(h.end(), embedded.begin(), embedded.end());
  }
  for (std::int64_t i = 0; i < config.mapping_layers; ++i) {
    const std::string name = "mapping.fc" + std::to_string(i);
    h = fully_connected(h, weights[name + ".weight"], weights[name + ".bias"], config.mapping_lr_multiplier);
    for (double& value : h) value = std::numbers::sqrt2 * (value > 0.0 ? value : slope * value);
  }
  return h;
}

/// w_avg + ψ (w − w_avg).
inline Array truncated(const Weights& weights, Array w, double psi) {
  const Array average = doubles(weights["mapping.w_avg"]);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = average[i] + psi * (w[i] - average[i]);
  return w;
}

/// Styles of all layers in StyleSpace order, of one w or of one for each slot in a row.
inline Array styles(const GeneratorConfig& config, const Weights& weights, const Array& w) {
  const auto width = static_cast<std::ptrdiff_t>(config.w_dim);
  const bool layered = static_cast<std::int64_t>(w.size()) != config.w_dim;
  Array s;
  for (const SynthesisLayer& layer : faultline::stylegan2::synthesis_layers(config)) {
    const auto first = w.begin() + (layered ? layer.slot * width : 0);
    const std::string name = "synthesis." + layer.name + ".affine";
    const Array one =
        fully_connected(Array(first, first + width), weights[name + ".weight"], weights[name + ".bias"], 1.0);
    s.insert(s.end(), one.begin(), one.end());
  }
  return s;
}

// --- linear maps of images -------------------------------------------------------------------------------------------
// Each one is written once, as its products: row(weight, o, i, step, count) says out[o + n · step] += weight · in[i +
// n] for n < count. With `onwards` that is the map, with `backwards` its transpose.

inline auto onwards(const Array& in, Array& out) {
  return [&in, &out](double weight, std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t step, std::ptrdiff_t count) {
    double* const to = out.data() + o;
    const double* const from = in.data() + i;
    for (std::ptrdiff_t n = 0; n < count; ++n) to[n * step] += weight * from[n];
  };
}
inline auto backwards(const Array& out, Array& in) {
  return [&in, &out](double weight, std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t step, std::ptrdiff_t count) {
    double* const to = in.data() + i;
    const double* const from = out.data() + o;
    for (std::ptrdiff_t n = 0; n < count; ++n) to[n] += weight * from[n * step];
  };
}

/// `[I][side][side]` -> `[O][side][side]`, zeros outside; kernels 3x3 or 1x1.
template <class Row>
void convolution(const WeightArray& weight, std::ptrdiff_t side, const Row& row) {
  const std::ptrdiff_t outs = weight.size(0), ins = weight.size(1), kernel = weight.size(2), half = kernel / 2;
  const float* value = weight.data();
  for (std::ptrdiff_t o = 0; o < outs; ++o)
    for (std::ptrdiff_t i = 0; i < ins; ++i)
      for (std::ptrdiff_t dy = -half; dy <= half; ++dy)
        for (std::ptrdiff_t dx = -half; dx <= half; ++dx, ++value) {
          const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, -dx), last = std::min(side, side - dx);
          for (std::ptrdiff_t y = std::max<std::ptrdiff_t>(0, -dy); y < std::min(side, side - dy); ++y)
            row(static_cast<double>(*value), (o * side + y) * side + first, (i * side + y + dy) * side + first + dx, 1,
                last - first);
        }
}

/// Stride 2, no padding: t[2 y + a][2 x + b] += W[a][b] in[y][x]; `[I][side][side]` -> `[O][2 side + 1][2 side + 1]`.
template <class Row>
void transposed_convolution(const WeightArray& weight, std::ptrdiff_t side, const Row& row) {
  const std::ptrdiff_t outs = weight.size(0), ins = weight.size(1), wide = 2 * side + 1;
  const float* value = weight.data();
  for (std::ptrdiff_t o = 0; o < outs; ++o)
    for (std::ptrdiff_t i = 0; i < ins; ++i)
      for (std::ptrdiff_t a = 0; a < 3; ++a)
        for (std::ptrdiff_t b = 0; b < 3; ++b, ++value)
          for (std::ptrdiff_t y = 0; y < side; ++y)
            row(static_cast<double>(*value), (o * wide + 2 * y + a) * wide + b, (i * side + y) * side, 2, side);
}

inline constexpr double filter[4] = {0.25, 0.75, 0.75, 0.25};  // [1, 3, 3, 1] / 8, times 2

/// The filter with a ring of zeros, gain 4: `[C][side + 1][side + 1]` -> `[C][side][side]`.
template <class Row>
void low_pass(std::ptrdiff_t channels, std::ptrdiff_t side, const Row& row) {
  for (std::ptrdiff_t c = 0; c < channels; ++c)
    for (std::ptrdiff_t a = 0; a < 4; ++a)
      for (std::ptrdiff_t b = 0; b < 4; ++b)
        for (std::ptrdiff_t y = 0; y < side; ++y) {
          const std::ptrdiff_t from = y + a - 1, first = b == 0 ? 1 : 0, last = b == 3 ? side - 1 : side;
          if (from >= 0 && from <= side)
            row(filter[a] * filter[b], (c * side + y) * side + first,
                (c * (side + 1) + from) * (side + 1) + first + b - 1, 1, last - first);
        }
}

/// A zero after every sample, then the filter, gain 4: `[C][side][side]` -> `[C][2 side][2 side]`.
template <class Row>
void upsampling(std::ptrdiff_t channels, std::ptrdiff_t side, const Row& row) {
  for (std::ptrdiff_t c = 0; c < channels; ++c)
    for (std::ptrdiff_t a = 0; a < 4; ++a)
      for (std::ptrdiff_t b = 0; b < 4; ++b)
        for (std::ptrdiff_t from = 0; from < side; ++from) {
          const std::ptrdiff_t y = 2 * from + 2 - a, first = b == 3 ? 1 : 0, last = b == 0 ? side - 1 : side;
          if (y >= 0 && y < 2 * side)
            row(filter[a] * filter[b], (c * 2 * side + y) * 2 * side + 2 * first + 2 - b,
                (c * side + from) * side + first, 2, last - first);
        }
}

/// What a layer's kernels make of x, without styles.
inline Array response(const SynthesisLayer& layer, const WeightArray& weight, const Array& x) {
  Array y = zeros(layer.out * layer.resolution * layer.resolution);
  if (layer.kind != SynthesisLayer::Kind::upsampling_conv) {
    convolution(weight, layer.resolution, onwards(x, y));
    return y;
  }
  Array wide = zeros(layer.out * (layer.resolution + 1) * (layer.resolution + 1));
  transposed_convolution(weight, layer.resolution / 2, onwards(x, wide));
  low_pass(layer.out, layer.resolution, onwards(wide, y));
  return y;
}

/// Its transpose: dL/dx of dL/dy.
inline Array response_back(const SynthesisLayer& layer, const WeightArray& weight, const Array& y) {
  const bool up = layer.kind == SynthesisLayer::Kind::upsampling_conv;
  const std::int64_t side = up ? layer.resolution / 2 : layer.resolution;
  Array x = zeros(layer.in * side * side);
  if (!up) {
    convolution(weight, side, backwards(y, x));
    return x;
  }
  Array wide = zeros(layer.out * (layer.resolution + 1) * (layer.resolution + 1));
  low_pass(layer.out, layer.resolution, backwards(y, wide));
  transposed_convolution(weight, side, backwards(wide, x));
  return x;
}

// --- synthesis -------------------------------------------------------------------------------------------------------

/// What one layer took and made.
struct Step {
  Array input;         ///< `[in][r][r]`, before its style
  Array style;         ///< `[in]`, a ToRGB's times 1/√in
  Array raw;           ///< `[out][r][r]`, before demodulation
  Array demodulation;  ///< `[out]`, 1 for a ToRGB
  Array before;        ///< `[out][r][r]`, with noise and bias, before activation and clamp
  Array output;        ///< `[out][r][r]`
};

/// A pass through the synthesis network with everything on the way.
struct Pass {
  std::vector<Step> steps;  ///< per layer, in StyleSpace order
  Array image;              ///< `[C][R][R]`
  /// How near any value comes to a place where its gradient jumps: 0 for the activation, the bound for a clamp
  double kink = std::numeric_limits<double>::infinity();
};

/// The image of styles `[D]`; noise is empty or holds one image for each convolution.
inline Pass synthesis(const GeneratorConfig& config, const Weights& weights, const Array& s,
                      const std::vector<Array>& noise) {
  Pass pass;
  Array x = doubles(weights["synthesis.b4.const"]);
  std::size_t offset = 0, convolutions = 0;
  const double bound = config.conv_clamp.value_or(std::numeric_limits<double>::infinity());
  for (const SynthesisLayer& layer : faultline::stylegan2::synthesis_layers(config)) {
    const std::string name = "synthesis." + layer.name;
    const WeightArray& weight = weights[name + ".weight"];
    const Array bias = doubles(weights[name + ".bias"]);
    const bool rgb = layer.kind == SynthesisLayer::Kind::to_rgb;
    const auto ins = static_cast<std::size_t>(layer.in), outs = static_cast<std::size_t>(layer.out);
    const auto plane = static_cast<std::size_t>(layer.resolution * layer.resolution);

    Step step;
    step.input = x;
    Array scaled = x;
    for (std::size_t i = 0; i < ins; ++i) {
      step.style.push_back(s.at(offset + i) / (rgb ? std::sqrt(static_cast<double>(layer.in)) : 1.0));
      for (std::size_t p = 0; p < x.size() / ins; ++p) scaled[i * (x.size() / ins) + p] *= step.style[i];
    }
    offset += ins;
    step.raw = step.before = step.output = response(layer, weight, scaled);
    const std::size_t taps = weight.values.size() / (ins * outs);
    for (std::size_t o = 0; o < outs; ++o) {
      double norm = tiny;
      for (std::size_t i = 0; i < ins; ++i)
        for (std::size_t k = 0; k < taps; ++k) {
          const double tap = step.style[i] * static_cast<double>(weight.values[(o * ins + i) * taps + k]);
          norm += tap * tap;
        }
      step.demodulation.push_back(rgb ? 1.0 : 1.0 / std::sqrt(norm));
      for (std::size_t p = 0; p < plane; ++p) {
        double& value = step.before[o * plane + p];
        value *= step.demodulation[o];
        if (!rgb && !noise.empty())
          value += noise.at(convolutions).at(p) * static_cast<double>(weights[name + ".noise_strength"].values.front());
        value += bias[o];
        const double activated = rgb ? value : std::numbers::sqrt2 * (value > 0.0 ? value : slope * value);
        step.output[o * plane + p] = std::clamp(activated, -bound, bound);
        pass.kink = std::min(pass.kink, std::abs(std::abs(activated) - bound));
        if (!rgb) pass.kink = std::min(pass.kink, std::numbers::sqrt2 * std::abs(value));
      }
    }
    if (rgb) {
      Array image = step.output;
      if (!pass.image.empty()) upsampling(layer.out, layer.resolution / 2, onwards(pass.image, image));
      pass.image = std::move(image);
    } else {
      x = step.output;
      ++convolutions;
    }
    pass.steps.push_back(std::move(step));
  }
  return pass;
}

/// dL/ds `[D]` of dL/dimage `[C][R][R]` at a pass: the chain rule, layer by layer backwards.
inline Array gradient(const GeneratorConfig& config, const Weights& weights, const Pass& pass,
                      const Array& image_gradient) {
  const auto layers = faultline::stylegan2::synthesis_layers(config);
  const double bound = config.conv_clamp.value_or(std::numeric_limits<double>::infinity());
  std::vector<Array> slopes(layers.size());
  Array painted = image_gradient, flow;  // of the image after this block, and of what this layer passes on
  for (std::size_t l = layers.size(); l-- > 0;) {
    const SynthesisLayer& layer = layers[l];
    const Step& step = pass.steps[l];
    const WeightArray& weight = weights["synthesis." + layer.name + ".weight"];
    const bool rgb = layer.kind == SynthesisLayer::Kind::to_rgb;
    const auto ins = static_cast<std::size_t>(layer.in), outs = static_cast<std::size_t>(layer.out);
    const auto plane = static_cast<std::size_t>(layer.resolution * layer.resolution);
    const std::size_t taps = weight.values.size() / (ins * outs);

    slopes[l] = Array(ins, 0.0);
    Array back = rgb ? painted : flow;
    for (std::size_t o = 0; o < outs; ++o) {
      double of_demodulation = 0.0;
      for (std::size_t p = o * plane; p < (o + 1) * plane; ++p) {
        if (std::abs(step.output[p]) >= bound) back[p] = 0.0;
        if (!rgb) back[p] *= std::numbers::sqrt2 * (step.before[p] > 0.0 ? 1.0 : slope);
        of_demodulation += back[p] * step.raw[p];
        back[p] *= step.demodulation[o];
      }
      if (rgb) continue;
      const double d = step.demodulation[o];  // dd/ds_i = −d³ s_i Σ_k W²
      for (std::size_t i = 0; i < ins; ++i)
        for (std::size_t k = 0; k < taps; ++k) {
          const auto tap = static_cast<double>(weight.values[(o * ins + i) * taps + k]);
          slopes[l][i] -= of_demodulation * d * d * d * step.style[i] * tap * tap;
        }
    }
    Array scaled = response_back(layer, weight, back);
    const std::size_t pixels = scaled.size() / ins;
    for (std::size_t i = 0; i < ins; ++i)
      for (std::size_t p = i * pixels; p < (i + 1) * pixels; ++p) {
        slopes[l][i] += scaled[p] * step.input[p];
        scaled[p] *= step.style[i];
      }
    if (!rgb) {
      flow = std::move(scaled);
      continue;
    }
    for (double& value : slopes[l]) value /= std::sqrt(static_cast<double>(layer.in));
    if (flow.empty()) flow = zeros(static_cast<std::int64_t>(scaled.size()));
    for (std::size_t p = 0; p < flow.size(); ++p) flow[p] += scaled[p];
    if (layer.resolution > 4) {
      Array coarser = zeros(layer.out * layer.resolution * layer.resolution / 4);
      upsampling(layer.out, layer.resolution / 2, backwards(painted, coarser));
      painted = std::move(coarser);
    }
  }
  Array all;
  for (const Array& one : slopes) all.insert(all.end(), one.begin(), one.end());
  return all;
}

}  // namespace reference64
