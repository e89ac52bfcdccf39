// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A style generator with known truth: the second model of StyleGenerator, for tests, null simulations and first steps
// without LibTorch.

#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/sampling/detail/analytic_design.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Size of an AnalyticGenerator. Equal options make equal generators.
struct AnalyticOptions {
  std::int64_t factors = 6;     ///< independent causes, 1 to 64
  std::int64_t channels = 512;  ///< D, at least factors + 18
  std::int64_t classes = 4;     ///< 0 (unconditional) to 1000
  std::int64_t seed = 1;        ///< chooses the factor channels and every other number of the model
};

/// What an image of AnalyticGenerator says about itself.
struct AnalyticReading {
  std::int64_t label = 0;
  std::vector<float> factors;
};

/// A class-conditional generator whose truth is known exactly.
///
/// `factors` independent standard normals are each the within-class standardised value of one style channel,
/// `factor_channel(j)`. Every other channel is correlated with the factors (at most .8 with each), with further latents
/// and with the class, and changes nothing in the image. Styles are affine in w, w is an orthogonal map of (z, class
/// code). The image is a bar chart: a stripe and a marker tell the class, bar j grows by one pixel per standard
/// deviation, to the right when factor j is positive. The outermost pixels of a bar hold factor / 32 exactly, so `read`
/// returns the very float that `synthesize` drew (up to 32 standard deviations, where it is cut off). The class comes
/// from a majority of up to 31 groups of channels: edits of fewer than half of them, so of ten channels at the default
/// size, cannot change it. Chart and mirror image are alike, so measures such as blur or mean intensity do not tell the
/// sign of a factor. No noise inputs: `SynthesisOptions` are accepted and change nothing. Truncation above 0 keeps the
/// class and scales the factors. With `MapOptions::cutoff` the per-layer latents lie side by side, `[N, layers *
/// w_dim]`, and `styles` accepts that.
/// **Throws** invalid_argument, label_out_of_range, shape_mismatch.
/// **Cost**: some microseconds per image at the default size; thread-safe; a copy shares the tables.
/// Example: `AnalyticGenerator known({.factors = 6, .classes = 4}); known.read(known.synthesize(s), 0).factors[2];`
class AnalyticGenerator {
 public:
  using latent_type = Matrix<float>;
  using style_type = Matrix<float>;
  using label_type = std::vector<std::int64_t>;
  using image_type = ImageBatch;

  explicit AnalyticGenerator(AnalyticOptions options = {}) : options_(options) {
    check(options_.factors >= 1 && options_.factors <= 64, "AnalyticGenerator",
          "factors must lie in 1 .. 64, got " + std::to_string(options_.factors));
    check(options_.channels >= options_.factors + detail::AnalyticDesign::fewest_channels_beside_factors &&
              options_.channels <= (std::int64_t{1} << 20),
          "AnalyticGenerator",
          "channels must lie between factors + 18 and 2^20, got " + std::to_string(options_.channels) + " with " +
              std::to_string(options_.factors) + " factors");
    check(options_.classes >= 0 && options_.classes <= 1000, "AnalyticGenerator",
          "classes must lie in 0 .. 1000, got " + std::to_string(options_.classes));
    design_ = std::make_shared<const detail::AnalyticDesign>(
        detail::AnalyticDesigner(options_.factors, options_.channels, options_.classes, options_.seed).draw());
    size_ = std::max<std::int64_t>(16, (2 * options_.factors + 2 + 3) / 4 * 4);
  }

  [[nodiscard]] const AnalyticOptions& options() const noexcept { return options_; }
  [[nodiscard]] std::int64_t latent_dim() const noexcept { return design_->latent_dim; }
  [[nodiscard]] std::int64_t w_dim() const noexcept { return design_->w_dim(); }
  [[nodiscard]] std::int64_t num_classes() const noexcept { return options_.classes; }
  [[nodiscard]] ImageShape image_shape() const noexcept { return {1, size_, size_}; }
  [[nodiscard]] ValueRange value_range() const noexcept { return {0.0, 1.0}; }
  [[nodiscard]] const StyleLayout& layout() const noexcept { return design_->layout; }

  /// SHA-256 of the options and the version of the design.
  [[nodiscard]] std::string digest() const {
    const std::string text = "faultline.analytic/1 factors " + std::to_string(options_.factors) + " channels " +
                             std::to_string(options_.channels) + " classes " + std::to_string(options_.classes) +
                             " seed " + std::to_string(options_.seed);
    return sha256_hex(text);
  }

