// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The way back through a classifier network: from a probability to the image.

#include <faultline/classify/detail/folded_network.hpp>
#include <faultline/core/image.hpp>
#include <faultline/kernels/cpu_kernels.hpp>
#include <faultline/kernels/packed_weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {
namespace detail {

/// One row of pixels on its way back through max pooling and ReLU, `width` channels.
struct UnpoolRow {
  const float* activated;  ///< what the layer handed on
  const float* gradient;   ///< of it, pixels `gradient_step` apart
  std::ptrdiff_t gradient_step;
  const float* upper;  ///< responses of the windows; null: no pooling
  const float* lower;
  float* upper_gradient;  ///< of the responses
  float* lower_gradient;
  std::ptrdiff_t step;  ///< floats between pixels of all others
  std::ptrdiff_t width;
  std::ptrdiff_t pixels;
};

/// Nothing passes where the activation is 0; of a window the first of its largest responses in row-major order gets
/// all.
inline void unpool(const UnpoolRow& row) {
  constexpr int lanes = 4;
  using Vector = kernels::VectorOf<lanes>::type;
  const Vector zero = {};
  const auto load = [](const float* from) {
    Vector value;
    std::memcpy(&value, from, sizeof value);
    return value;
  };
  for (std::ptrdiff_t p = 0; p < row.pixels; ++p)
    for (std::ptrdiff_t c = 0; c < row.width; c += lanes) {
      Vector rest = load(row.gradient + p * row.gradient_step + c);
      rest = load(row.activated + p * row.step + c) > zero ? rest : zero;
      if (!row.upper) {
        std::memcpy(row.upper_gradient + p * row.step + c, &rest, sizeof rest);
        continue;
      }
      const std::ptrdiff_t left = 2 * p * row.step + c, right = left + row.step;
      const Vector values[4] = {load(row.upper + left), load(row.upper + right), load(row.lower + left),
                                load(row.lower + right)};
      float* const targets[4] = {row.upper_gradient + left, row.upper_gradient + right, row.lower_gradient + left,
                                 row.lower_gradient + right};
      Vector largest = values[0];
      for (int k = 1; k < 4; ++k) largest = largest > values[k] ? largest : values[k];
      for (int k = 0; k < 4; ++k) {
        const auto chosen = values[k] == largest;
        const Vector own = chosen ? rest : zero;
        rest = chosen ? zero : rest;
        std::memcpy(targets[k], &own, sizeof own);
      }
    }
}

/// Gradients of softmax probabilities; row i depends on image i alone, bit for bit.
///
/// A convolution goes back as a convolution with its kernel turned around, again Winograd's way; the first one as a
/// product with its transpose whose taps are added where they came from.
class FoldedGradient {
 public:
  /// `model` is the one that `network`, which is borrowed, was made from.
  FoldedGradient(const FoldedNetwork& network, const ClassifierModel& model) : network_(network) {
    const kernels::Kernels& table = network.kernel_table();
    const std::int64_t hidden = network.net().hidden;
    std::int64_t in = network.input().channels, height = network.input().height, width = network.input().width;
    for (std::size_t l = 0; l < network.layers().size(); ++l) {
      const FoldedLayer& layer = network.layers()[l];
      const std::vector<float> kernel = folded_convolution(model.weights, l).kernel;
      if (l == 0) {
        taps_ = kernels::Product(table, 9 * in, layer.out,
                                 [&](std::ptrdiff_t k, std::ptrdiff_t o) { return kernel.data()[o * 9 * in + k]; });
      } else {
        std::vector<float> turned(kernel.size());
        const auto outs = static_cast<std::size_t>(layer.out), ins = static_cast<std::size_t>(in);
        for (std::size_t o = 0; o < outs; ++o)
          for (std::size_t i = 0; i < ins; ++i)
            for (std::size_t k = 0; k < 9; ++k) turned[(i * outs + o) * 9 + 8 - k] = kernel[(o * ins + i) * 9 + k];
        convolutions_.emplace_back(table, in, layer.out, height, width, turned.data());
      }
      in = layer.out;
      height = layer.pooled(layer.height);
      width = layer.pooled(layer.width);
    }
    const float *const flat = model.weights["fc1.weight"].data(), *const head = model.weights["fc2.weight"].data();
    hidden_ = kernels::Product(table, network.flat(), hidden,
                               [&](std::ptrdiff_t k, std::ptrdiff_t o) { return network.hidden_weight(flat, o, k); });
    head_ = kernels::Product(table, hidden, model.config.classes,
                             [&](std::ptrdiff_t o, std::ptrdiff_t k) { return head[k * hidden + o]; });
  }

