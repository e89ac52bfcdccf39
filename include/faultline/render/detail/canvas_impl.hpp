// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/canvas.hpp.

#include <faultline/render/canvas.hpp>

#include <faultline/render/detail/stroke_font.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Distance of a point from a straight piece.
inline float distance_to(float x, float y, StrokePoint a, StrokePoint b) {
  const float dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
  const float t = length > 0 ? std::clamp(((x - a.x) * dx + (y - a.y) * dy) / length, 0.0f, 1.0f) : 0.0f;
  const float ex = x - a.x - t * dx, ey = y - a.y - t * dy;
  return std::sqrt(ex * ex + ey * ey);
}

/// How much of each pixel strokes cover: the largest over all pieces, so that crossings do not darken.
class CoverageMask {
 public:
  CoverageMask(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height)
      : x_(x), y_(y), width_(width), height_(height), values_(static_cast<std::size_t>(width * height)) {}

  void stroke(StrokePoint a, StrokePoint b, float thickness) {
    const float reach = thickness / 2 + 1;
    const auto clip = [](float value, std::int64_t limit) {
      return std::clamp<std::int64_t>(static_cast<std::int64_t>(value), 0, limit);
    };
    const std::int64_t x0 = clip(std::floor(std::min(a.x, b.x) - reach) - static_cast<float>(x_), width_),
                       x1 = clip(std::ceil(std::max(a.x, b.x) + reach) - static_cast<float>(x_), width_);
    const std::int64_t y0 = clip(std::floor(std::min(a.y, b.y) - reach) - static_cast<float>(y_), height_),
                       y1 = clip(std::ceil(std::max(a.y, b.y) + reach) - static_cast<float>(y_), height_);
    for (std::int64_t y = y0; y < y1; ++y)
      for (std::int64_t x = x0; x < x1; ++x) {
        const float away = distance_to(static_cast<float>(x_ + x) + 0.5f, static_cast<float>(y_ + y) + 0.5f, a, b);
        float& value = values_[static_cast<std::size_t>(y * width_ + x)];
        value = std::max(value, std::clamp(thickness / 2 + 0.5f - away, 0.0f, 1.0f));
      }
  }

  template <class Visit>
  void visit(Visit visit) const {
    for (std::int64_t y = 0; y < height_; ++y)
      for (std::int64_t x = 0; x < width_; ++x)
        if (const float value = values_[static_cast<std::size_t>(y * width_ + x)]; value > 0)
          visit(x_ + x, y_ + y, value);
  }

 private:
  std::int64_t x_, y_, width_, height_;
  std::vector<float> values_;
};

/// Whole-number enlargement (positive) or reduction (negative) that brings the longer side closest to `size`.
inline std::int64_t picture_scale(const ImageShape& shape, std::int64_t size) {
  const std::int64_t longest = std::max(shape.height, shape.width);
  return longest <= size ? std::max<std::int64_t>(1, size / longest) : -((longest + size - 1) / size);
}

}  // namespace detail

FAULTLINE_INLINE Canvas::Canvas(std::int64_t width, std::int64_t height, Colour background) {
  constexpr std::int64_t largest = 20'000;
  if (width < 1 || height < 1 || width > largest || height > largest)
    throw Error(ErrorCode::invalid_argument, "Canvas",
                "sides must lie in [1, 20000] pixels, got " + std::to_string(width) + " x " + std::to_string(height));
  picture_ = {.height = height, .width = width, .channels = 3, .pixels = {}};
  picture_.pixels.resize(static_cast<std::size_t>(3 * width * height));
  fill(0, 0, width, height, background);
}

FAULTLINE_INLINE void Canvas::blend(std::int64_t x, std::int64_t y, Colour colour, float coverage) {
  if (x < 0 || y < 0 || x >= width() || y >= height()) return;
  std::uint8_t* pixel = picture_.pixels.data() + 3 * (y * width() + x);
  const std::uint8_t target[3] = {colour.red, colour.green, colour.blue};
  for (int c = 0; c < 3; ++c)
    pixel[c] = static_cast<std::uint8_t>(
        std::lround(static_cast<float>(pixel[c]) * (1.0f - coverage) + static_cast<float>(target[c]) * coverage));
}

FAULTLINE_INLINE void Canvas::fill(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height,
                                   Colour colour) {
  const std::int64_t x1 = std::min(x + width, this->width()), y1 = std::min(y + height, this->height());
  for (std::int64_t row = std::max<std::int64_t>(y, 0); row < y1; ++row)
    for (std::int64_t column = std::max<std::int64_t>(x, 0); column < x1; ++column) {
      std::uint8_t* pixel = picture_.pixels.data() + 3 * (row * this->width() + column);
      pixel[0] = colour.red, pixel[1] = colour.green, pixel[2] = colour.blue;
    }
}

