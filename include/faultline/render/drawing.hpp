// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A drawing that is recorded once and written twice: as an SVG document and as a PNG picture.

#include <faultline/render/canvas.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

namespace detail {
/// The nearest pixel, of what may lie far outside of every drawing.
inline std::int64_t whole(double value) { return std::lround(std::clamp(value, -1e6, 1e6)); }
}  // namespace detail

/// How a line is drawn.
struct Pen {
  Colour colour = palette::ink;
  double width = 1.0;
  double dash = 0.0;  ///< length of dashes; 0 is a solid line
  double gap = 0.0;   ///< between dashes; 0 is half a dash
};

/// The shape of a mark, so that groups differ by more than their colour. Arrows point up and down.
enum class Mark { disc, ring, square, triangle, diamond, cross, plus, arrow_up, arrow_down };

/// Where a line of text runs.
enum class Turn { none, upwards };

/// A drawing of recorded parts, later ones on top. Coordinates in pixels, x to the right, y down.
///
/// Both forms show the same parts at the same places: SVG text is in the reader's font, set to the width that the
/// built-in letters have. Rectangles and pictures lie on whole pixels; what is not finite is left out. Text may be
/// anything: it is escaped, and what is not UTF-8 is replaced. Same calls, same bytes.
/// Example: `Drawing drawing(200, 60, "a mark"); drawing.mark(20, 30, Mark::cross, 5, palette::failure);
/// drawing.text(32, 34, "MIS"); write_drawing(drawing, "out/mark");`
class Drawing {
 public:
  /// An empty white drawing; `description` is what a screen reader says. **Throws** `invalid_argument` when a side is
  /// not in [1, 20 000].
  Drawing(std::int64_t width, std::int64_t height, std::string description);

  [[nodiscard]] std::int64_t width() const noexcept { return width_; }
  [[nodiscard]] std::int64_t height() const noexcept { return height_; }
  [[nodiscard]] const std::string& description() const noexcept { return description_; }

  /// A straight line.
  void line(double x0, double y0, double x1, double y1, const Pen& pen = {});
  /// Points joined by straight lines. Points that are not finite are left out.
  void polyline(std::vector<std::pair<double, double>> points, const Pen& pen = {});
  /// The inside of a polygon, by the rule of `Canvas::polygon`. Points that are not finite are left out.
  void polygon(std::vector<std::pair<double, double>> points, Colour fill, double opacity = 1.0);
  /// A filled rectangle.
  void rectangle(double x, double y, double width, double height, Colour fill);
  /// A frame just outside a rectangle.
  void frame(double x, double y, double width, double height, std::int64_t thickness, Colour colour);
  /// A mark around (x, y), `radius` pixels from its middle to its edge.
  void mark(double x, double y, Mark mark, double radius, Colour colour);
  /// One line of text with its baseline at y, placed relative to x by `style.align`; upwards: turned to the left about
  /// (x, y). Returns its width.
  double text(double x, double y, std::string_view text, const TextStyle& style = {}, Turn turn = Turn::none);
  /// The same of at most `room` pixels: longer text is cut with an ellipsis, and the SVG keeps the whole as a tooltip.
  double label(double x, double y, std::string_view text, double room, const TextStyle& style = {},
               Turn turn = Turn::none);
  /// A picture, pixel by pixel, with its upper left corner at (x, y).
  void picture(double x, double y, Picture picture);

  /// The drawing as one SVG document without references to anything outside.
  [[nodiscard]] std::string svg() const;
  /// The drawing as pixels.
  [[nodiscard]] Picture raster() const;

 private:
  struct Lines {
    std::vector<std::pair<double, double>> points;
    Pen pen;
  };
  struct Area {
    std::vector<std::pair<double, double>> points;
    Colour colour;
    double opacity;
  };
  struct Box {
    std::int64_t x, y, width, height;
    Colour colour;
  };
  struct Disc {
    double x, y, radius;
    Colour colour;
  };
  struct Words {
    double x, y;
    std::string text, whole;  // `whole` when the text was cut
    TextStyle style;
    Turn turn;
  };
  struct Image {
    std::int64_t x, y;
    Picture picture;
  };

  std::int64_t width_, height_;
  std::string description_;
  std::vector<std::variant<Lines, Area, Box, Disc, Words, Image>> parts_;
};

/// Writes `stem`.svg and `stem`.png, each all or nothing. **Throws** `cannot_write`, `not_durable`.
/// Example: `write_drawing(figure, "out/figure-3");`
void write_drawing(const Drawing& drawing, const std::filesystem::path& stem);

}  // namespace render

using render::Drawing;
using render::write_drawing;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/drawing_impl.hpp>
#endif
