// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A classifier network ready to answer: batch normalisation folded into the convolutions, which run on our kernels, so
// that a row does not depend on the batch.

#include <faultline/classify/classifier_network.hpp>
#include <faultline/classify/detail/winograd_convolution.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/kernels/packed_weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {
namespace detail {

/// A convolution and the batch normalisation after it as one convolution.
struct FoldedConvolution {
  std::vector<float> kernel;  ///< [out][in][3][3]
  std::vector<float> offset;  ///< [out]
};

/// That of layer l (from 0). Every step is rounded to float: the numbers of the shipped models were recorded so.
inline FoldedConvolution folded_convolution(const kernels::Weights& weights, std::size_t l) {
  const std::string number = std::to_string(l + 1), conv = "conv" + number, bn = "bn" + number;
  FoldedConvolution folded{weights[conv + ".weight"].values, weights[conv + ".bias"].values};
  const auto &gain = weights[bn + ".weight"].values, &shift = weights[bn + ".bias"].values,
             &mean = weights[bn + ".running_mean"].values, &variance = weights[bn + ".running_var"].values;
  const std::size_t taps = folded.kernel.size() / folded.offset.size();
  for (std::size_t o = 0; o < folded.offset.size(); ++o) {
    const float scale = gain[o] * (1.0f / std::sqrt(variance[o] + static_cast<float>(normalization_epsilon)));
    for (std::size_t k = 0; k < taps; ++k) folded.kernel[o * taps + k] *= scale;
    // through double, which holds the product exactly: a compiler may not make one operation of it and the sum
    const double centred = static_cast<double>(folded.offset[o] - mean[o]) * static_cast<double>(scale);
    folded.offset[o] = static_cast<float>(centred) + shift[o];
  }
  return folded;
}

/// Sizes of one convolution's output, before and after pooling, and what is added to it.
struct FoldedLayer {
  std::int64_t out = 0, height = 0, width = 0;
  std::ptrdiff_t stored = 0;  ///< `out`, padded
  bool pool = false;
  Buffer bias;

  [[nodiscard]] std::int64_t pooled(std::int64_t side) const { return pool ? side / 2 : side; }
};

/// The convolutions and linear layers for frozen weights; row i depends on image i alone, bit for bit.
///
/// Convolutions with many input channels go Winograd's way, whose tiles are the windows of the pooling; the first one
/// is a product with its nine taps laid out.
class FoldedNetwork {
 public:
  explicit FoldedNetwork(const ClassifierModel& model,
                         const kernels::Kernels& table = *kernels::runnable_kernels().front())
      : kernels_(table),
        net_(architecture(model.config.architecture, "NetworkClassifier")),
        input_(model.config.input) {
    std::int64_t in = input_.channels, height = input_.height, width = input_.width;
    for (std::size_t l = 0; l < net_.convolutions.size(); ++l) {
      const FoldedConvolution folded = folded_convolution(model.weights, l);
      FoldedLayer layer;
      layer.out = net_.convolutions[l].out;
      layer.height = height + 2 * net_.padding - 2;
      layer.width = width + 2 * net_.padding - 2;
      layer.pool = net_.convolutions[l].pool_after;
      layer.stored = kernels::padded(layer.out);
      layer.bias = Buffer(static_cast<std::size_t>(layer.stored));
      std::copy(folded.offset.begin(), folded.offset.end(), layer.bias.data());
      const float* const kernel = folded.kernel.data();
      if (l == 0)
        taps_ = kernels::Product(kernels_, layer.out, 9 * in,
                                 [&](std::ptrdiff_t o, std::ptrdiff_t k) { return kernel[o * 9 * in + k]; });
      else convolutions_.emplace_back(kernels_, layer.out, in, layer.height, layer.width, kernel);
      in = layer.out;
      height = layer.pooled(layer.height);
      width = layer.pooled(layer.width);
      layers_.push_back(std::move(layer));
    }
    const float *const hidden = model.weights["fc1.weight"].data(), *const head = model.weights["fc2.weight"].data();
    flat_ = static_cast<std::ptrdiff_t>(height * width) * layers_.back().stored;
    hidden_ = kernels::Product(kernels_, net_.hidden, flat_,
                               [&](std::ptrdiff_t o, std::ptrdiff_t k) { return hidden_weight(hidden, o, k); });
    head_ = kernels::Product(kernels_, model.config.classes, net_.hidden,
                             [&](std::ptrdiff_t o, std::ptrdiff_t k) { return head[o * net_.hidden + k]; });
    hidden_bias_ = model.weights["fc1.bias"].values;
    head_bias_ = model.weights["fc2.bias"].values;
  }

