// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The smallest generator whose truth is known: for unit tests of one's own code that takes a generator, without
// weights.

#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// What an image of `ExampleGenerator` says about itself.
struct ExampleReading {
  std::int64_t label = 0;
  float brightness = 0.0f;  ///< of the square, in standard deviations
  float background = 0.0f;
};

/// A generator of grey images of 8x8 pixels in four classes: a bright square of 4x4 pixels lies in the quadrant
/// `label`.
///
/// The brightness of the square is .75 + .05 b, that of the rest .25 + .05 g, with b and g independent standard
/// normals: the two latents. Six styles: four of the layer `place`, of which the largest is the quadrant, then b and g
/// as those of the layer `light`. w is (place, b, g), styles are w. No noise inputs: `SynthesisOptions` change nothing.
/// Truncation above 0 keeps the class and scales b and g.
/// **Throws** invalid_argument for a cutoff, which needs one w for each layer; label_out_of_range, shape_mismatch.
/// **Cost**: a fraction of a microsecond per image; thread-safe; no tables.
/// Example: `ExampleGenerator known; known.read(known.synthesize(s), 0).brightness > 1.5f;`
class ExampleGenerator {
 public:
  using latent_type = Matrix<float>;
  using style_type = Matrix<float>;
  using label_type = std::vector<std::int64_t>;
  using image_type = ImageBatch;
  static constexpr bool batch_invariant = true;
  static constexpr std::int64_t brightness_channel = 4;
  static constexpr std::int64_t background_channel = 5;

  [[nodiscard]] std::int64_t latent_dim() const noexcept { return 2; }
  [[nodiscard]] std::int64_t w_dim() const noexcept { return dimension; }
  [[nodiscard]] std::int64_t num_classes() const noexcept { return quadrants; }
  [[nodiscard]] ImageShape image_shape() const noexcept { return {1, size, size}; }
  [[nodiscard]] ValueRange value_range() const noexcept { return {0.0, 1.0}; }
  [[nodiscard]] const StyleLayout& layout() const noexcept { return layout_; }
  [[nodiscard]] std::string digest() const { return sha256_hex("faultline.example/1"); }

  [[nodiscard]] Matrix<float> latent_from_host(const Matrix<float>& rows) const { return rows; }
  [[nodiscard]] Matrix<float> style_from_host(const Matrix<float>& rows) const { return rows; }
  [[nodiscard]] std::vector<std::int64_t> label_from_host(std::span<const std::int64_t> labels) const {
    return {labels.begin(), labels.end()};
  }
  [[nodiscard]] Matrix<float> latent_to_host(const Matrix<float>& latent) const { return latent; }
  [[nodiscard]] Matrix<float> style_to_host(const Matrix<float>& style) const { return style; }
  [[nodiscard]] ImageBatch image_to_host(const ImageBatch& images) const { return images; }

  /// z `[N, 2]` and labels `[N]` to w `[N, 6]`.
  [[nodiscard]] Matrix<float> map(const Matrix<float>& z, const std::vector<std::int64_t>& labels,
                                  const MapOptions& options = {}) const {
    check_shape(z.cols() == latent_dim() && static_cast<std::int64_t>(labels.size()) == z.rows(), "map",
                "z of 2 columns and a label for each row");
    if (options.cutoff)
      throw Error(ErrorCode::invalid_argument, "ExampleGenerator::map", "there is one w for all layers, so no cutoff");
    const auto psi = static_cast<float>(options.truncation);
    Matrix<float> w(z.rows(), dimension);
    for (std::int64_t i = 0; i < z.rows(); ++i) {
      const std::int64_t label = labels[static_cast<std::size_t>(i)];
      if (label < 0 || label >= quadrants)
        throw Error(ErrorCode::label_out_of_range, "ExampleGenerator::map",
                    "labels must lie in [0, 4), got " + std::to_string(label));
      for (std::int64_t k = 0; k < quadrants; ++k)
        w(i, k) = mean_place + psi * ((k == label ? 1.0f : 0.0f) - mean_place);
      w(i, brightness_channel) = psi * z(i, 0);
      w(i, background_channel) = psi * z(i, 1);
    }
    return w;
  }