FAULTLINE_INLINE void Canvas::frame(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height,
                                    std::int64_t thickness, Colour colour) {
  fill(x - thickness, y - thickness, width + 2 * thickness, thickness, colour);
  fill(x - thickness, y + height, width + 2 * thickness, thickness, colour);
  fill(x - thickness, y, thickness, height, colour);
  fill(x + width, y, thickness, height, colour);
}

FAULTLINE_INLINE void Canvas::line(double x0, double y0, double x1, double y1, double thickness, Colour colour) {
  const auto low = [&](double a, double b) {
    return static_cast<std::int64_t>(std::floor(std::min(a, b) - thickness)) - 1;
  };
  const auto high = [&](double a, double b) {
    return static_cast<std::int64_t>(std::ceil(std::max(a, b) + thickness)) + 1;
  };
  const std::int64_t left = std::max<std::int64_t>(low(x0, x1), 0), top = std::max<std::int64_t>(low(y0, y1), 0);
  const std::int64_t right = std::min(high(x0, x1), width()), bottom = std::min(high(y0, y1), height());
  if (right <= left || bottom <= top) return;
  detail::CoverageMask mask(left, top, right - left, bottom - top);
  mask.stroke({static_cast<float>(x0), static_cast<float>(y0)}, {static_cast<float>(x1), static_cast<float>(y1)},
              static_cast<float>(thickness));
  mask.visit([&](std::int64_t x, std::int64_t y, float coverage) { blend(x, y, colour, coverage); });
}

FAULTLINE_INLINE void Canvas::polygon(std::span<const std::pair<double, double>> points, Colour colour,
                                      double opacity) {
  if (points.size() < 3) return;
  double top = static_cast<double>(height()), bottom = 0;
  for (const auto& [x, y] : points) top = std::min(top, y), bottom = std::max(bottom, y);
  const auto first = [](double value) { return static_cast<std::int64_t>(std::floor(std::max(value, 0.0))); };
  std::vector<int> covered(static_cast<std::size_t>(width()));  // of the 4 x 4 samples of each pixel
  std::vector<double> crossings;
  for (std::int64_t row = first(top); row < std::min(height(), first(std::min(bottom, 1e6)) + 1); ++row) {
    std::fill(covered.begin(), covered.end(), 0);
    for (int sample = 0; sample < 4; ++sample) {
      const double y = static_cast<double>(row) + (sample + 0.5) / 4;
      crossings.clear();
      for (std::size_t i = 0, j = points.size() - 1; i < points.size(); j = i++) {
        const auto& [ax, ay] = points[i];
        const auto& [bx, by] = points[j];
        if ((ay > y) != (by > y)) crossings.push_back(ax + (bx - ax) * (y - ay) / (by - ay));
      }
      std::sort(crossings.begin(), crossings.end());
      const auto sample_at = [&](double x) {  // the first whose middle is at x or right of it
        return static_cast<std::int64_t>(std::ceil(4 * std::clamp(x, 0.0, static_cast<double>(width())) - 0.5));
      };
      for (std::size_t i = 1; i < crossings.size(); i += 2)
        for (std::int64_t at = sample_at(crossings[i - 1]); at < sample_at(crossings[i]); ++at)
          ++covered[static_cast<std::size_t>(at / 4)];
    }
    for (std::int64_t x = 0; x < width(); ++x)
      if (const int samples = covered[static_cast<std::size_t>(x)]; samples > 0)
        blend(x, row, colour, static_cast<float>(opacity * samples / 16));
  }
}

FAULTLINE_INLINE void Canvas::picture(std::int64_t x, std::int64_t y, const Picture& picture) {
  for (std::int64_t row = 0; row < picture.height; ++row)
    for (std::int64_t column = 0; column < picture.width; ++column) {
      const std::uint8_t* from = picture.pixels.data() + picture.channels * (row * picture.width + column);
      fill(x + column, y + row, 1, 1,
           picture.channels == 1 ? Colour{from[0], from[0], from[0]} : Colour{from[0], from[1], from[2]});
    }
}