  [[nodiscard]] const kernels::Kernels& kernel_table() const noexcept { return kernels_; }
  [[nodiscard]] const Architecture& net() const noexcept { return net_; }
  [[nodiscard]] const InputSpec& input() const noexcept { return input_; }
  [[nodiscard]] const std::vector<FoldedLayer>& layers() const noexcept { return layers_; }
  [[nodiscard]] std::ptrdiff_t flat() const noexcept { return flat_; }
  [[nodiscard]] std::ptrdiff_t stored_hidden() const noexcept { return hidden_.out(); }
  [[nodiscard]] std::ptrdiff_t stored_classes() const noexcept { return head_.out(); }
  [[nodiscard]] std::int64_t classes() const noexcept { return static_cast<std::int64_t>(head_bias_.size()); }

  /// Weight of hidden unit o for value k of `[pixel][stored channel]`, as values lie here; in the file they lie as
  /// `[channel][pixel]`.
  [[nodiscard]] float hidden_weight(const float* stored, std::ptrdiff_t o, std::ptrdiff_t k) const {
    const FoldedLayer& last = layers_.back();
    const std::ptrdiff_t channel = k % last.stored, pixel = k / last.stored, pixels = flat_ / last.stored;
    return channel < last.out ? stored[(o * last.out + channel) * pixels + pixel] : 0.0f;
  }

  /// What one image leaves behind on its way: inputs of the convolutions but the first, zeros around them, and, to find
  /// the largest of a window again, the responses `[height][width][stored]` of layers that are pooled.
  struct Activations {
    Activations(const FoldedNetwork& network, bool keep_responses) {
      for (const WinogradConvolution& convolution : network.convolutions_) inputs.push_back(convolution.input());
      for (const FoldedLayer& layer : network.layers_)
        responses.emplace_back(keep_responses && layer.pool ? static_cast<std::size_t>(layer.height * layer.width) *
                                                                  static_cast<std::size_t>(layer.stored)
                                                            : 0);
    }
    std::vector<Buffer> inputs, responses;
  };

  /// Scratch space of one thread.
  struct Space {
    Space(const FoldedNetwork& network, std::int64_t count) : tiles(network.convolutions_) {
      const FoldedLayer& first = network.layers_.front();
      const auto pixels = static_cast<std::size_t>(first.height * first.width),
                 images = static_cast<std::size_t>(count);
      columns = Buffer(pixels * static_cast<std::size_t>(network.taps_.in()));
      response = Buffer(pixels * static_cast<std::size_t>(first.stored));
      flat = Buffer(images * static_cast<std::size_t>(network.flat_));
      hidden = Buffer(images * static_cast<std::size_t>(network.stored_hidden()));
      logits = Buffer(images * static_cast<std::size_t>(network.stored_classes()));
    }
    WinogradSpace tiles;
    Buffer columns, response;  ///< of the first layer
    Buffer flat;               ///< [image][pixel][stored channel]
    Buffer hidden, logits;     ///< [image][stored]
  };

  /// Calls body(first, last, space) for blocks of at most `most` images on all threads; `make(images)` makes the space
  /// of a thread.
  template <class Make, class Body>
  static void for_each_block(std::int64_t count, std::int64_t most, const Make& make, const Body& body) {
    const std::int64_t threads = available_threads();
    const std::int64_t block = std::clamp((count + threads - 1) / threads, std::int64_t{1}, most);
    std::vector<std::invoke_result_t<const Make&, std::int64_t>> spaces(static_cast<std::size_t>(threads));
    parallel_for_blocks(count, block, threads, [&](std::int64_t first, std::int64_t last, std::int64_t slot) {
      auto& space = spaces[static_cast<std::size_t>(slot)];
      if (!space) space = make(block);
      body(first, last, *space);
    });
  }

  /// Images -> activations of the hidden layer `[N][hidden]`.
  void features(ImageView images, float* out) const {
    answer(images, [&](std::int64_t first, std::int64_t last, Space& space) {
      for (std::int64_t i = first; i < last; ++i)
        std::copy_n(space.hidden.data() + (i - first) * stored_hidden(), net_.hidden, out + i * net_.hidden);
    });
  }

  /// Images -> logits `[N][classes]`.
  void logits(ImageView images, float* out) const {
    answer(images, [&](std::int64_t first, std::int64_t last, Space& space) {
      answer_head(last - first, space);
      for (std::int64_t i = first; i < last; ++i)
        std::copy_n(space.logits.data() + (i - first) * stored_classes(), classes(), out + i * classes());
    });
  }

  /// One image to `flat` `[pixel][stored channel]`.
  void convolve(const float* image, float* flat, Activations& kept, Space& space) const {
    const FoldedLayer& layer = layers_.front();
    lay_out(image, space.columns.data());
    taps_(space.columns.data(), taps_.in(), layer.height * layer.width, space.response.data(), layer.stored);
    const std::ptrdiff_t row = layer.width * layer.stored;
    for (std::int64_t y = 0; y < layer.height; y += 2)
      finish(0, y, 0, layer.stored, space.response.data() + y * row, space.response.data() + (y + 1) * row, flat, kept);
    for (std::size_t l = 1; l < layers_.size(); ++l)
      convolutions_[l - 1](kept.inputs[l - 1].data(), space.tiles,
                           [&](std::int64_t y, std::ptrdiff_t first, std::ptrdiff_t width, const float* upper,
                               const float* lower) { finish(l, y, first, width, upper, lower, flat, kept); });
  }