  /// s = w, `[N, 6]`.
  [[nodiscard]] Matrix<float> styles(const Matrix<float>& w) const {
    check_shape(w.cols() == dimension, "styles", "w of 6 columns");
    return w;
  }
  /// A `[6, 6]`, the identity, and b `[6, 1]`, zero.
  [[nodiscard]] Matrix<float> style_matrix() const {
    Matrix<float> a(dimension, dimension);
    for (std::int64_t k = 0; k < dimension; ++k) a(k, k) = 1.0f;
    return a;
  }
  [[nodiscard]] Matrix<float> style_bias() const { return Matrix<float>(dimension, 1); }

  /// Images `[N, 1, 8, 8]`, not clamped: 5 standard deviations reach the ends of [0, 1].
  [[nodiscard]] ImageBatch synthesize(const Matrix<float>& s, const SynthesisOptions& = {}) const {
    check_shape(s.cols() == dimension, "synthesize", "styles of 6 columns");
    ImageBatch images(s.rows(), image_shape());
    for (std::int64_t i = 0; i < s.rows(); ++i) {
      const std::int64_t place = quadrant(s.row_span(i));
      for (std::int64_t p = 0; p < size * size; ++p)
        images.image(i)[static_cast<std::size_t>(p)] = quadrant_of(p) == place
                                                           ? square_mean + step * s(i, brightness_channel)
                                                           : rest_mean + step * s(i, background_channel);
    }
    return images;
  }

  /// dL/ds `[N, 6]` from dL/dimage; the place has no slope.
  [[nodiscard]] Matrix<float> pullback(const Matrix<float>& s, const ImageBatch& gradient) const {
    check_shape(s.cols() == dimension && gradient.count() == s.rows() && gradient.shape() == image_shape(), "pullback",
                "styles of 6 columns and a gradient in the shape of the images for each row");
    Matrix<float> result(s.rows(), dimension);
    for (std::int64_t i = 0; i < s.rows(); ++i) {
      const std::int64_t place = quadrant(s.row_span(i));
      for (std::int64_t p = 0; p < size * size; ++p)
        result(i, quadrant_of(p) == place ? brightness_channel : background_channel) +=
            step * gradient.image(i)[static_cast<std::size_t>(p)];
    }
    return result;
  }

  /// Label, b and g of image i, from images as a classifier with the default InputSpec sees them (exact but for
  /// rounding, up to 5 standard deviations). **Throws** shape_mismatch for other images, invalid_argument for another
  /// i.
  [[nodiscard]] ExampleReading read(ImageView images, std::int64_t i) const {
    check_shape(images.shape() == image_shape(), "read", "images of 1 x 8 x 8");
    if (i < 0 || i >= images.count())
      throw Error(ErrorCode::invalid_argument, "ExampleGenerator::read",
                  "image must lie in [0, " + std::to_string(images.count()) + "), got " + std::to_string(i));
    std::array<float, quadrants> values{};
    for (std::int64_t p = 0; p < size * size; ++p)
      values[static_cast<std::size_t>(quadrant_of(p))] = images.image(i)[static_cast<std::size_t>(p)];
    const auto brightest = std::ranges::max_element(values), darkest = std::ranges::min_element(values);
    return {brightest - values.begin(), (*brightest - square_mean) / step, (*darkest - rest_mean) / step};
  }

 private:
  static constexpr std::int64_t size = 8, quadrants = 4, dimension = 6;
  static constexpr float mean_place = 0.25f, square_mean = 0.75f, rest_mean = 0.25f, step = 0.05f;

  static std::int64_t quadrant_of(std::int64_t pixel) noexcept {
    return 2 * (pixel / size / (size / 2)) + pixel % size / (size / 2);
  }
  static std::int64_t quadrant(std::span<const float> s) noexcept {
    return std::max_element(s.begin(), s.begin() + quadrants) - s.begin();
  }
  static void check_shape(bool ok, const char* call, const char* expected) {
    if (!ok)
      throw Error(ErrorCode::shape_mismatch, std::string("ExampleGenerator::") + call,
                  std::string("expected ") + expected);
  }

  StyleLayout layout_{{{"place", quadrants}, {"light", 2}}};
};

}  // namespace testing
}  // namespace v1
}  // namespace faultline