  [[nodiscard]] std::int64_t num_factors() const noexcept { return options_.factors; }
  /// Flat index of the style channel that is factor j. Throws invalid_argument when there is no such factor.
  [[nodiscard]] std::int64_t factor_channel(std::int64_t j) const {
    check(j >= 0 && j < options_.factors, "AnalyticGenerator::factor_channel",
          "factor must lie in [0, " + std::to_string(options_.factors) + "), got " + std::to_string(j));
    return design_->factor_channel[static_cast<std::size_t>(j)];
  }
  /// Standardised values of the factor channels, `[N, factors]`: what the images of these styles hold.
  [[nodiscard]] Matrix<float> factors(const Matrix<float>& s) const {
    check_styles(s);
    Matrix<float> result(s.rows(), options_.factors);
    for (std::int64_t i = 0; i < s.rows(); ++i)
      for (std::int64_t j = 0; j < options_.factors; ++j) result(i, j) = factor(s.row_span(i), j);
    return result;
  }

  [[nodiscard]] Matrix<float> latent_from_host(const Matrix<float>& rows) const { return rows; }
  [[nodiscard]] Matrix<float> style_from_host(const Matrix<float>& rows) const { return rows; }
  [[nodiscard]] std::vector<std::int64_t> label_from_host(std::span<const std::int64_t> labels) const {
    return {labels.begin(), labels.end()};
  }
  [[nodiscard]] Matrix<float> latent_to_host(const Matrix<float>& latent) const { return latent; }
  [[nodiscard]] Matrix<float> style_to_host(const Matrix<float>& style) const { return style; }
  [[nodiscard]] ImageBatch image_to_host(const ImageBatch& images) const { return images; }

  /// z `[N, latent_dim]` and labels `[N]` (empty when unconditional) to w `[N, w_dim]`, or `[N, layers * w_dim]` with a
  /// cutoff.
  [[nodiscard]] Matrix<float> map(const Matrix<float>& z, const std::vector<std::int64_t>& labels,
                                  const MapOptions& options = {}) const {
    const auto layers = static_cast<std::int64_t>(layout().layers().size());
    check_shape(z.cols() == latent_dim(), "AnalyticGenerator::map",
                "expected z of " + std::to_string(latent_dim()) + " columns, got " + std::to_string(z.cols()));
    check_shape(static_cast<std::int64_t>(labels.size()) == (options_.classes == 0 ? 0 : z.rows()),
                "AnalyticGenerator::map",
                options_.classes == 0
                    ? "an unconditional generator takes no labels"
                    : "got " + std::to_string(labels.size()) + " labels for " + std::to_string(z.rows()) + " latents");
    check(options.truncation >= -2.0 && options.truncation <= 2.0, "AnalyticGenerator::map",
          "truncation must lie in [-2, 2]");
    check(!options.cutoff || (*options.cutoff >= 0 && *options.cutoff <= layers), "AnalyticGenerator::map",
          "cutoff must lie in [0, " + std::to_string(layers) + "]");
    for (const std::int64_t label : labels) {
      if (label < 0 || label >= options_.classes)
        throw Error(ErrorCode::label_out_of_range, "AnalyticGenerator::map",
                    "labels must lie in [0, " + std::to_string(options_.classes) + "), got " + std::to_string(label));
    }
    const std::int64_t dims = w_dim();
    const std::int64_t copies = options.cutoff ? layers : 1;
    const Matrix<float> average = w_average();
    Matrix<float> result(z.rows(), copies * dims);
    std::vector<double> input(static_cast<std::size_t>(dims));
    for (std::int64_t i = 0; i < z.rows(); ++i) {
      std::copy(z.row_span(i).begin(), z.row_span(i).end(), input.begin());
      std::tie(input[static_cast<std::size_t>(dims - 2)], input[static_cast<std::size_t>(dims - 1)]) =
          design_->code(labels.empty() ? 0 : labels[static_cast<std::size_t>(i)]);
      for (std::int64_t j = 0; j < dims; ++j) {
        const double w = rotate(j, input);
        const double mean = static_cast<double>(average(0, j));
        for (std::int64_t l = 0; l < copies; ++l) {
          const double psi = !options.cutoff || l < *options.cutoff ? options.truncation : 1.0;
          result(i, l * dims + j) = static_cast<float>(psi == 1.0 ? w : mean + psi * (w - mean));
        }
      }
    }
    return result;
  }