  /// `space.flat` of so many images -> `space.hidden`.
  void answer_hidden(std::int64_t rows, Space& space) const {
    hidden_(space.flat.data(), flat_, rows, space.hidden.data(), stored_hidden());
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t o = 0; o < net_.hidden; ++o) {
        float& value = space.hidden.data()[i * stored_hidden() + o];
        value += hidden_bias_[static_cast<std::size_t>(o)];
        if (net_.activated_features) value = std::max(value, 0.0f);
      }
  }

  /// `space.hidden` -> `space.logits`.
  void answer_head(std::int64_t rows, Space& space) const {
    head_(space.hidden.data(), stored_hidden(), rows, space.logits.data(), stored_classes());
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t k = 0; k < classes(); ++k)
        space.logits.data()[i * stored_classes() + k] += head_bias_[static_cast<std::size_t>(k)];
  }

  /// A row of what layer l hands on, pixels `stored` apart.
  [[nodiscard]] float* activation_row(std::size_t l, std::int64_t row, float* flat, Activations& kept) const {
    const FoldedLayer& layer = layers_[l];
    if (l + 1 == layers_.size()) return flat + row * layer.pooled(layer.width) * layer.stored;
    return kept.inputs[l].data() + (row + net_.padding) * convolutions_[l].line() + net_.padding * layer.stored;
  }

 private:
  struct ScoreSpace : Space {
    ScoreSpace(const FoldedNetwork& network, std::int64_t images) : Space(network, images), kept(network, false) {}
    Activations kept;
  };

  /// Calls body(first, last, space) where `space.hidden` of these images is known.
  template <class Body>
  void answer(ImageView images, const Body& body) const {
    constexpr std::int64_t most = 16;  // images that share a reading of the hidden layer's weights
    for_each_block(
        images.count(), most, [&](std::int64_t block) { return std::make_unique<ScoreSpace>(*this, block); },
        [&](std::int64_t first, std::int64_t last, ScoreSpace& space) {
          for (std::int64_t i = first; i < last; ++i)
            convolve(images.image(i).data(), space.flat.data() + (i - first) * flat_, space.kept, space);
          answer_hidden(last - first, space);
          body(first, last, space);
        });
  }

  /// The nine taps of every output pixel, channel by channel, `[pixel][9 C]`, zeros outside.
  void lay_out(const float* image, float* columns) const {
    const FoldedLayer& layer = layers_.front();
    const std::int64_t height = input_.height, width = input_.width;
    for (std::int64_t y = 0; y < layer.height; ++y)
      for (std::int64_t x = 0; x < layer.width; ++x, columns += taps_.in())
        for (std::int64_t c = 0; c < input_.channels; ++c)
          for (std::int64_t k = 0; k < 9; ++k) {
            const std::int64_t row = y + k / 3 - net_.padding, column = x + k % 3 - net_.padding;
            columns[c * 9 + k] = row >= 0 && row < height && column >= 0 && column < width
                                     ? image[(c * height + row) * width + column]
                                     : 0.0f;
          }
  }

  /// Bias, ReLU and pooling of rows y and y + 1, `width` channels from `first` on, into what the layer hands on.
  void finish(std::size_t l, std::int64_t y, std::ptrdiff_t first, std::ptrdiff_t width, const float* upper,
              const float* lower, float* flat, Activations& kept) const {
    const FoldedLayer& layer = layers_[l];
    const float* const bias = layer.bias.data() + first;
    const bool both = y + 1 < layer.height;
    const auto target = [&](std::int64_t row) { return activation_row(l, row, flat, kept) + first; };
    if (!layer.pool) {
      kernels_.rectify({upper, nullptr, width, layer.width, bias, target(y), layer.stored});
      if (both) kernels_.rectify({lower, nullptr, width, layer.width, bias, target(y + 1), layer.stored});
      return;
    }
    if (!both) return;
    kernels_.rectify({upper, lower, width, layer.width / 2, bias, target(y / 2), layer.stored});
    if (kept.responses[l].size() == 0) return;
    float* const to = kept.responses[l].data() + y * layer.width * layer.stored + first;
    for (std::int64_t x = 0; x < layer.width; ++x) {
      std::copy_n(upper + x * width, width, to + x * layer.stored);
      std::copy_n(lower + x * width, width, to + (layer.width + x) * layer.stored);
    }
  }

  const kernels::Kernels& kernels_;
  Architecture net_;
  InputSpec input_;
  std::vector<FoldedLayer> layers_;
  kernels::Product taps_;                          ///< of the first layer
  std::vector<WinogradConvolution> convolutions_;  ///< of the others
  std::ptrdiff_t flat_ = 0;
  kernels::Product hidden_, head_;
  std::vector<float> hidden_bias_, head_bias_;
};

}  // namespace detail
}  // namespace classify
}  // namespace v1
}  // namespace faultline
