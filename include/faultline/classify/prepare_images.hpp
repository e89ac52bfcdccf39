// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Generator image to classifier input, and the gradient of that step.

#include <faultline/concepts/classifier.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Turns raw generator images of one shape and range into what an `InputSpec` asks for, and pulls gradients back
/// through that.
///
/// **Formula**: x01 = clamp((x - lower) / (upper - lower), 0, 1); centre crop, or bilinear resize with half-pixel
/// centres and no low-pass filter; channels 3 to 1 by their mean, 1 to 3 by repetition; order; range.lower + x01
/// (range.upper - range.lower); (x - mean) / std; layout.
/// **Throws** incompatible_models when the spec cannot be met (image smaller than a crop, channel counts that do not
/// convert), invalid_argument for a meaningless spec (empty range, std not positive).
/// **Cost**: a few operations per pixel; no memory but the result and one image.
/// Example: `ImagePreparation prepare(generator.image_shape(), generator.value_range(), {.height = 28, .width = 28});
/// ImageBatch x = prepare(raw);`
class ImagePreparation {
 public:
  ImagePreparation(ImageShape generated, ValueRange raw, InputSpec spec)
      : from_(generated), raw_(raw), spec_(std::move(spec)) {
    check_range(raw_, "the generator's value_range");
    check_spec(spec_);
    if (from_.channels < 1 || from_.height < 1 || from_.width < 1) {
      throw Error(ErrorCode::shape_mismatch, "ImagePreparation",
                  "expected images of at least one pixel, got " + text(from_));
    }
    core::require_in("ImagePreparation", "the number of values of a generated image", elements(from_), 1,
                     limits::pixels);
    to_ = {spec_.channels == 0 ? from_.channels : spec_.channels, spec_.height == 0 ? from_.height : spec_.height,
           spec_.width == 0 ? from_.width : spec_.width};
    const bool converts = to_.channels == from_.channels || (to_.channels == 1 && from_.channels == 3) ||
                          (to_.channels == 3 && from_.channels == 1);
    if (!converts) {
      throw Error(ErrorCode::incompatible_models, "ImagePreparation",
                  "the classifier wants " + std::to_string(to_.channels) + " channels, the generator makes " +
                      std::to_string(from_.channels) + "; only 1 and 3 convert into each other");
    }
    if (spec_.fit == Fit::centre_crop && (to_.height > from_.height || to_.width > from_.width)) {
      throw Error(ErrorCode::incompatible_models, "ImagePreparation",
                  "cannot crop " + text(to_) + " out of " + text(from_) +
                      "; ask for .fit = Fit::resize, or give the classifier smaller images");
    }
    core::require_in("ImagePreparation", "the number of values of a prepared image", elements(to_), 1, limits::pixels);
    check_per_channel(spec_.mean, "mean");
    check_per_channel(spec_.std, "std");
    vertical_ = taps(from_.height, to_.height);
    horizontal_ = taps(from_.width, to_.width);
    scale_.assign(static_cast<std::size_t>(to_.channels), spec_.range.upper - spec_.range.lower);
    offset_.assign(static_cast<std::size_t>(to_.channels), spec_.range.lower);
    for (std::size_t c = 0; c < scale_.size(); ++c) {
      const double mean = per_channel(spec_.mean, c, 0.0);
      const double deviation = per_channel(spec_.std, c, 1.0);
      scale_[c] /= deviation;
      offset_[c] = (offset_[c] - mean) / deviation;
    }
  }

  /// Shape of the prepared images (for channels-last layout too: `[C, H, W]` are counts, the values are stored `[H, W,
  /// C]`).
  [[nodiscard]] const ImageShape& shape() const noexcept { return to_; }

  /// Prepared copy of raw images. Throws shape_mismatch for another image shape, invalid_argument when a pixel is not
  /// finite.
  [[nodiscard]] ImageBatch operator()(ImageView raw) const {
    check_shape(raw, from_, "raw images");
    ImageBatch result(raw.count(), to_);
    std::vector<float> unit(static_cast<std::size_t>(from_.elements()));
    for (std::int64_t i = 0; i < raw.count(); ++i) {
      to_unit(raw.image(i), unit, i);
      prepare(unit, result.image(i));
    }
    return result;
  }

  /// dL/draw from dL/dprepared. The clamp passes a gradient where the pixel is within the range, ends included.
  [[nodiscard]] ImageBatch pull_gradient(ImageView prepared_gradient, ImageView raw) const {
    check_shape(raw, from_, "raw images");
    check_shape(prepared_gradient, to_, "gradients");
    if (raw.count() != prepared_gradient.count()) {
      throw Error(ErrorCode::shape_mismatch, "ImagePreparation",
                  "got " + std::to_string(prepared_gradient.count()) + " gradients for " + std::to_string(raw.count()) +
                      " images");
    }
    ImageBatch result(raw.count(), from_);
    const double inverse = 1.0 / (raw_.upper - raw_.lower);
    for (std::int64_t i = 0; i < raw.count(); ++i) {
      const std::span<float> out = result.image(i);
      pull(prepared_gradient.image(i), out);
      const std::span<const float> x = raw.image(i);
      for (std::size_t p = 0; p < out.size(); ++p) {
        const bool inside = static_cast<double>(x[p]) >= raw_.lower && static_cast<double>(x[p]) <= raw_.upper;
        out[p] = inside ? static_cast<float>(static_cast<double>(out[p]) * inverse) : 0.0f;
      }
    }
    return result;
  }

