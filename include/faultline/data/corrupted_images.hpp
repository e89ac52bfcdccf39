// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A labelled image set seen through padding and corruption: what generators and classifiers are trained on.

#include <faultline/core/image.hpp>
#include <faultline/data/corruptions.hpp>
#include <faultline/data/mnist.hpp>

#include <cstdint>
#include <span>

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
[[nodiscard]] ImageShape canvas_shape(const LabelledImages& images, const CorruptionOptions& options);

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
void make_corrupted_image(const LabelledImages& images, std::int64_t index, const CorruptionOptions& options,
                          std::span<float> out);

/// Images first .. first + count - 1 of the padded and corrupted set, `[count, channels, height + 2 padding, width + 2
/// padding]` in [0, 1]; image i as `make_corrupted_image` makes it.
///
/// **Throws** as `make_corrupted_image`, and `invalid_argument` for a negative count.
/// Example: `ImageBatch batch = corrupted_images(test, 0, test.count, {.mix = CorruptionMix::paper, .seed = 7});`
[[nodiscard]] ImageBatch corrupted_images(const LabelledImages& images, std::int64_t first, std::int64_t count,
                                          const CorruptionOptions& options = {});

}  // namespace data

using data::corrupted_images;
using data::CorruptionOptions;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/corrupted_images_impl.hpp>
#endif
