// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Differentiable augmentation of what a discriminator sees: pixel blits, geometry and colour (Karras et al. 2020,
// "Training Generative Adversarial Networks with Limited Data").

#include <faultline/core/random.hpp>
#include <faultline/torch/training/libtorch.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace training {

/// What is done to one image, in the order of the members; the defaults do nothing. Lengths are shares of the image's
/// size, angles are radians.
struct AugmentationDraw {
  bool flip = false;               ///< left and right
  std::int64_t quarter_turns = 0;  ///< 0 .. 3
  double shift_x = 0.0;            ///< rounded to whole pixels
  double shift_y = 0.0;
  double scale = 1.0;            ///< above 1 enlarges
  double rotation_before = 0.0;  ///< before the stretch
  double stretch = 1.0;          ///< the width times this, the height divided by it
  double rotation_after = 0.0;   ///< after the stretch
  double offset_x = 0.0;         ///< to fractions of a pixel
  double offset_y = 0.0;
  double brightness = 0.0;  ///< added
  double contrast = 1.0;    ///< factor
  bool luma_flip = false;   ///< mirrored at the plane of colours without luma; a grey image is negated
  double hue = 0.0;         ///< turned about the axis of greys, RGB only
  double saturation = 1.0;  ///< factor of the distance from the axis of greys, RGB only

  friend bool operator==(const AugmentationDraw&, const AugmentationDraw&) = default;
};

/// The augmentation of image `index` at strength p, a function of (p, seed, index) alone.
///
/// **Formula**: each step is on with probability p by itself (a p above 1 is as 1), each of the two rotations with 1 −
/// √(1 − p), so that an image stays unrotated with probability 1 − p. Drawn are: flip 0 or 1; quarter turns 0 to 3;
/// shifts uniform in ±1/8; scale and stretch 2^(0.2 ν); rotations and hue uniform in ±π; offsets ν/8; brightness 0.2 ν;
/// contrast 2^(0.5 ν); luma flip 0 or 1; saturation 2^ν, with ν standard normal. Below p = 1 the augmentations do not
/// leak: the distribution of images follows from that of augmented images.
/// **Randomness**: (seed, `Stream::augmentations`, index). The words read do not depend on p: a larger p switches
/// further steps on and leaves the values of the others.
/// **Throws** `invalid_argument` when p is negative or not finite.
/// Example: `AugmentationDraw draw = draw_augmentation(0.3, 7, 41);`
[[nodiscard]] AugmentationDraw draw_augmentation(double p, std::int64_t seed, std::int64_t index);

/// Augmented images, differentiable any number of times with respect to `images`.
///
/// **Shapes**: images `[N, C, S, S]` of float32 or float64 centred on 0 (a generator's -1 to 1), one draw each -> the
/// same. Three channels are RGB; with any other number every channel is treated as a grey image, which leaves hue and
/// saturation out.
/// **Formula**: geometry maps every output pixel back into the image, mirrored at its borders. Flips, quarter turns and
/// whole shifts move pixels and change none; anything else samples bilinearly between two filterings with the 12-tap
/// low-pass of the sym6 wavelet, twice up and twice down. Colour is an affine map of each pixel, applied last. An image
/// depends on its own draw alone, up to rounding, and one whose draw does nothing keeps its bits.
/// **Throws** `shape_mismatch` for images that are not square, of fewer than two pixels a side or of another number
/// than the draws.
/// **Cost**: about 1.6 million multiply-adds per channel of a 32x32 image that is resampled, next to nothing for
/// others.
/// Example: `at::Tensor mirrored = augment(image, std::array{AugmentationDraw{.flip = true}});`
[[nodiscard]] at::Tensor augment(const at::Tensor& images, std::span<const AugmentationDraw> draws);

/// The same with the draws of images first .. first + N − 1 at strength p.
[[nodiscard]] at::Tensor augment(const at::Tensor& images, double p, std::int64_t seed, std::int64_t first);

}  // namespace training
}  // namespace v1
}  // namespace faultline

#include <faultline/torch/training/detail/augment_impl.hpp>
