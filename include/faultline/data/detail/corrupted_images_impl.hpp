// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/corrupted_images.hpp.

#include <faultline/data/corrupted_images.hpp>

#include <faultline/core/parallel_for.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace data {

FAULTLINE_INLINE ImageShape canvas_shape(const LabelledImages& images, const CorruptionOptions& options) {
  if (options.padding < 0 || options.padding > 4096) {
    throw Error(ErrorCode::invalid_argument, "canvas_shape",
                "expected a padding of 0 .. 4096 pixels, got " + std::to_string(options.padding));
  }
  return {images.channels, images.height + 2 * options.padding, images.width + 2 * options.padding};
}

FAULTLINE_INLINE void make_corrupted_image(const LabelledImages& images, std::int64_t index,
                                           const CorruptionOptions& options, std::span<float> out) {
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

FAULTLINE_INLINE ImageBatch corrupted_images(const LabelledImages& images, std::int64_t first, std::int64_t count,
                                             const CorruptionOptions& options) {
  if (count < 0) throw Error(ErrorCode::invalid_argument, "corrupted_images", "count cannot be negative");
  ImageBatch batch(count, canvas_shape(images, options));
  parallel_for_blocks(count, 8, 0, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) make_corrupted_image(images, first + i, options, batch.image(i));
  });
  return batch;
}

}  // namespace data

}  // namespace v1
}  // namespace faultline
