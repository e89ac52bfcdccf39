// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Writes the few SVG elements that the charts need, and the axes they share.

#include <faultline/render/canvas.hpp>
#include <faultline/render/detail/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// "#d55e00".
inline std::string hex(Colour colour) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "#";
  for (const std::uint8_t part : {colour.red, colour.green, colour.blue})
    (out += digits[part >> 4]) += digits[part & 15];
  return out;
}

/// A coordinate, to a hundredth of a pixel, without trailing zeros.
inline std::string at(double value) {
  std::string text = fixed(value, 2);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// A growing SVG document. Text is escaped; `style` arguments are further attributes and come from this library only.
class Svg {
 public:
  Svg(double width, double height, std::string_view description) {
    out_ =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + at(width) + " " + at(height) + "\" width=\"" +
        at(width) + "\" height=\"" + at(height) + "\" role=\"img\" aria-label=\"" + escape(valid_utf8(description)) +
        "\" font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\" font-size=\"12\" fill=\"" +
        hex(palette::ink) + "\">\n";
    rect(0, 0, width, height, "fill=\"#ffffff\"");
  }

  void rect(double x, double y, double width, double height, std::string_view style) {
    element("rect",
            "x=\"" + at(x) + "\" y=\"" + at(y) + "\" width=\"" + at(std::max(width, 0.0)) + "\" height=\"" +
                at(std::max(height, 0.0)) + "\"",
            style);
  }
  void line(double x0, double y0, double x1, double y1, std::string_view style) {
    element("line", "x1=\"" + at(x0) + "\" y1=\"" + at(y0) + "\" x2=\"" + at(x1) + "\" y2=\"" + at(y1) + "\"", style);
  }
  void circle(double x, double y, double radius, std::string_view style) {
    element("circle", "cx=\"" + at(x) + "\" cy=\"" + at(y) + "\" r=\"" + at(radius) + "\"", style);
  }
  /// Points joined in order; filled or not, as the style says.
  void polygon(const std::vector<std::pair<double, double>>& points, std::string_view style, bool closed = true) {
    std::string list;
    for (const auto& [x, y] : points) list += (list.empty() ? "" : " ") + at(x) + "," + at(y);
    element(closed ? "polygon" : "polyline", "points=\"" + list + "\"", style);
  }
  void text(double x, double y, std::string_view content, std::string_view style = "") {
    out_ += "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\"" + (style.empty() ? "" : " ") + std::string(style) + ">" +
            escape(valid_utf8(content)) + "</text>\n";
  }
  /// A label of at most `width` pixels at 12 px: longer ones are cut with an ellipsis and keep the whole text as a
  /// tooltip. Measured as bold text is, unless it is `plain`.
  void label(double x, double y, std::string_view content, double width, std::string_view style = "",
             bool plain = false) {
    const TextStyle wide{.height = plain ? plain_height : bold_height};
    const std::string whole = valid_utf8(content), cut = Canvas::shortened(whole, width, wide);
    out_ += "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\"" + (style.empty() ? "" : " ") + std::string(style) + ">" +
            escape(cut) + (cut == whole ? "" : "<title>" + escape(whole) + "</title>") + "</text>\n";
  }
  /// A picture inside the document, its pixels left as they are when it is enlarged.
  void image(double x, double y, const Picture& picture) {
    element(
        "image",
        "x=\"" + at(x) + "\" y=\"" + at(y) + "\" width=\"" + std::to_string(picture.width) + "\" height=\"" +
            std::to_string(picture.height) + "\"",
        "style=\"image-rendering:pixelated\" href=\"data:image/png;base64," + base64(data::encode_png(picture)) + "\"");
  }
  [[nodiscard]] std::string finish() && { return std::move(out_) + "</svg>\n"; }

  /// Heights of the stroke font that is as wide as the widest usual system font at 12 px.
  static constexpr double plain_height = 9.6, bold_height = 10.8;

 private:
  void element(std::string_view name, const std::string& geometry, std::string_view style) {
    out_ += "<" + std::string(name) + " " + geometry + " " + std::string(style) + "/>\n";
  }
  std::string out_;
};

/// Round numbers that divide [lower, upper] into about `target` steps, and the decimals they need.
struct Ticks {
  std::vector<double> values;
  int digits = 0;
};

inline Ticks round_ticks(double lower, double upper, int target) {
  Ticks ticks;
  const double rough = (upper - lower) / target;
  // (nor where steps are too small for the numbers)
  if (!(rough > 0) || !std::isfinite(rough) || std::max(std::abs(lower), std::abs(upper)) > 1e9 * rough)
    return {{lower}, 1};
  const double decade = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * decade;
  for (const double nice : {1.0, 2.0, 5.0})
    if (nice * decade >= 0.65 * rough) {
      step = nice * decade;
      break;
    }
  while (ticks.digits < 6 &&
         std::abs(step * std::pow(10.0, ticks.digits) - std::round(step * std::pow(10.0, ticks.digits))) > 1e-6)
    ++ticks.digits;
  for (double i = std::ceil(lower / step - 1e-9); i * step <= upper + 1e-9 * step; ++i)
    ticks.values.push_back(i * step);
  return ticks;
}

/// The rectangle data are drawn in, and the way from data to pixels.
struct Plot {
  double left, top, width, height;
  double x_lower, x_upper, y_lower, y_upper;

  [[nodiscard]] double x(double value) const { return left + width * within(value, x_lower, x_upper); }
  [[nodiscard]] double y(double value) const { return top + height * (1 - within(value, y_lower, y_upper)); }
  [[nodiscard]] double right() const { return left + width; }
  [[nodiscard]] double bottom() const { return top + height; }

 private:
  /// Where a value lies between two others, 0 to 1; 0 when they are equal, in the wrong order or endlessly far apart,
  /// and for what is not a number.
  [[nodiscard]] static double within(double value, double lower, double upper) {
    if (!(lower < upper) || !std::isfinite(upper - lower) || std::isnan(value)) return 0.0;
    return (std::clamp(value, lower, upper) - lower) / (upper - lower);
  }
};

/// The horizontal axis below the plot, with a light line at every tick.
inline void draw_x_axis(Svg& svg, const Plot& plot, std::string_view title, int target = 8) {
  const Ticks ticks = round_ticks(plot.x_lower, plot.x_upper, target);
  for (const double value : ticks.values) {
    svg.line(plot.x(value), plot.top, plot.x(value), plot.bottom(), "stroke=\"#e6e9ec\"");
    svg.line(plot.x(value), plot.bottom(), plot.x(value), plot.bottom() + 4, "stroke=\"#626a73\"");
    svg.text(plot.x(value), plot.bottom() + 17, shown(value, ticks.digits), "text-anchor=\"middle\"");
  }
  svg.line(plot.left, plot.bottom(), plot.right(), plot.bottom(), "stroke=\"#626a73\"");
  svg.label(plot.left + plot.width / 2, plot.bottom() + 36, title, plot.width + 32,
            "text-anchor=\"middle\" fill=\"#495057\"", true);
}

/// The vertical axis to the left of the plot; values are multiplied by `unit` for the tick labels (100 for
/// percentages).
inline void draw_y_axis(Svg& svg, const Plot& plot, std::string_view title, double unit = 1.0,
                        std::string_view suffix = "", int target = 5) {
  const Ticks ticks = round_ticks(plot.y_lower * unit, plot.y_upper * unit, target);
  for (const double value : ticks.values) {
    const double y = plot.y(value / unit);
    svg.line(plot.left, y, plot.right(), y, "stroke=\"#e6e9ec\"");
    svg.text(plot.left - 7, y + 4, shown(value, ticks.digits) + std::string(suffix), "text-anchor=\"end\"");
  }
  svg.line(plot.left, plot.top, plot.left, plot.bottom(), "stroke=\"#626a73\"");
  const std::string x = at(18), y = at(plot.top + plot.height / 2);
  svg.label(0, 0, title, plot.height + 20,
            "transform=\"translate(" + x + " " + y + ") rotate(-90)\" text-anchor=\"middle\" fill=\"#495057\"", true);
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
