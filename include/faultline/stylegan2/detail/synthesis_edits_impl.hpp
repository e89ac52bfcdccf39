// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of SynthesisEdits: the pass that is held, single-channel kernels, and the two kinds of edits.

#include <faultline/stylegan2/synthesis_edits.hpp>

#include <faultline/torch/libtorch_call.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

namespace detail {

/// Rows of a tensor that holds one for each start code, or one for all.
inline at::Tensor take_rows(const at::Tensor& tensor, const at::Tensor& rows) {
  if (!tensor.defined() || tensor.dim() < 4 || tensor.size(0) == 1) return tensor;
  return tensor.index_select(0, rows);
}

/// Kernels of single channels, `[in, out · phases, 9]`, taps in row-major order.
///
/// An upsampling convolution equals four 3x3 correlations at the low resolution, one for each position of an output
/// pixel within its input pixel: K_pq = A_p W A_qᵀ, where A_p composes zero insertion and one axis of the filter [1, 3,
/// 3, 1] / 4.
inline at::Tensor single_channel_kernels(const at::Tensor& weight, bool upsample) {
  const std::int64_t out = weight.size(0), in = weight.size(1);
  const at::Tensor taps = weight.transpose(0, 1).reshape({in * out, 9});
  if (!upsample) return taps.view({in, out, 9}).contiguous();
  constexpr double compose[2][3][3] = {{{0.0, 0.25, 0.75}, {0.75, 0.75, 0.25}, {0.25, 0.0, 0.0}},
                                       {{0.0, 0.0, 0.25}, {0.25, 0.75, 0.75}, {0.75, 0.25, 0.0}}};
  at::Tensor matrix = at::empty({36, 9}, at::kDouble);  // from the taps of W to those of K_pq
  for (std::int64_t row = 0; row < 36; ++row)
    for (std::int64_t column = 0; column < 9; ++column)
      matrix.data_ptr<double>()[row * 9 + column] =
          compose[row / 18][row % 9 / 3][column / 3] * compose[row / 9 % 2][row % 3][column % 3];
  return at::matmul(taps, matrix.to(weight.device(), weight.scalar_type()).t()).view({in, out * 4, 9});
}

/// The 3x3 neighbourhoods of single-channel maps `[S, h, w]`, `[S, 9, h · w]`, zeros outside.
inline at::Tensor neighbourhoods(const at::Tensor& maps) {
  const std::int64_t h = maps.size(1), w = maps.size(2);
  const at::Tensor padded = at::constant_pad_nd(maps, {1, 1, 1, 1});
  std::vector<at::Tensor> taps;
  for (std::int64_t a = 0; a < 3; ++a)
    for (std::int64_t b = 0; b < 3; ++b) taps.push_back(padded.narrow(1, a, h).narrow(2, b, w));
  return at::stack(taps, 1).reshape({maps.size(0), 9, h * w});
}

/// Upsampling by a power of two along one axis as a matrix `[to, from]`.
inline at::Tensor spread_matrix(std::int64_t from, std::int64_t to, c10::ScalarType type) {
  at::Tensor matrix = at::eye(from, type).view({1, 1, from, from});
  while (matrix.size(2) < to) matrix = upsample_axis(matrix, 2);
  return matrix.view({to, from});
}

}  // namespace detail

