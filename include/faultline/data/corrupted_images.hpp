// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A labelled image set seen through padding and corruption: what generators and classifiers are trained on.

#include <faultline/data/corruptions.hpp>
#include <faultline/data/mnist.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace data {

/// How the images of a set are padded and corrupted.
struct CorruptionOptions {
  CorruptionMix mix = CorruptionMix::independent;
  std::int64_t seed = 0;
  BlurAxis axis = BlurAxis::both;
  std::int64_t padding = 2;  ///< black pixels added on every side: 28x28 becomes 32x32
};

/// Size of the images that the options make of this set. **Throws** `invalid_argument` when the padding is not in 0 ..
/// 4096.
[[nodiscard]] inline ImageShape canvas_shape(const LabelledImages& images, const CorruptionOptions& options) {
  if (options.padding < 0 || options.padding > 4096) {
    throw Error(ErrorCode::invalid_argument, "canvas_shape",
                "expected a padding of 0 .. 4096 pixels, got " + std::to_string(options.padding));
  }
  return {images.channels, images.height + 2 * options.padding, images.width + 2 * options.padding};
}

/// Writes one padded and corrupted training image in [0, 1].
///
/// `index` counts on over epochs: position in the set = index mod count, so index = position + epoch * count gives each
/// epoch fresh corruptions and a repeated index the same image. The image is padded **before** it is corrupted: blur
/// and noise cover the whole canvas. A classifier that wants 28x28 crops the centre afterwards.
/// **Shapes**: `out` is `[channels, height + 2 padding, width + 2 padding]`.
/// **Randomness**: (options.seed, index) alone, see `draw_corruption` and `corrupt`.
/// **Throws** `shape_mismatch` for another size of `out`; `empty_input` for an empty set; `invalid_argument` for a
/// negative index or a padding outside its range.
/// Example: `std::vector<float> canvas(32 * 32); make_corrupted_image(train, epoch * train.count + i, {.seed = 7},
/// canvas);`
inline void make_corrupted_image(const LabelledImages& images, std::int64_t index, const CorruptionOptions& options,
                                 std::span<float> out) {
  if (images.count < 1) throw Error(ErrorCode::empty_input, "make_corrupted_image", "the set has no images");
  if (index < 0)
    throw Error(ErrorCode::invalid_argument, "make_corrupted_image",
                "expected an index of at least 0, got " + std::to_string(index));
  const auto [channels, height, width] = canvas_shape(images, options);
  if (static_cast<std::int64_t>(out.size()) != channels * height * width) {
    throw Error(ErrorCode::shape_mismatch, "make_corrupted_image",
                "expected room for " + std::to_string(channels) + " x " + std::to_string(height) + " x " +
                    std::to_string(width) + " values, got " + std::to_string(out.size()));
  }
  std::fill(out.begin(), out.end(), 0.0f);
  const std::span<const std::uint8_t> pixels = images.image(index % images.count);
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t y = 0; y < images.height; ++y) {
      for (std::int64_t x = 0; x < images.width; ++x) {
        const float value =
            static_cast<float>(pixels[static_cast<std::size_t>((c * images.height + y) * images.width + x)]) / 255.0f;
        out[static_cast<std::size_t>((c * height + y + options.padding) * width + x + options.padding)] = value;
      }
    }
  }
  corrupt(out, height, width, draw_corruption(options.mix, options.seed, index), options.seed, index, options.axis);
}

/// Images first .. first + count - 1 of the padded and corrupted set, `[count, channels, height + 2 padding, width + 2
/// padding]` in [0, 1]; image i as `make_corrupted_image` makes it.
///
/// **Throws** as `make_corrupted_image`, and `invalid_argument` for a negative count.
/// Example: `ImageBatch batch = corrupted_images(test, 0, test.count, {.mix = CorruptionMix::paper, .seed = 7});`
[[nodiscard]] inline ImageBatch corrupted_images(const LabelledImages& images, std::int64_t first, std::int64_t count,
                                                 const CorruptionOptions& options = {}) {
  if (count < 0) throw Error(ErrorCode::invalid_argument, "corrupted_images", "count cannot be negative");
  ImageBatch batch(count, canvas_shape(images, options));
  for (std::int64_t i = 0; i < count; ++i) make_corrupted_image(images, first + i, options, batch.image(i));
  return batch;
}

}  // namespace data

using data::corrupted_images;
using data::CorruptionOptions;

}  // namespace v1
}  // namespace faultline
