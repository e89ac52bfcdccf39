// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A classifier network ready to answer: batch normalisation folded into the convolutions, which run on the kernels of
// CpuBackend, so that a row does not depend on the batch.

#include <faultline/core/parallel_for.hpp>
#include <faultline/kernels/packed_weights.hpp>
#include <faultline/torch/threads.hpp>
#include <faultline/torch/training/classifier_networks.hpp>

#include <algorithm>
#include <memory>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {
namespace detail {

/// `classifier_features` and `classifier_head` for frozen weights, to rounding, in about a third of the time; row i
/// depends on image i alone, bit for bit.
///
/// Convolutions with many input channels go Winograd's way, F(2x2, 3x3), whose tiles are the windows of the pooling;
/// the first one is a product with its nine taps laid out.
class FoldedNetwork {
 public:
  FoldedNetwork(const ClassifierConfig& config, const stylegan2::Weights& weights)
      : net_(architecture(config.architecture, "FoldedNetwork")), input_(config.input) {
    std::int64_t in = input_.channels, height = input_.height, width = input_.width;
    for (std::size_t l = 0; l < net_.convolutions.size(); ++l) {
      const std::string number = std::to_string(l + 1), bn = "bn" + number;
      const at::Tensor scale = weights[bn + ".weight"] * (weights[bn + ".running_var"] + normalization_epsilon).rsqrt();
      const at::Tensor kernel =
          (weights["conv" + number + ".weight"] * scale.view({-1, 1, 1, 1})).to(at::kDouble).contiguous();
      const at::Tensor offset =
          ((weights["conv" + number + ".bias"] - weights[bn + ".running_mean"]) * scale + weights[bn + ".bias"])
              .contiguous();
      const double* w = kernel.const_data_ptr<double>();
      Layer layer;
      layer.in = in;
      layer.out = net_.convolutions[l].out;
      layer.height = height + 2 * net_.padding - 2;
      layer.width = width + 2 * net_.padding - 2;
      layer.pool = net_.convolutions[l].pool_after;
      layer.stored_in = kernels::padded(in);
      layer.stored_out = kernels::padded(layer.out);
      layer.bias = kernels::Buffer<float>(static_cast<std::size_t>(layer.stored_out));
      std::copy_n(offset.const_data_ptr<float>(), layer.out, layer.bias.data());
      if (l == 0) {
        layer.taps = kernels::Product(kernels_, layer.out, 9 * in, [&](std::ptrdiff_t o, std::ptrdiff_t k) {
          return static_cast<float>(w[o * 9 * in + k]);
        });
      } else {
        layer.cut = {layer.stored_in, layer.stored_out, kernels_.tile, 64, 16};
        layer.tiles =
            layer.cut.pack<float>(layer.out, in, [&](std::ptrdiff_t o, std::ptrdiff_t i, std::ptrdiff_t position) {
              return kernels::winograd_weight(w + (o * in + i) * 9, position);
            });
      }
      in = layer.out;
      height = layer.pooled(layer.height);
      width = layer.pooled(layer.width);
      layers_.push_back(std::move(layer));
    }
    // Features lie as [pixel][channel] here and as [channel][pixel] in the file.
    const Layer& last = layers_.back();
    const std::int64_t pixels = height * width;
    const at::Tensor hidden = weights["fc1.weight"].contiguous(), head = weights["fc2.weight"].contiguous();
    const float *h = hidden.const_data_ptr<float>(), *g = head.const_data_ptr<float>();
    flat_ = pixels * last.stored_out;
    hidden_ = kernels::Product(kernels_, net_.hidden, flat_, [&](std::ptrdiff_t o, std::ptrdiff_t k) {
      const std::ptrdiff_t channel = k % last.stored_out, pixel = k / last.stored_out;
      return channel < last.out ? h[o * last.out * pixels + channel * pixels + pixel] : 0.0f;
    });
    head_ = kernels::Product(kernels_, config.classes, net_.hidden,
                             [&](std::ptrdiff_t o, std::ptrdiff_t k) { return g[o * net_.hidden + k]; });
    hidden_bias_ = weights["fc1.bias"].contiguous();
    head_bias_ = weights["fc2.bias"].contiguous();
  }

