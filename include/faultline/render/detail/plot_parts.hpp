// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What charts and figures of numbers share: scales, axes, curves and legends.

#include <faultline/render/detail/text.hpp>
#include <faultline/render/drawing.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline constexpr TextStyle plot_text{.height = 8.64}, plot_bold{.height = 8.64, .bold = true},
    plot_quiet{.height = 8.64, .colour = palette::quiet}, plot_small{.height = 7.92};  // 12 and 11 pixels in SVG
inline constexpr Colour failure_ink{163, 71, 0},  // the failure colour, dark enough for small letters
    grid_colour{230, 233, 236};

inline TextStyle aligned(TextStyle style, Align align) {
  style.align = align;
  return style;
}

/// `share` of `over` on `under`.
inline Colour mixed(Colour under, Colour over, double share) {
  const auto mix = [share](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + (b - a) * share));
  };
  return {mix(under.red, over.red), mix(under.green, over.green), mix(under.blue, over.blue)};
}

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

/// The horizontal axis below the plot, with a light line at every tick. Ticks are named in values times `unit` (100 for
/// percentages).
inline void draw_x_axis(Drawing& drawing, const Plot& plot, std::string_view title, int target = 8, double unit = 1.0) {
  const Ticks ticks = round_ticks(plot.x_lower * unit, plot.x_upper * unit, target);
  for (const double value : ticks.values) {
    const double x = plot.x(value / unit);
    drawing.line(x, plot.top, x, plot.bottom(), {grid_colour});
    drawing.line(x, plot.bottom(), x, plot.bottom() + 4, {palette::quiet});
    drawing.text(x, plot.bottom() + 17, shown(value, ticks.digits), aligned(plot_text, Align::centre));
  }
  drawing.line(plot.left, plot.bottom(), plot.right(), plot.bottom(), {palette::quiet});
  drawing.label(plot.left + plot.width / 2, plot.bottom() + 36, title, plot.width + 32,
                aligned(plot_quiet, Align::centre));
}

/// The vertical axis to the left of the plot, likewise.
inline void draw_y_axis(Drawing& drawing, const Plot& plot, std::string_view title, double unit = 1.0,
                        std::string_view suffix = "", int target = 5) {
  const Ticks ticks = round_ticks(plot.y_lower * unit, plot.y_upper * unit, target);
  double widest = 0;
  for (const double value : ticks.values) {
    const double y = plot.y(value / unit);
    drawing.line(plot.left, y, plot.right(), y, {grid_colour});
    widest = std::max(widest, drawing.text(plot.left - 7, y + 4, shown(value, ticks.digits) + std::string(suffix),
                                           aligned(plot_text, Align::right)));
  }
  drawing.line(plot.left, plot.top, plot.left, plot.bottom(), {palette::quiet});
  drawing.label(std::max(12.0, plot.left - 17 - widest), plot.top + plot.height / 2, title, plot.height + 20,
                aligned(plot_quiet, Align::centre), Turn::upwards);
}

/// Colour, mark and dash of a curve: three ways to tell it from the others.
struct CurveLook {
  Colour colour;
  Mark mark = Mark::disc;
  double dash = 0, gap = 0;

  [[nodiscard]] Pen pen(double width = 2.0) const { return {colour, width, dash, gap}; }
};

/// The look of curve number i, the same in every chart and figure; they repeat after six.
inline CurveLook look_of(std::size_t i) {
  static constexpr std::array<CurveLook, 6> looks = {CurveLook{palette::failure},
                                                     {palette::success, Mark::square, 7, 4},
                                                     {palette::judge, Mark::triangle, 2, 3},
                                                     {palette::accent, Mark::diamond, 11, 5},
                                                     {palette::ink, Mark::cross},
                                                     {palette::quiet, Mark::plus, 7, 4}};
  return looks[i % looks.size()];
}

inline void draw_mark(Drawing& drawing, double x, double y, const CurveLook& look, bool hollow = false) {
  const double radius = look.mark == Mark::disc || look.mark == Mark::ring ? 3.7 : 4.2;
  drawing.mark(x, y, look.mark, hollow ? radius + 1.0 : radius, look.colour);
  if (hollow) drawing.mark(x, y, look.mark, radius - 1.4, palette::paper);
}

/// A curve through points of the drawing, with a mark on each.
inline void draw_curve(Drawing& drawing, const std::vector<std::pair<double, double>>& points, const CurveLook& look) {
  drawing.polyline(points, look.pen());
  for (const auto& [x, y] : points) draw_mark(drawing, x, y, look);
}

/// A curve through data.
inline void draw_curve(Drawing& drawing, const Plot& plot, const std::vector<double>& xs, const std::vector<double>& ys,
                       const CurveLook& look) {
  std::vector<std::pair<double, double>> points;
  for (std::size_t i = 0; i < std::min(xs.size(), ys.size()); ++i)
    if (std::isfinite(ys[i])) points.emplace_back(plot.x(xs[i]), plot.y(ys[i]));
  draw_curve(drawing, points, look);
}

/// One entry of a legend: a piece of the curve and its name, of `room` pixels at most. Returns where the next may
/// start.
inline double draw_legend_entry(Drawing& drawing, double x, double y, const CurveLook& look, std::string_view name,
                                bool hollow = false, double room = std::numeric_limits<double>::infinity()) {
  drawing.line(x, y - 4, x + 26, y - 4, look.pen());
  draw_mark(drawing, x + 13, y - 4, look, hollow);
  return x + 32 + drawing.label(x + 32, y, name, room - 32, plot_text) + 18;
}

/// The outline of a histogram whose bins of equal `width` start at `lower`.
inline std::vector<std::pair<double, double>> steps(const Plot& plot, double lower, double width,
                                                    const std::vector<double>& shares) {
  std::vector<std::pair<double, double>> points{{plot.x(lower), plot.bottom()}};
  for (std::size_t i = 0; i < shares.size(); ++i)
    for (const std::size_t edge : {i, i + 1})
      points.emplace_back(plot.x(lower + width * static_cast<double>(edge)), plot.y(shares[i]));
  points.emplace_back(points.back().first, plot.bottom());
  return points;
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
