// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Blur and noise at the strengths of ImageNet-C (Hendrycks and Dietterich, ICLR 2019), reproducible image by image.

#include <faultline/core/random.hpp>
#include <faultline/error.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace data {

/// Standard deviation of the blur in pixels at severities 1 .. 5.
inline constexpr std::array<double, 5> blur_sigmas = {1.0, 2.0, 3.0, 4.0, 6.0};
/// Standard deviation of the noise on [0, 1] at severities 1 .. 5.
inline constexpr std::array<double, 5> noise_deviations = {0.08, 0.12, 0.18, 0.26, 0.38};
/// Draws use severities 1 .. `drawn_severities`, each equally often.
inline constexpr std::int64_t drawn_severities = 3;

/// Along which axes an image is blurred; `vertical` reproduces data sets whose blur acted along columns only.
enum class BlurAxis { both, vertical };

/// How a data set mixes clean and corrupted images.
enum class CorruptionMix {
  none,  ///< all clean
  /// Blur and noise each on with probability 0.5, independently: clean, blurred, noisy and doubly corrupted images all
  /// exist
  independent,
  paper,  ///< with probability 0.5 both blur and noise, else clean (Le Coz, Herbin, Adjed 2022)
  blur,   ///< blur as in `independent`, never noise
  noise,  ///< noise as in `independent`, never blur
};

/// What happens to one image: severities 1 .. 5, 0 for "not at all".
struct CorruptionDraw {
  int blur_severity = 0;
  int noise_severity = 0;
  friend bool operator==(const CorruptionDraw&, const CorruptionDraw&) = default;
};

/// Gaussian blur in place.
///
/// **Shapes**: `image` is any number of `[height, width]` planes one after the other, each blurred by itself.
/// **Formula**: convolution with exp(-d^2 / (2 sigma^2)), |d| <= floor(4 sigma + 0.5), normalised to sum one; edge
/// pixels are repeated outwards; columns first, then rows.
/// **Throws** `invalid_argument` when sigma is not positive and finite or above 1000; `shape_mismatch` when `image` is
/// not whole planes.
/// **Cost**: pixels x (8 sigma + 1) multiplications per axis.
/// Example: `gaussian_blur(image, 32, 32, 2.0);`
void gaussian_blur(std::span<float> image, std::int64_t height, std::int64_t width, double sigma,
                   BlurAxis axis = BlurAxis::both);

/// Adds normal noise of the given standard deviation, one draw per element in order; does not clip.
///
/// **Throws** `invalid_argument` when `deviation` is negative or not finite.
void gaussian_noise(std::span<float> image, double deviation, core::CounterRandom& random);

/// The corruption of image `index`, a function of (mix, seed, index) alone.
///
/// **Randomness**: block 0 of (seed, `Stream::corruptions`, index), always all four words in this order: blur switch,
/// noise switch, blur severity, noise severity. A switch is on when `below(2)` is 1, a severity is 1 + `below(3)`;
/// `paper` takes the blur switch for both.
/// Example: `CorruptionDraw draw = draw_corruption(CorruptionMix::independent, 7, 41);`
[[nodiscard]] CorruptionDraw draw_corruption(CorruptionMix mix, std::int64_t seed, std::int64_t index);

/// Applies a corruption in place: blur, then noise, then clipping to [0, 1] (a clean image is left exactly as it is).
///
/// **Shapes**: as `gaussian_blur`; values in [0, 1].
/// **Randomness**: noise comes from block 1 onwards of (seed, `Stream::corruptions`, index): the same field at every
/// severity and in every mix, scaled.
/// **Throws** `invalid_argument` for a severity outside 0 .. 5; `shape_mismatch` when `image` is not whole planes.
/// Example: `corrupt(image, 32, 32, {.blur_severity = 2}, seed, index);`
void corrupt(std::span<float> image, std::int64_t height, std::int64_t width, const CorruptionDraw& draw,
             std::int64_t seed, std::int64_t index, BlurAxis axis = BlurAxis::both);

}  // namespace data

using data::CorruptionMix;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/corruptions_impl.hpp>
#endif