  /// Images `[N, C, H, W]` -> activations of the hidden layer `[N, 128]`.
  [[nodiscard]] at::Tensor features(const at::Tensor& images) const {
    const at::Tensor plain = images.contiguous();
    const std::int64_t count = plain.size(0), pixels = input_.channels * input_.height * input_.width;
    at::Tensor result = at::empty({count, net_.hidden}, at::kFloat);
    const float* from = plain.const_data_ptr<float>();
    float* to = result.data_ptr<float>();
    constexpr std::int64_t chunk = 16;  // images that share a reading of the hidden layer's weights
    const std::int64_t threads = std::min(stylegan2::detail::loop_threads(), available_threads());
    std::vector<std::unique_ptr<Scratch>> spaces(static_cast<std::size_t>(threads));
    parallel_for_blocks(count, chunk, threads, [&](std::int64_t first, std::int64_t last, std::int64_t slot) {
      auto& space = spaces[static_cast<std::size_t>(slot)];
      if (!space) space = std::make_unique<Scratch>(*this, chunk);
      Scratch& scratch = *space;
      const std::int64_t rows = last - first;
      for (std::int64_t i = 0; i < rows; ++i)
        convolve(from + (first + i) * pixels, scratch.flat.data() + i * flat_, scratch);
      hidden_(scratch.flat.data(), flat_, rows, scratch.response.data(), hidden_.out());
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t o = 0; o < net_.hidden; ++o) {
          const float value = scratch.response.data()[i * hidden_.out() + o] + hidden_bias_.const_data_ptr<float>()[o];
          to[(first + i) * net_.hidden + o] = net_.activated_features ? std::max(value, 0.0f) : value;
        }
    });
    return result;
  }

