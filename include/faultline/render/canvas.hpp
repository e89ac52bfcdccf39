// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A small raster canvas for the picture sheets: rectangles, lines, smooth lettering, enlarged images.

#include <faultline/core/image.hpp>
#include <faultline/data/png.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace render {

/// A colour, 0 to 255 per channel.
struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
  friend bool operator==(const Colour&, const Colour&) = default;
};

/// The colours of all pictures and charts: Okabe and Ito's set (2008), told apart with any common colour blindness and
/// in grey.
namespace palette {
inline constexpr Colour ink{33, 37, 41}, quiet{98, 106, 115}, faint{206, 211, 216}, paper{255, 255, 255},
    wash{244, 246, 248};
inline constexpr Colour failure{213, 94, 0}, success{0, 114, 178}, judge{0, 158, 115}, accent{204, 121, 167};
}  // namespace palette

/// Where a line of text sits relative to its x.
enum class Align { left, centre, right };

/// Size and look of a line of text.
struct TextStyle {
  double height = 10.0;  ///< of a capital letter, in pixels
  Colour colour = palette::ink;
  bool bold = false;
  Align align = Align::left;
};

/// A picture that is drawn on. Coordinates in pixels, x to the right, y down; whatever lies outside is clipped.
///
/// Same calls, same pixels. **Cost**: three bytes per pixel.
/// Example: `Canvas canvas(200, 40); canvas.text(10, 25, "label 3", {.bold = true}); write_png("label.png",
/// canvas.picture());`
class Canvas {
 public:
  /// A canvas of one colour. **Throws** `invalid_argument` when a side is not positive or above 20 000.
  Canvas(std::int64_t width, std::int64_t height, Colour background = palette::paper);

  [[nodiscard]] std::int64_t width() const noexcept { return picture_.width; }
  [[nodiscard]] std::int64_t height() const noexcept { return picture_.height; }

  /// Fills a rectangle.
  void fill(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height, Colour colour);
  /// Draws a frame of the given thickness just outside a rectangle.
  void frame(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height, std::int64_t thickness,
             Colour colour);
  /// Draws a straight line with round ends, smoothed.
  void line(double x0, double y0, double x1, double y1, double thickness, Colour colour);
  /// Fills the inside of a polygon, smoothed; where its outline crosses itself, inside is what an odd number of turns
  /// encloses.
  void polygon(std::span<const std::pair<double, double>> points, Colour colour, double opacity = 1.0);
  /// Copies a picture with its upper left corner at (x, y).
  void picture(std::int64_t x, std::int64_t y, const Picture& picture);
  /// Draws one line of text with its baseline at y.
  void text(double x, double y, std::string_view text, const TextStyle& style = {});

  /// Width of a line of text in pixels.
  [[nodiscard]] static double text_width(std::string_view text, const TextStyle& style = {});
  /// The text, shortened with an ellipsis until it is at most `width` pixels wide.
  [[nodiscard]] static std::string shortened(std::string_view text, double width, const TextStyle& style = {});

  /// What was drawn: one channel when every pixel is grey, else three.
  [[nodiscard]] Picture picture() const;

 private:
  void blend(std::int64_t x, std::int64_t y, Colour colour, float coverage);
  Picture picture_;
};

/// One image as a picture whose longer side is about `size` pixels: whole-number enlargement without smoothing, or
/// averages of whole blocks when it is larger than that.
///
/// **Shapes**: `values` is `[C, H, W]` in [0, 1]; values outside are clamped, NaN is black. One channel is grey, two
/// are averaged, three or more show the first three as RGB.
/// **Throws** `shape_mismatch` when `values` does not have the shape's size, `empty_input` for an image without pixels.
/// Example: `canvas.picture(8, 8, to_picture(images.image(0), images.shape(), 96));`
[[nodiscard]] Picture to_picture(std::span<const float> values, const ImageShape& shape, std::int64_t size);

/// Height and width that `to_picture` gives images of this shape.
[[nodiscard]] ImageShape picture_shape(const ImageShape& shape, std::int64_t size);

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/canvas_impl.hpp>
#endif