  /// Raw pixels to [0, 1] at full size. `i` names the image in the message of invalid_argument.
  void to_unit(std::span<const float> raw, std::span<float> unit, std::int64_t i) const {
    const double inverse = 1.0 / (raw_.upper - raw_.lower);
    for (std::size_t p = 0; p < unit.size(); ++p) {
      const double x = (static_cast<double>(raw[p]) - raw_.lower) * inverse;
      if (!std::isfinite(x))
        throw Error(ErrorCode::invalid_argument, "ImagePreparation",
                    "image " + std::to_string(i) + " has a pixel that is not finite; the generator is broken");
      unit[p] = static_cast<float>(std::clamp(x, 0.0, 1.0));
    }
  }

 private:
  /// Output pixel = (1 - weight) input[low] + weight input[high].
  struct Tap {
    std::int64_t low = 0;
    std::int64_t high = 0;
    float weight = 0.0f;
  };

  static std::string text(const ImageShape& s) {
    return std::to_string(s.channels) + " x " + std::to_string(s.height) + " x " + std::to_string(s.width);
  }

  /// Channels x height x width, or more than any image may have where that overflows.
  static std::int64_t elements(const ImageShape& s) noexcept {
    const double product =
        static_cast<double>(s.channels) * static_cast<double>(s.height) * static_cast<double>(s.width);
    return product > static_cast<double>(limits::pixels) ? limits::pixels + 1 : s.elements();
  }

  /// Bounds so far apart, or so close, that float pixels could not tell are refused as well.
  static void check_range(const ValueRange& range, const std::string& what) {
    core::require_in("ImagePreparation", what + ": the lower end", range.lower, -1e9, 1e9);
    core::require_in("ImagePreparation", what + ": the upper end", range.upper, -1e9, 1e9);
    if (!(range.upper - range.lower >= 1e-9))
      throw Error(ErrorCode::invalid_argument, "ImagePreparation",
                  what + ": the lower end must lie below the upper, got [" + core::range_text(range.lower) + ", " +
                      core::range_text(range.upper) + "]");
  }

  /// What a specification may say whatever the generator makes.
  static void check_spec(const InputSpec& spec) {
    constexpr const char* where = "ImagePreparation";
    check_range(spec.range, "InputSpec::range");
    core::require_in(where, "InputSpec::channels (0: as generated)", spec.channels, 0, limits::pixels);
    core::require_in(where, "InputSpec::height (0: as generated)", spec.height, 0, limits::pixels);
    core::require_in(where, "InputSpec::width (0: as generated)", spec.width, 0, limits::pixels);
    for (const double mean : spec.mean) core::require_in(where, "InputSpec::mean", mean, -1e9, 1e9);
    for (const double deviation : spec.std) core::require_in(where, "InputSpec::std", deviation, 1e-9, 1e9);
  }

  static void check_shape(ImageView images, const ImageShape& expected, const std::string& what) {
    if (images.shape() == expected) return;
    throw Error(
        ErrorCode::shape_mismatch, "ImagePreparation",
        "expected " + what + " of " + text(expected) + " (channels, height, width), got " + text(images.shape()));
  }

  static double per_channel(const std::vector<double>& values, std::size_t c, double otherwise) {
    return values.empty() ? otherwise : values.size() == 1 ? values.front() : values[c];
  }
  void check_per_channel(const std::vector<double>& values, const std::string& what) const {
    if (values.size() <= 1 || values.size() == static_cast<std::size_t>(to_.channels)) return;
    throw Error(ErrorCode::invalid_argument, "ImagePreparation",
                "InputSpec::" + what + " needs one value or one for each of the " + std::to_string(to_.channels) +
                    " channels, got " + std::to_string(values.size()));
  }