  /// Images -> logits `[N, classes]`.
  [[nodiscard]] at::Tensor logits(const at::Tensor& images) const {
    const at::Tensor hidden = features(images);
    const std::int64_t count = hidden.size(0), classes = head_bias_.numel();
    Buffer raw(static_cast<std::size_t>(count * head_.out()));
    const Buffer rows =
        kernels::padded_rows(hidden.const_data_ptr<float>(), count, net_.hidden, net_.hidden, head_.in());
    head_(rows.data(), head_.in(), count, raw.data(), head_.out());
    at::Tensor result = at::empty({count, classes}, at::kFloat);
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t k = 0; k < classes; ++k)
        result.data_ptr<float>()[i * classes + k] =
            raw.data()[i * head_.out() + k] + head_bias_.const_data_ptr<float>()[k];
    return result;
  }

 private:
  using Buffer = kernels::Buffer<float>;
  using Product = kernels::Product;

  struct Layer {
    std::int64_t in = 0, out = 0;
    std::ptrdiff_t stored_in = 0, stored_out = 0;  ///< padded
    std::int64_t height = 0, width = 0;            ///< of its output before pooling
    bool pool = false;
    Product taps;  ///< the first layer
    kernels::Cut cut;
    Buffer tiles;  ///< the others
    Buffer bias;

    [[nodiscard]] std::int64_t pooled(std::int64_t side) const { return pool ? side / 2 : side; }
    [[nodiscard]] std::ptrdiff_t down() const { return (height + 1) / 2; }  ///< tiles
    [[nodiscard]] std::ptrdiff_t across() const { return (width + 1) / 2; }
    [[nodiscard]] std::ptrdiff_t line() const {
      return (2 * across() + 2) * stored_in;
    }  ///< of its input, zeros around and beyond
  };

  struct Scratch {
    Scratch(const FoldedNetwork& network, std::int64_t images) {
      std::ptrdiff_t tile_inputs = 0, tile_outputs = 0, plain = images * network.hidden_.out();
      for (const Layer& layer : network.layers_) {
        const bool first = &layer == &network.layers_.front();
        inputs.emplace_back(first ? 0 : static_cast<std::size_t>((2 * layer.down() + 2) * layer.line()));
        if (first) {
          columns = Buffer(static_cast<std::size_t>(layer.height * layer.width * layer.taps.in()));
          plain = std::max(plain, static_cast<std::ptrdiff_t>(layer.height * layer.width) * layer.stored_out);
        } else {
          tile_inputs = std::max(tile_inputs, 16 * layer.down() * layer.across() * layer.stored_in);
          tile_outputs = std::max(tile_outputs, 16 * layer.down() * layer.across() * layer.cut.tile);
          plain = std::max(plain, 4 * layer.across() * layer.cut.tile);
        }
      }
      before = Buffer(static_cast<std::size_t>(tile_inputs));
      after = Buffer(static_cast<std::size_t>(tile_outputs));
      response = Buffer(static_cast<std::size_t>(plain));
      flat = Buffer(static_cast<std::size_t>(images * network.flat_));
    }
    std::vector<Buffer> inputs;
    Buffer columns, before, after, response, flat;
  };

  /// One image to its features `[pixel][channel]`.
  void convolve(const float* image, float* flat, Scratch& scratch) const {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const Layer& layer = layers_[l];
      if (l == 0) {
        lay_out(layer, image, scratch.columns.data());
        layer.taps(scratch.columns.data(), layer.taps.in(), layer.height * layer.width, scratch.response.data(),
                   layer.stored_out);
        const std::ptrdiff_t row = layer.width * layer.stored_out;
        for (std::int64_t y = 0; y < layer.height; y += 2)
          finish(l, y, 0, layer.stored_out, scratch.response.data() + y * row, scratch.response.data() + (y + 1) * row,
                 flat, scratch);
        continue;
      }
      const std::ptrdiff_t down = layer.down(), across = layer.across(), count = down * across, no_offset = 0;
      for (std::ptrdiff_t r = 0; r < down; ++r)
        kernels_.tile_inputs({scratch.inputs[l].data() + 2 * r * layer.line(), layer.line(), layer.stored_in, across,
                              scratch.before.data() + r * across * layer.stored_in, count * layer.stored_in});
      for (std::ptrdiff_t first = 0; first < layer.stored_out; first += layer.cut.tile) {
        const std::ptrdiff_t width = layer.cut.width(first);
        for (std::ptrdiff_t i = 0; i < layer.stored_in; i += layer.cut.block)
          for (std::ptrdiff_t position = 0; position < 16; ++position)
            kernels_.convolve({scratch.before.data() + position * count * layer.stored_in + i, layer.stored_in,
                               &no_offset, 1, layer.cut.depth(i),
                               layer.tiles.data() + layer.cut.offset(first, i, position), width,
                               scratch.after.data() + position * count * width, width, count, i > 0});
        for (std::ptrdiff_t r = 0; r < down; ++r) {
          kernels_.tile_outputs(
              {scratch.after.data() + r * across * width, count * width, width, across, scratch.response.data()});
          finish(l, 2 * r, first, width, scratch.response.data(), scratch.response.data() + 2 * across * width, flat,
                 scratch);
        }
      }
    }
  }

  /// The nine taps of every output pixel, channel by channel, `[pixel][9 C]`, zeros outside.
  void lay_out(const Layer& layer, const float* image, float* columns) const {
    const std::int64_t height = input_.height, width = input_.width;
    for (std::int64_t y = 0; y < layer.height; ++y)
      for (std::int64_t x = 0; x < layer.width; ++x, columns += layer.taps.in())
        for (std::int64_t c = 0; c < layer.in; ++c)
          for (std::int64_t k = 0; k < 9; ++k) {
            const std::int64_t row = y + k / 3 - net_.padding, column = x + k % 3 - net_.padding;
            columns[c * 9 + k] = row >= 0 && row < height && column >= 0 && column < width
                                     ? image[(c * height + row) * width + column]
                                     : 0.0f;
          }
  }

  /// Bias, ReLU and pooling of rows y and y + 1, `width` channels from `first` on, into the next layer's input or the
  /// features.
  void finish(std::size_t l, std::int64_t y, std::ptrdiff_t first, std::ptrdiff_t width, const float* upper,
              const float* lower, float* flat, Scratch& scratch) const {
    const Layer& layer = layers_[l];
    const float* const bias = layer.bias.data() + first;
    const auto target = [&](std::int64_t row) {
      if (l + 1 == layers_.size()) return flat + row * layer.pooled(layer.width) * layer.stored_out + first;
      return scratch.inputs[l + 1].data() + (row + net_.padding) * layers_[l + 1].line() +
             net_.padding * layer.stored_out + first;
    };
    if (layer.pool) {
      if (y + 1 < layer.height)
        kernels_.rectify({upper, lower, width, layer.width / 2, bias, target(y / 2), layer.stored_out});
      return;
    }
    kernels_.rectify({upper, nullptr, width, layer.width, bias, target(y), layer.stored_out});
    if (y + 1 < layer.height)
      kernels_.rectify({lower, nullptr, width, layer.width, bias, target(y + 1), layer.stored_out});
  }

  const kernels::Kernels& kernels_ = *kernels::runnable_kernels().front();
  Architecture net_;
  InputSpec input_;
  std::vector<Layer> layers_;
  std::int64_t flat_ = 0;
  Product hidden_, head_;
  at::Tensor hidden_bias_, head_bias_;
};

}  // namespace detail
}  // namespace training
}  // namespace v1
}  // namespace faultline