inline SynthesisEdits::SynthesisEdits(GeneratorConfig config, Weights weights, const at::Tensor& s,
                                      std::vector<at::Tensor> noise, Resume resume)
    : config_(std::move(config)),
      weights_(std::move(weights)),
      layout_(style_layout(config_)),
      layers_(synthesis_layers(config_)),
      noise_(std::move(noise)),
      resume_(std::move(resume)) {
  if (!s.defined() || s.dim() != 2 || s.size(1) != layout_.dimension())
    throw Error(ErrorCode::shape_mismatch, "SynthesisEdits",
                "expected styles [N, " + std::to_string(layout_.dimension()) + "]");
  if (s.size(0) == 0)
    throw Error(ErrorCode::empty_input, "SynthesisEdits", "expected at least one start code, got none");
  const detail::LibTorchScope scope("SynthesisEdits");
  const c10::AutoGradMode off(false);
  s_ = s.detach().contiguous();
  whole_ = static_cast<double>(synthesis_macs(config_));
  double rest = whole_;
  std::size_t convolution = 0;
  held_.x = weights_["synthesis.b4.const"].to(s_.device(), s_.scalar_type()).unsqueeze(0);
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const SynthesisLayer& layer = layers_[index];
    const StyleLayer& place = layout_.layers()[index];
    const at::Tensor kernel = weight(index, "weight");
    const at::Tensor style = s_.narrow(1, place.offset, place.width);
    rest -= static_cast<double>(layer_macs(layer));
    Held held;
    held.x = held_.x;
    held.image = held_.image;
    held.rest = rest;
    if (layer.kind == SynthesisLayer::Kind::to_rgb) {
      const at::Tensor rgb =
          modulated_conv(held_.x, kernel, style * (1.0 / std::sqrt(static_cast<double>(layer.in))), false, false);
      held.response = rgb + weight(index, "bias").view({1, -1, 1, 1});
      held.spread = detail::spread_matrix(layer.resolution, config_.img_resolution, s_.scalar_type())
                        .to(s_.device(), s_.scalar_type());
      const auto from = static_cast<double>(layer.resolution), to = static_cast<double>(config_.img_resolution);
      held.update = static_cast<double>(layer.out) * (from * from + from * to * (from + to));
      held.rest = 0.0;
      const at::Tensor added =
          config_.conv_clamp ? at::clamp(held.response, -*config_.conv_clamp, *config_.conv_clamp) : held.response;
      held_.image = held_.image.defined() ? upsample2d(held_.image) + added : added;
    } else {
      const bool upsample = layer.kind == SynthesisLayer::Kind::upsampling_conv;
      const at::Tensor scaled = held_.x * style.unsqueeze(-1).unsqueeze(-1);
      held.response = upsample ? upsampling_conv(scaled, kernel) : at::conv2d(scaled, kernel, {}, 1, 1);
      held.squares = kernel.to(at::kDouble).square().sum({2, 3}).t().contiguous();
      held.norms = at::matmul(style.to(at::kDouble).square(), held.squares);
      held.update = (upsample ? 36.0 : 9.0) * static_cast<double>(layer.out * held.x.size(2) * held.x.size(3));
      if (!noise_.empty()) held.noise = noise_[convolution++] * weight(index, "noise_strength");
      held_.x = finish(index, held.response, held.norms, held.noise);
    }
    held_layers_.push_back(std::move(held));
  }
  held_.layer = layers_.size();
  cost_.passes = static_cast<double>(s_.size(0));
}

inline at::Tensor SynthesisEdits::weight(std::size_t layer, const char* part) const {
  return weights_["synthesis." + layers_[layer].name + "." + part].detach().to(s_.device(), s_.scalar_type());
}

inline at::Tensor SynthesisEdits::on_device(std::span<const std::int64_t> values) const {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), tensor.data_ptr<std::int64_t>());
  return tensor.to(s_.device(), at::kLong);
}

inline double SynthesisEdits::passes_of(std::int64_t channel) const {
  const Held& held = held_layers_[static_cast<std::size_t>(layout_.locate(channel).layer)];
  return std::min(1.0, (held.update + held.rest) / whole_);
}

/// Demodulation, noise, bias and activation of a response.
inline at::Tensor SynthesisEdits::finish(std::size_t layer, const at::Tensor& response, const at::Tensor& norms,
                                         const at::Tensor& noise) const {
  const at::Tensor demodulation =
      (at::clamp(norms, 0.0, std::nullopt) + normalization_epsilon).rsqrt().to(response.scalar_type());
  at::Tensor x = response * demodulation.unsqueeze(-1).unsqueeze(-1);
  if (noise.defined()) x = x + noise;
  return bias_activation(x, weight(layer, "bias"), true, config_.conv_clamp);
}

inline at::Tensor SynthesisEdits::edit_colour(const Held& held, std::size_t layer, const at::Tensor& rows,
                                              const at::Tensor& channels, const at::Tensor& shifts) const {
  const std::int64_t in = layers_[layer].in;
  // [M, 1, r, r]
  const at::Tensor maps =
      held.x.flatten(0, 1).index_select(0, rows * (held.x.size(0) == 1 ? 0 : in) + channels).unsqueeze(1);
  const at::Tensor columns =
      weight(layer, "weight").view({-1, in}).t().index_select(0, channels) * (1.0 / std::sqrt(static_cast<double>(in)));
  at::Tensor difference = maps * (columns * shifts.view({-1, 1})).unsqueeze(-1).unsqueeze(-1);
  if (config_.conv_clamp) {
    const at::Tensor before = held.response.index_select(0, rows);
    const double bound = *config_.conv_clamp;
    difference = at::clamp(before + difference, -bound, bound) - at::clamp(before, -bound, bound);
  }
  return held_.image.index_select(0, rows) + at::matmul(at::matmul(held.spread, difference), held.spread.t());
}