  /// Mean of w over z and uniformly drawn classes, `[1, w_dim]`: the centre of truncation.
  [[nodiscard]] Matrix<float> w_average() const {
    const std::int64_t dims = w_dim();
    std::vector<double> input(static_cast<std::size_t>(dims), 0.0);
    // The codes of more classes sum to 0
    if (options_.classes == 1)
      std::tie(input[static_cast<std::size_t>(dims - 2)], input[static_cast<std::size_t>(dims - 1)]) = design_->code(0);
    Matrix<float> result(1, dims);
    for (std::int64_t j = 0; j < dims; ++j) result(0, j) = static_cast<float>(rotate(j, input));
    return result;
  }

  /// s = A w + b, `[N, D]`.
  [[nodiscard]] Matrix<float> styles(const Matrix<float>& w) const {
    const std::int64_t dims = w_dim();
    const auto layers = static_cast<std::int64_t>(layout().layers().size());
    const bool per_layer = w.cols() == layers * dims && layers > 1;
    check_shape(
        per_layer || w.cols() == dims, "AnalyticGenerator::styles",
        "expected w of " + std::to_string(dims) + " columns (or that for each layer), got " + std::to_string(w.cols()));
    Matrix<float> result(w.rows(), layout().dimension());
    for (std::int64_t i = 0; i < w.rows(); ++i) {
      const std::span<float> s = result.row_span(i);
      std::copy(design_->bias.data(), design_->bias.data() + s.size(), s.begin());
      const std::span<const float> row = w.row_span(i);
      if (!per_layer) {
        design_->add_styles(row, 0, layout().dimension(), s);
        continue;
      }
      for (std::int64_t l = 0; l < layers; ++l) {
        const StyleLayer& layer = layout().layers()[static_cast<std::size_t>(l)];
        design_->add_styles(row.subspan(static_cast<std::size_t>(l * dims), static_cast<std::size_t>(dims)),
                            layer.offset, layer.offset + layer.width, s);
      }
    }
    return result;
  }

  /// A `[D, w_dim]`.
  [[nodiscard]] const Matrix<float>& style_matrix() const noexcept { return design_->matrix; }
  /// b `[D, 1]`.
  [[nodiscard]] const Matrix<float>& style_bias() const noexcept { return design_->bias; }

  /// Images `[N, 1, H, W]` in [0, 1].
  [[nodiscard]] ImageBatch synthesize(const Matrix<float>& s, const SynthesisOptions& = {}) const {
    check_styles(s);
    ImageBatch images(s.rows(), image_shape());
    for (std::int64_t i = 0; i < s.rows(); ++i) {
      const std::span<float> image = images.image(i);
      draw_class(design_->elect(s.row_span(i)), image);
      for (std::int64_t j = 0; j < options_.factors; ++j) draw_bar(factor(s.row_span(i), j), bar(image, j));
    }
    return images;
  }

  /// dL/ds `[N, D]` from dL/dimage: exact, with a one-sided derivative at the ends of a pixel's range.
  [[nodiscard]] Matrix<float> pullback(const Matrix<float>& s, const ImageBatch& gradient) const {
    check_styles(s);
    check_shape(gradient.count() == s.rows() && gradient.shape() == image_shape(), "AnalyticGenerator::pullback",
                "expected one image gradient per style, in the shape of the images");
    Matrix<float> result(s.rows(), s.cols());
    for (std::int64_t i = 0; i < s.rows(); ++i) {
      for (std::int64_t j = 0; j < options_.factors; ++j) {
        const double slope = bar_slope(factor(s.row_span(i), j), bar(gradient.image(i), j));
        result(i, factor_channel(j)) = static_cast<float>(slope / design_->factor_scale[static_cast<std::size_t>(j)]);
      }
    }
    return result;
  }