  /// Images and labels -> ∂p(label_i)/∂image_i, `[N][C][H][W]`.
  void operator()(ImageView images, std::span<const std::int64_t> labels, float* out) const {
    constexpr std::int64_t most = 8;  // their activations are kept
    FoldedNetwork::for_each_block(
        images.count(), most, [&](std::int64_t block) { return std::make_unique<Space>(*this, block); },
        [&](std::int64_t first, std::int64_t last, Space& space) {
          const std::int64_t rows = last - first;
          for (std::int64_t i = 0; i < rows; ++i)
            network_.convolve(images.image(first + i).data(), space.flat.data() + i * network_.flat(),
                              space.kept[static_cast<std::size_t>(i)], space);
          network_.answer_hidden(rows, space);
          network_.answer_head(rows, space);
          for (std::int64_t i = 0; i < rows; ++i)
            space.slopes[static_cast<std::size_t>(i)] =
                to_log_odds(space.logits.data() + i * network_.stored_classes(), network_.classes(),
                            labels[static_cast<std::size_t>(first + i)]);
          back_to_flat(rows, space);
          for (std::int64_t i = 0; i < rows; ++i)
            back_to_image(i, space, out + (first + i) * images.shape().elements());
        });
  }

 private:
  struct Space : FoldedNetwork::Space {
    Space(const FoldedGradient& gradient, std::int64_t count)
        : FoldedNetwork::Space(gradient.network_, count), back(gradient.convolutions_) {
      const FoldedLayer& front = gradient.network_.layers().front();
      const auto images = static_cast<std::size_t>(count),
                 pixels = static_cast<std::size_t>(front.height * front.width);
      for (std::size_t i = 0; i < images; ++i) kept.emplace_back(gradient.network_, true);
      responses.emplace_back(pixels * static_cast<std::size_t>(front.stored));
      for (const WinogradConvolution& convolution : gradient.convolutions_) responses.push_back(convolution.input());
      column_gradients = Buffer(pixels * static_cast<std::size_t>(gradient.taps_.out()));
      hidden_gradient = Buffer(images * static_cast<std::size_t>(gradient.head_.out()));
      flat_gradient = Buffer(images * static_cast<std::size_t>(gradient.hidden_.out()));
      slopes.resize(images);
    }
    WinogradSpace back;
    std::vector<FoldedNetwork::Activations> kept;  ///< of each image
    std::vector<Buffer> responses;                 ///< gradients of each layer's, zeros around those but the first
    Buffer column_gradients, hidden_gradient, flat_gradient;
    std::vector<double> slopes;  ///< ∂p/∂(log odds) of each image
  };

  /// Puts the gradient of the log odds x_l - log Σ_{k≠l} exp(x_k) into the place of logits x, and returns p (1 - p),
  /// the slope of p as their function. Apart they lose no digits where p is close to 0 or 1.
  static double to_log_odds(float* logits, std::int64_t classes, std::int64_t label) {
    double highest = -std::numeric_limits<double>::infinity(), sum = 0.0;
    for (std::int64_t k = 0; k < classes; ++k)
      if (k != label) highest = std::max(highest, static_cast<double>(logits[k]));
    for (std::int64_t k = 0; k < classes; ++k)
      if (k != label) sum += std::exp(static_cast<double>(logits[k]) - highest);
    const double odds = std::exp(static_cast<double>(logits[label]) - highest) / sum;
    for (std::int64_t k = 0; k < classes; ++k)
      logits[k] = k == label ? 1.0f : static_cast<float>(-std::exp(static_cast<double>(logits[k]) - highest) / sum);
    return classes == 1 ? 0.0 : 1.0 / (2.0 + odds + 1.0 / odds);
  }

  /// `space.logits`, which hold their gradient, -> `space.flat_gradient`.
  void back_to_flat(std::int64_t rows, Space& space) const {
    float* const hidden = space.hidden_gradient.data();
    head_(space.logits.data(), network_.stored_classes(), rows, hidden, head_.out());
    if (network_.net().activated_features)
      for (std::ptrdiff_t k = 0; k < rows * head_.out(); ++k)
        if (!(space.hidden.data()[k] > 0.0f)) hidden[k] = 0.0f;
    hidden_(hidden, head_.out(), rows, space.flat_gradient.data(), hidden_.out());
  }