inline at::Tensor SynthesisEdits::edit_layer(std::size_t layer, std::span<const StyleEdit> edits) {
  Held& held = held_layers_[layer];
  const std::int64_t offset = layout_.layers()[layer].offset, in = layers_[layer].in;
  std::vector<std::int64_t> row_numbers, channel_numbers, sources, source_rows, source_channels;
  at::Tensor shifts = at::empty({static_cast<std::int64_t>(edits.size())}, at::kDouble);
  for (const StyleEdit& edit : edits) {
    shifts.data_ptr<double>()[row_numbers.size()] = static_cast<double>(edit.shift);
    row_numbers.push_back(edit.row);
    channel_numbers.push_back(edit.channel - offset);
    if (source_rows.empty() || source_rows.back() != row_numbers.back() ||
        source_channels.back() != channel_numbers.back()) {
      source_rows.push_back(row_numbers.back());
      source_channels.push_back(channel_numbers.back());
    }
    sources.push_back(static_cast<std::int64_t>(source_rows.size()) - 1);
  }
  const auto count = static_cast<double>(edits.size());
  const at::Tensor rows = on_device(row_numbers), channels = on_device(channel_numbers);
  if (layers_[layer].kind == SynthesisLayer::Kind::to_rgb) {
    cost_.passes += count * held.update / whole_;
    return edit_colour(held, layer, rows, channels, shifts.to(s_.device(), s_.scalar_type()));
  }
  shifts = shifts.to(s_.device(), at::kDouble);
  cost_.passes += (static_cast<double>(source_rows.size()) * held.update + count * held.rest) / whole_;

  if (!held.kernels.defined())
    held.kernels = detail::single_channel_kernels(weight(layer, "weight"),
                                                  layers_[layer].kind == SynthesisLayer::Kind::upsampling_conv);
  const at::Tensor own_channels = on_device(source_channels);
  // [S, h, w]
  const at::Tensor maps =
      held.x.flatten(0, 1).index_select(0, on_device(source_rows) * (held.x.size(0) == 1 ? 0 : in) + own_channels);
  // [S, out · phases, h · w]
  at::Tensor update = at::matmul(held.kernels.index_select(0, own_channels), detail::neighbourhoods(maps));
  const std::int64_t h = maps.size(1), w = maps.size(2), out = layers_[layer].out;
  if (layers_[layer].kind == SynthesisLayer::Kind::upsampling_conv)
    update = update.view({-1, out, 2, 2, h, w}).permute({0, 1, 4, 2, 5, 3}).reshape({-1, out, 2 * h, 2 * w});
  else update = update.view({-1, out, h, w});
  if (sources.size() != source_rows.size()) update = update.index_select(0, on_device(sources));

  const at::Tensor style = s_.narrow(1, offset, in).to(at::kDouble).flatten().index_select(0, rows * in + channels);
  const at::Tensor growth =
      (style * shifts * 2.0 + shifts.square()).unsqueeze(1) * held.squares.index_select(0, channels);
  const at::Tensor response =
      at::addcmul(held.response.index_select(0, rows), update, shifts.to(s_.scalar_type()).view({-1, 1, 1, 1}));
  SynthesisState state;
  state.layer = layer + 1;
  state.x = finish(layer, response, held.norms.index_select(0, rows) + growth, detail::take_rows(held.noise, rows));
  if (held.image.defined()) state.image = held.image.index_select(0, rows);
  std::vector<at::Tensor> noise;
  for (const at::Tensor& one : noise_) noise.push_back(detail::take_rows(one, rows));
  const at::Tensor s = s_.index_select(0, rows);
  if (resume_) return resume_(state, s, noise);
  std::vector<at::Tensor> styles;
  for (const StyleLayer& place : layout_.layers()) styles.push_back(s.narrow(1, place.offset, place.width));
  return synthesis_from(config_, weights_, state, styles, noise);
}

inline at::Tensor SynthesisEdits::images(std::span<const StyleEdit> edits) {
  faultline::detail::check_edits("SynthesisEdits", edits, s_.size(0), layout_.dimension());
  const detail::LibTorchScope scope("SynthesisEdits");
  const c10::AutoGradMode off(false);
  cost_.images += static_cast<std::int64_t>(edits.size());
  ++cost_.calls;
  std::vector<std::vector<std::int64_t>> places(layers_.size());
  for (std::size_t i = 0; i < edits.size(); ++i)
    places[static_cast<std::size_t>(layout_.locate(edits[i].channel).layer)].push_back(static_cast<std::int64_t>(i));
  at::Tensor images = at::empty(
      {static_cast<std::int64_t>(edits.size()), config_.img_channels, config_.img_resolution, config_.img_resolution},
      s_.options());
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    if (places[layer].empty()) continue;
    if (places[layer].size() == edits.size()) return edit_layer(layer, edits);
    std::vector<StyleEdit> own;
    for (const std::int64_t i : places[layer]) own.push_back(edits[static_cast<std::size_t>(i)]);
    images.index_copy_(0, on_device(places[layer]), edit_layer(layer, own));
  }
  return images;
}

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