  [[nodiscard]] std::vector<Tap> taps(std::int64_t from, std::int64_t to) const {
    std::vector<Tap> result(static_cast<std::size_t>(to));
    for (std::int64_t i = 0; i < to; ++i) {
      Tap& tap = result[static_cast<std::size_t>(i)];
      if (spec_.fit == Fit::centre_crop || from == to) {
        tap.low = tap.high = (from - to) / 2 + i;
      } else {
        const double centre =
            std::clamp((static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5, 0.0,
                       static_cast<double>(from - 1));
        tap.low = static_cast<std::int64_t>(centre);
        tap.high = std::min(tap.low + 1, from - 1);
        tap.weight = static_cast<float>(centre - static_cast<double>(tap.low));
      }
    }
    return result;
  }

  /// Source channel of output channel c before averaging or repeating.
  [[nodiscard]] std::int64_t ordered(std::int64_t c) const noexcept {
    return spec_.order == ChannelOrder::reversed ? to_.channels - 1 - c : c;
  }
  [[nodiscard]] std::size_t position(std::int64_t c, std::int64_t y, std::int64_t x) const noexcept {
    return static_cast<std::size_t>(spec_.layout == PixelLayout::channels_first
                                        ? (c * to_.height + y) * to_.width + x
                                        : (y * to_.width + x) * to_.channels + c);
  }

  void prepare(std::span<const float> unit, std::span<float> out) const {
    const bool average = to_.channels == 1 && from_.channels == 3;
    for (std::int64_t c = 0; c < to_.channels; ++c) {
      const std::int64_t source = from_.channels == 1 ? 0 : ordered(c);
      for (std::int64_t y = 0; y < to_.height; ++y) {
        for (std::int64_t x = 0; x < to_.width; ++x) {
          double value = 0.0;
          if (average) {
            for (std::int64_t each = 0; each < 3; ++each) value += sample(unit, each, y, x);
            value /= 3.0;
          } else {
            value = sample(unit, source, y, x);
          }
          out[position(c, y, x)] =
              static_cast<float>(value * scale_[static_cast<std::size_t>(c)] + offset_[static_cast<std::size_t>(c)]);
        }
      }
    }
  }

  [[nodiscard]] double sample(std::span<const float> unit, std::int64_t c, std::int64_t y, std::int64_t x) const {
    const Tap& v = vertical_[static_cast<std::size_t>(y)];
    const Tap& h = horizontal_[static_cast<std::size_t>(x)];
    const float* low = unit.data() + (c * from_.height + v.low) * from_.width;
    if (v.weight == 0.0f && h.weight == 0.0f) return static_cast<double>(low[h.low]);
    const float* high = unit.data() + (c * from_.height + v.high) * from_.width;
    const double wy = static_cast<double>(v.weight);
    const double wx = static_cast<double>(h.weight);
    return (1.0 - wy) * ((1.0 - wx) * static_cast<double>(low[h.low]) + wx * static_cast<double>(low[h.high])) +
           wy * ((1.0 - wx) * static_cast<double>(high[h.low]) + wx * static_cast<double>(high[h.high]));
  }

  void pull(std::span<const float> gradient, std::span<float> out) const {
    const bool average = to_.channels == 1 && from_.channels == 3;
    std::vector<double> sum(out.size(), 0.0);
    for (std::int64_t c = 0; c < to_.channels; ++c) {
      for (std::int64_t y = 0; y < to_.height; ++y) {
        for (std::int64_t x = 0; x < to_.width; ++x) {
          const double g = static_cast<double>(gradient[position(c, y, x)]) * scale_[static_cast<std::size_t>(c)];
          if (average) {
            for (std::int64_t each = 0; each < 3; ++each) scatter(sum, each, y, x, g / 3.0);
          } else {
            scatter(sum, from_.channels == 1 ? 0 : ordered(c), y, x, g);
          }
        }
      }
    }
    std::transform(sum.begin(), sum.end(), out.begin(), [](double value) { return static_cast<float>(value); });
  }

  void scatter(std::vector<double>& sum, std::int64_t c, std::int64_t y, std::int64_t x, double g) const {
    const Tap& v = vertical_[static_cast<std::size_t>(y)];
    const Tap& h = horizontal_[static_cast<std::size_t>(x)];
    const double wy = static_cast<double>(v.weight);
    const double wx = static_cast<double>(h.weight);
    const auto at = [&](std::int64_t row, std::int64_t col) -> double& {
      return sum[static_cast<std::size_t>((c * from_.height + row) * from_.width + col)];
    };
    at(v.low, h.low) += (1.0 - wy) * (1.0 - wx) * g;
    at(v.low, h.high) += (1.0 - wy) * wx * g;
    at(v.high, h.low) += wy * (1.0 - wx) * g;
    at(v.high, h.high) += wy * wx * g;
  }

  ImageShape from_;
  ImageShape to_;
  ValueRange raw_;
  InputSpec spec_;
  std::vector<Tap> vertical_;
  std::vector<Tap> horizontal_;
  std::vector<double> scale_;
  std::vector<double> offset_;
};

/// Raw generator images as a classifier with this spec sees them.
[[nodiscard]] ImageBatch prepare_images(ImageView raw, ValueRange range, const InputSpec& spec);

/// dL/draw from dL/dprepared, see `ImagePreparation::pull_gradient`.
[[nodiscard]] ImageBatch pull_gradient(ImageView prepared_gradient, ImageView raw, ValueRange range,
                                       const InputSpec& spec);

/// Raw generator images in [0, 1] at full size: clamp((x - lower) / (upper - lower), 0, 1).
[[nodiscard]] ImageBatch to_unit_range(ImageView raw, ValueRange range);

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/classify/detail/prepare_images_impl.hpp>
#endif