  /// Row i of `space.flat_gradient` -> the gradient of image i.
  void back_to_image(std::int64_t i, Space& space, float* image) const {
    const std::size_t last = network_.layers().size() - 1;
    const FoldedLayer &front = network_.layers().front(), &back = network_.layers()[last];
    const std::ptrdiff_t row = back.pooled(back.width) * back.stored;
    for (std::int64_t y = 0; y < back.pooled(back.height); ++y)
      pass(last, y, 0, back.stored, space.flat_gradient.data() + i * network_.flat() + y * row, i, space);
    for (std::size_t l = last; l > 0; --l) {
      const WinogradConvolution& convolution = convolutions_[l - 1];
      convolution(
          space.responses[l].data(), space.back,
          [&](std::int64_t y, std::ptrdiff_t first, std::ptrdiff_t width, const float* upper, const float* lower) {
            pass(l - 1, y, first, width, upper, i, space);
            if (y + 1 < convolution.height()) pass(l - 1, y + 1, first, width, lower, i, space);
          });
    }
    taps_(space.responses[0].data(), front.stored, front.height * front.width, space.column_gradients.data(),
          taps_.out());
    gather(space.column_gradients.data(), space.slopes[static_cast<std::size_t>(i)], image);
  }

  /// One row of the gradient of what layer l hands on, `width` channels from `first` on and pixels so far apart, into
  /// `space.responses[l]`.
  void pass(std::size_t l, std::int64_t y, std::ptrdiff_t first, std::ptrdiff_t width, const float* gradient,
            std::int64_t i, Space& space) const {
    const FoldedLayer& layer = network_.layers()[l];
    FoldedNetwork::Activations& kept = space.kept[static_cast<std::size_t>(i)];
    const float* const activated = network_.activation_row(l, y, space.flat.data() + i * network_.flat(), kept) + first;
    const std::ptrdiff_t margin = l == 0 ? 0 : static_cast<std::ptrdiff_t>(2 - network_.net().padding),
                         line = l == 0 ? layer.width * layer.stored : convolutions_[l - 1].line();
    const auto target = [&](std::int64_t row) {
      return space.responses[l].data() + (row + margin) * line + margin * layer.stored + first;
    };
    const std::int64_t pixels = layer.pooled(layer.width);
    if (!layer.pool)
      return unpool({activated, gradient, width, nullptr, nullptr, target(y), nullptr, layer.stored, width, pixels});
    const std::ptrdiff_t response_line = layer.width * layer.stored;
    const float* const upper = kept.responses[l].data() + 2 * y * response_line + first;
    unpool({activated, gradient, width, upper, upper + response_line, target(2 * y), target(2 * y + 1), layer.stored,
            width, pixels});
  }

  /// Adds the taps of every output pixel, `[pixel][9 C]`, where they came from, `slope` times.
  void gather(const float* columns, double slope, float* image) const {
    const FoldedLayer& layer = network_.layers().front();
    const std::int64_t channels = network_.input().channels, height = network_.input().height,
                       width = network_.input().width, padding = network_.net().padding;
    std::fill_n(image, channels * height * width, 0.0f);
    for (std::int64_t y = 0; y < layer.height; ++y)
      for (std::int64_t x = 0; x < layer.width; ++x, columns += taps_.out())
        for (std::int64_t c = 0; c < channels; ++c)
          for (std::int64_t k = 0; k < 9; ++k) {
            const std::int64_t row = y + k / 3 - padding, column = x + k % 3 - padding;
            if (row >= 0 && row < height && column >= 0 && column < width)
              image[(c * height + row) * width + column] += columns[c * 9 + k];
          }
    for (std::int64_t k = 0; k < channels * height * width; ++k)
      image[k] = static_cast<float>(slope * static_cast<double>(image[k]));
  }

  const FoldedNetwork& network_;
  kernels::Product taps_;                          ///< of the first layer
  std::vector<WinogradConvolution> convolutions_;  ///< of the others
  kernels::Product hidden_, head_;
};

}  // namespace detail
}  // namespace classify
}  // namespace v1
}  // namespace faultline