  /// Label and factors of image i, from images as a classifier with the default InputSpec sees them. Throws
  /// shape_mismatch for other images, invalid_argument for another i.
  [[nodiscard]] AnalyticReading read(ImageView images, std::int64_t i) const {
    check_shape(images.shape() == image_shape(), "AnalyticGenerator::read",
                "expected images of 1 x " + std::to_string(size_) + " x " + std::to_string(size_) +
                    " (the default InputSpec), got another shape");
    check(i >= 0 && i < images.count(), "AnalyticGenerator::read",
          "image must lie in [0, " + std::to_string(images.count()) + "), got " + std::to_string(i));
    const std::span<const float> image = images.image(i);
    AnalyticReading reading;
    reading.label = std::max<std::int64_t>(
        0, std::llround(static_cast<double>(image.front()) * static_cast<double>(options_.classes + 1)) - 1);
    reading.factors.resize(static_cast<std::size_t>(options_.factors));
    for (std::int64_t j = 0; j < options_.factors; ++j) {
      const std::span<const float> row = bar(image, j);
      reading.factors[static_cast<std::size_t>(j)] = full_scale * (row.back() - row.front());
    }
    return reading;
  }

 private:
  static constexpr float full_scale = 32.0f;  // a power of two, so that dividing and multiplying are exact

  static void check(bool ok, const char* where, const std::string& message) {
    if (!ok) throw Error(ErrorCode::invalid_argument, where, message);
  }
  static void check_shape(bool ok, const char* where, const std::string& message) {
    if (!ok) throw Error(ErrorCode::shape_mismatch, where, message);
  }
  void check_styles(const Matrix<float>& s) const {
    check_shape(
        s.cols() == layout().dimension(), "AnalyticGenerator",
        "expected styles of " + std::to_string(layout().dimension()) + " columns, got " + std::to_string(s.cols()));
  }

  [[nodiscard]] double rotate(std::int64_t j, const std::vector<double>& input) const {
    const double* row = design_->rotation.data() + j * w_dim();
    double sum = 0.0;
    for (std::size_t k = 0; k < input.size(); ++k) sum += row[k] * input[k];
    return sum;
  }

  [[nodiscard]] float factor(std::span<const float> s, std::int64_t j) const {
    const auto at = static_cast<std::size_t>(j);
    const auto flat = design_->factor_channel[at];
    return static_cast<float>(
        (static_cast<double>(s[static_cast<std::size_t>(flat)]) - static_cast<double>(design_->bias(flat, 0))) /
        design_->factor_scale[at]);
  }

  /// The row of pixels that belongs to factor j.
  template <class T>
  [[nodiscard]] std::span<T> bar(std::span<T> image, std::int64_t j) const {
    return image.subspan(static_cast<std::size_t>((2 + 2 * j) * size_), static_cast<std::size_t>(size_));
  }

  void draw_class(std::int64_t label, std::span<float> image) const {
    const auto width = static_cast<std::size_t>(size_);
    std::fill_n(image.begin(), width,
                static_cast<float>(static_cast<double>(label + 1) / static_cast<double>(options_.classes + 1)));
    image[width + static_cast<std::size_t>(label * size_ / std::max<std::int64_t>(options_.classes, 1))] = 1.0f;
  }

  static void draw_bar(float value, std::span<float> row) {
    const std::size_t half = row.size() / 2;
    const float length = std::abs(value);
    const auto at = [&](std::size_t d) -> float& { return value < 0.0f ? row[half - 1 - d] : row[half + d]; };
    for (std::size_t d = 0; d + 1 < half; ++d) at(d) = std::clamp(length - static_cast<float>(d), 0.0f, 1.0f);
    at(half - 1) = std::min(length / full_scale, 1.0f);
  }

  static double bar_slope(float value, std::span<const float> gradient) {
    const std::size_t half = gradient.size() / 2;
    const double direction = value < 0.0f ? -1.0 : 1.0;
    const float length = std::abs(value);
    const auto at = [&](std::size_t d) {
      return static_cast<double>(value < 0.0f ? gradient[half - 1 - d] : gradient[half + d]);
    };
    double slope = length < full_scale ? at(half - 1) / static_cast<double>(full_scale) : 0.0;
    const auto tip = static_cast<std::size_t>(std::min(length, full_scale));  // the pixel that the bar's end lies in
    if (tip + 1 < half) slope += at(tip);
    return direction * slope;
  }

  AnalyticOptions options_;
  std::shared_ptr<const detail::AnalyticDesign> design_;
  std::int64_t size_ = 16;
};

}  // namespace v1
}  // namespace faultline