FAULTLINE_INLINE void Canvas::text(double x, double y, std::string_view text, const TextStyle& style) {
  const float unit = static_cast<float>(style.height) / 10.0f, thickness = unit * (style.bold ? 1.7f : 1.15f);
  const float width = unit * detail::stroke_width(text);
  float pen = static_cast<float>(x) - (style.align == Align::left     ? 0.0f
                                       : style.align == Align::centre ? width / 2
                                                                      : width);
  const float base = static_cast<float>(y);
  const auto left = static_cast<std::int64_t>(std::floor(pen - 2)),
             top = static_cast<std::int64_t>(std::floor(base - 12 * unit - 2));
  detail::CoverageMask mask(left, top, static_cast<std::int64_t>(width) + 6, static_cast<std::int64_t>(16 * unit) + 6);
  for (std::size_t at = 0; at < text.size();) {
    const detail::StrokeGlyph& glyph = detail::find_glyph(next_code_point(text, at));
    detail::trace(glyph, [&](detail::StrokePoint a, detail::StrokePoint b) {
      mask.stroke({pen + unit * a.x, base - unit * a.y}, {pen + unit * b.x, base - unit * b.y}, thickness);
    });
    pen += unit * (glyph.width + detail::glyph_gap);
  }
  mask.visit([&](std::int64_t px, std::int64_t py, float coverage) { blend(px, py, style.colour, coverage); });
}

FAULTLINE_INLINE double Canvas::text_width(std::string_view text, const TextStyle& style) {
  return style.height / 10.0 * static_cast<double>(detail::stroke_width(text));
}

FAULTLINE_INLINE std::string Canvas::shortened(std::string_view text, double width, const TextStyle& style) {
  if (text_width(text, style) <= width) return std::string(text);
  std::vector<std::size_t> starts;  // of each character, so that none is cut in two
  for (std::size_t at = 0; at < text.size();) {
    starts.push_back(at);
    next_code_point(text, at);
  }
  const auto cut = [&](std::size_t start) {
    std::string shorter(text.substr(0, start));
    while (!shorter.empty() && shorter.back() == ' ') shorter.pop_back();
    return shorter + "\u2026";
  };
  const auto fit = std::partition_point(starts.begin(), starts.end(), [&](std::size_t start) {
    return text_width(cut(start), style) <= width;  // (halved, because a name of a file may be as long as it likes)
  });
  return fit == starts.begin() ? std::string() : cut(*(fit - 1));
}

FAULTLINE_INLINE Picture Canvas::picture() const {
  const auto& pixels = picture_.pixels;
  for (std::size_t i = 0; i < pixels.size(); i += 3)
    if (pixels[i] != pixels[i + 1] || pixels[i] != pixels[i + 2]) return picture_;
  Picture grey{.height = height(), .width = width(), .channels = 1, .pixels = {}};
  for (std::size_t i = 0; i < pixels.size(); i += 3) grey.pixels.push_back(pixels[i]);
  return grey;
}

FAULTLINE_INLINE ImageShape picture_shape(const ImageShape& shape, std::int64_t size) {
  if (shape.elements() < 1 || size < 1)
    throw Error(ErrorCode::empty_input, "to_picture", "an image needs at least one pixel");
  const std::int64_t scale = detail::picture_scale(shape, size);
  const auto side = [&](std::int64_t pixels) { return scale > 0 ? pixels * scale : (pixels - scale - 1) / -scale; };
  return {shape.channels < 3 ? 1 : 3, side(shape.height), side(shape.width)};
}

FAULTLINE_INLINE Picture to_picture(std::span<const float> values, const ImageShape& shape, std::int64_t size) {
  const ImageShape target = picture_shape(shape, size);
  if (static_cast<std::int64_t>(values.size()) != shape.elements())
    throw Error(ErrorCode::shape_mismatch, "to_picture",
                "expected " + std::to_string(shape.elements()) + " values, got " + std::to_string(values.size()));
  const std::int64_t scale = detail::picture_scale(shape, size), block = scale < 0 ? -scale : 1,
                     plane = shape.height * shape.width;
  const std::int64_t averaged = shape.channels == 2 ? 2 : 1;
  Picture picture{
      .height = target.height, .width = target.width, .channels = static_cast<int>(target.channels), .pixels = {}};
  picture.pixels.reserve(static_cast<std::size_t>(target.elements()));
  for (std::int64_t y = 0; y < target.height; ++y)
    for (std::int64_t x = 0; x < target.width; ++x)
      for (std::int64_t c = 0; c < target.channels; ++c) {
        const std::int64_t y0 = scale > 0 ? y / scale : y * block, x0 = scale > 0 ? x / scale : x * block;
        double sum = 0;
        std::int64_t n = 0;
        for (std::int64_t channel = c; channel < c + averaged; ++channel)
          for (std::int64_t row = y0; row < std::min(y0 + block, shape.height); ++row)
            for (std::int64_t column = x0; column < std::min(x0 + block, shape.width); ++column, ++n) {
              const float value = values[static_cast<std::size_t>(channel * plane + row * shape.width + column)];
              sum += value > 0.0f ? std::min(static_cast<double>(value), 1.0) : 0.0;  // false for NaN
            }
        picture.pixels.push_back(static_cast<std::uint8_t>(std::lround(255.0 * sum / static_cast<double>(n))));
      }
  return picture;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
