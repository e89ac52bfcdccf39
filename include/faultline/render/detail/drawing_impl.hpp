// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/drawing.hpp.

#include <faultline/render/drawing.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/render/detail/svg.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

namespace faultline {
inline namespace v1 {
namespace render {

using Points = std::vector<std::pair<double, double>>;

/// The straight pieces of a mark, or the outline that is to be filled when `filled`.
struct MarkShape {
  bool filled = false;
  std::vector<Points> paths;
};

inline MarkShape mark_shape(Mark mark, double x, double y, double r) {
  const double d = 0.8 * r;
  switch (mark) {
    case Mark::square: return {true, {{{x - d, y - d}, {x + d, y - d}, {x + d, y + d}, {x - d, y + d}}}};
    case Mark::triangle: return {true, {{{x, y - r}, {x + r, y + 0.8 * r}, {x - r, y + 0.8 * r}}}};
    case Mark::diamond: return {true, {{{x, y - 1.15 * r}, {x + 1.15 * r, y}, {x, y + 1.15 * r}, {x - 1.15 * r, y}}}};
    case Mark::cross: return {false, {{{x - d, y - d}, {x + d, y + d}}, {{x - d, y + d}, {x + d, y - d}}}};
    case Mark::plus: return {false, {{{x - r, y}, {x + r, y}}, {{x, y - r}, {x, y + r}}}};
    case Mark::arrow_up:
      return {false, {{{x, y + r}, {x, y - r}}, {{x - d, y - r + d}, {x, y - r}, {x + d, y - r + d}}}};
    case Mark::arrow_down:
      return {false, {{{x, y - r}, {x, y + r}}, {{x - d, y + r - d}, {x, y + r}, {x + d, y + r - d}}}};
    default: return {};  // the round ones
  }
}

inline double mark_stroke(double radius) { return std::max(1.1, 0.42 * radius); }

/// Cuts a chain of lines into its dashes.
inline std::vector<Points> dashes(const Points& points, double dash) {
  if (!(dash > 0.0)) return {points};
  std::vector<Points> out;
  bool on = true;
  double left = dash;
  Points current{points.front()};
  for (std::size_t i = 1; i < points.size(); ++i) {
    auto [x, y] = points[i - 1];
    double length = std::hypot(points[i].first - x, points[i].second - y);
    while (length > left) {
      x += (points[i].first - x) * left / length;
      y += (points[i].second - y) * left / length;
      length -= left;
      if (on) current.emplace_back(x, y), out.push_back(std::move(current));
      current = {{x, y}};
      on = !on;
      left = on ? dash : 0.5 * dash;
    }
    left -= length;
    if (on) current.push_back(points[i]);
  }
  if (on && current.size() > 1) out.push_back(std::move(current));
  return out;
}

/// One line of text as a small picture of its own, turned to the left, and where its corner lies relative to the
/// anchor.
inline Picture turned_text(std::string_view text, TextStyle style, std::int64_t& left, std::int64_t& top) {
  const double width = Canvas::text_width(text, style), shift = style.align == Align::left     ? 0.0
                                                                : style.align == Align::centre ? width / 2
                                                                                               : width;
  const auto ascent = static_cast<std::int64_t>(std::ceil(1.3 * style.height)) + 2,
             descent = static_cast<std::int64_t>(std::ceil(0.5 * style.height)) + 2;
  const auto before = static_cast<std::int64_t>(std::ceil(shift)) + 3;
  Canvas canvas(static_cast<std::int64_t>(std::ceil(width)) + 6, ascent + descent);
  style.align = Align::left;
  canvas.text(static_cast<double>(before) - shift, static_cast<double>(ascent), text, style);
  const Picture flat = canvas.picture();
  Picture turned{.height = flat.width,
                 .width = flat.height,
                 .channels = flat.channels,
                 .pixels = std::vector<std::uint8_t>(flat.pixels.size())};
  for (std::int64_t y = 0; y < flat.height; ++y)
    for (std::int64_t x = 0; x < flat.width; ++x)
      for (int c = 0; c < flat.channels; ++c)
        turned.pixels[static_cast<std::size_t>(((flat.width - 1 - x) * flat.height + y) * flat.channels + c)] =
            flat.pixels[static_cast<std::size_t>((y * flat.width + x) * flat.channels + c)];
  left = -ascent;
  top = before - flat.width;
  return turned;
}

inline std::int64_t whole(double value) { return static_cast<std::int64_t>(std::lround(value)); }

FAULTLINE_INLINE Drawing::Drawing(std::int64_t width, std::int64_t height, std::string description)
    : width_(width), height_(height), description_(std::move(description)) {
  if (width < 1 || height < 1 || width > 20'000 || height > 20'000)
    throw Error(ErrorCode::invalid_argument, "Drawing",
                "sides must lie in [1, 20000] pixels, got " + std::to_string(width) + " x " + std::to_string(height));
}

FAULTLINE_INLINE void Drawing::line(double x0, double y0, double x1, double y1, const Pen& pen) {
  polyline({{x0, y0}, {x1, y1}}, pen);
}

FAULTLINE_INLINE void Drawing::polyline(std::vector<std::pair<double, double>> points, const Pen& pen) {
  std::erase_if(points, [](const auto& point) { return !std::isfinite(point.first) || !std::isfinite(point.second); });
  if (points.size() > 1) parts_.emplace_back(Lines{std::move(points), pen});
}

FAULTLINE_INLINE void Drawing::rectangle(double x, double y, double width, double height, Colour fill) {
  const std::int64_t left = whole(x), top = whole(y);
  const Box box{left, top, whole(x + width) - left, whole(y + height) - top, fill};
  if (box.width > 0 && box.height > 0) parts_.emplace_back(box);
}

FAULTLINE_INLINE void Drawing::frame(double x, double y, double width, double height, std::int64_t thickness,
                                     Colour colour) {
  const auto t = static_cast<double>(thickness);
  rectangle(x - t, y - t, width + 2 * t, t, colour);
  rectangle(x - t, y + height, width + 2 * t, t, colour);
  rectangle(x - t, y, t, height, colour);
  rectangle(x + width, y, t, height, colour);
}

FAULTLINE_INLINE void Drawing::mark(double x, double y, Mark mark, double radius, Colour colour) {
  if (std::isfinite(x) && std::isfinite(y)) parts_.emplace_back(Sign{x, y, radius, mark, colour});
}

FAULTLINE_INLINE void Drawing::text(double x, double y, std::string_view text, const TextStyle& style, Turn turn) {
  if (!text.empty()) parts_.emplace_back(Words{x, y, std::string(text), style, turn});
}

FAULTLINE_INLINE void Drawing::picture(double x, double y, Picture picture) {
  if (!picture.pixels.empty()) parts_.emplace_back(Image{whole(x), whole(y), std::move(picture)});
}

FAULTLINE_INLINE std::string Drawing::svg() const {
  using namespace detail;
  detail::Svg svg(static_cast<double>(width_), static_cast<double>(height_), description_);
  const auto stroke = [](Colour colour, double width) {
    return "fill=\"none\" stroke=\"" + hex(colour) + "\" stroke-width=\"" + at(width) +
           "\" stroke-linecap=\"round\" stroke-linejoin=\"round\"";
  };
  const auto visit = [&](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, Lines>) {
      const std::string dash =
          part.pen.dash > 0 ? " stroke-dasharray=\"" + at(part.pen.dash) + " " + at(part.pen.dash / 2) + "\"" : "";
      svg.polygon(part.points,
                  "fill=\"none\" stroke=\"" + hex(part.pen.colour) + "\" stroke-width=\"" + at(part.pen.width) +
                      "\" stroke-linejoin=\"round\"" + (dash.empty() ? " stroke-linecap=\"round\"" : dash),
                  false);
    } else if constexpr (std::is_same_v<Part, Box>) {
      svg.rect(static_cast<double>(part.x), static_cast<double>(part.y), static_cast<double>(part.width),
               static_cast<double>(part.height), "fill=\"" + hex(part.colour) + "\"");
    } else if constexpr (std::is_same_v<Part, Sign>) {
      const std::string fill = "fill=\"" + hex(part.colour) + "\"";
      if (part.mark == Mark::disc) svg.circle(part.x, part.y, part.radius, fill);
      if (part.mark == Mark::ring)
        svg.circle(part.x, part.y, part.radius - 0.5 * mark_stroke(part.radius),
                   "fill=\"#ffffff\" stroke=\"" + hex(part.colour) + "\" stroke-width=\"" +
                       at(mark_stroke(part.radius)) + "\"");
      const MarkShape shape = mark_shape(part.mark, part.x, part.y, part.radius);
      for (const Points& path : shape.paths)
        svg.polygon(path, shape.filled ? fill : stroke(part.colour, mark_stroke(part.radius)), shape.filled);
    } else if constexpr (std::is_same_v<Part, Words>) {
      static constexpr const char* anchors[] = {"start", "middle", "end"};
      const double width = Canvas::text_width(part.text, part.style);
      std::string style = "font-size=\"" + at(part.style.height / 0.72) + "\" fill=\"" + hex(part.style.colour) +
                          "\" text-anchor=\"" + anchors[static_cast<int>(part.style.align)] + "\"";
      if (part.style.bold) style += " font-weight=\"600\"";
      if (width >= 1.5 * part.style.height)
        style += " textLength=\"" + at(width) + "\" lengthAdjust=\"spacingAndGlyphs\"";
      if (part.turn == Turn::none) svg.text(part.x, part.y, part.text, style);
      else
        svg.text(0, 0, part.text,
                 style + " transform=\"translate(" + at(part.x) + " " + at(part.y) + ") rotate(-90)\"");
    } else {
      svg.image(static_cast<double>(part.x), static_cast<double>(part.y), part.picture);
    }
  };
  for (const auto& part : parts_) std::visit(visit, part);
  return std::move(svg).finish();
}

FAULTLINE_INLINE Picture Drawing::raster() const {
  using namespace detail;
  Canvas canvas(width_, height_);
  const auto chain = [&canvas](const Points& points, double width, Colour colour) {
    for (std::size_t i = 1; i < points.size(); ++i)
      canvas.line(points[i - 1].first, points[i - 1].second, points[i].first, points[i].second, width, colour);
  };
  const auto disc = [&canvas](double x, double y, double radius, Colour colour) {
    canvas.line(x, y, x, y, 2 * radius, colour);
  };
  const auto visit = [&](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, Lines>) {
      for (const Points& dash : dashes(part.points, part.pen.dash)) chain(dash, part.pen.width, part.pen.colour);
    } else if constexpr (std::is_same_v<Part, Box>) {
      canvas.fill(part.x, part.y, part.width, part.height, part.colour);
    } else if constexpr (std::is_same_v<Part, Sign>) {
      if (part.mark == Mark::disc || part.mark == Mark::ring) disc(part.x, part.y, part.radius, part.colour);
      if (part.mark == Mark::ring) disc(part.x, part.y, part.radius - mark_stroke(part.radius), palette::paper);
      const MarkShape shape = mark_shape(part.mark, part.x, part.y, part.radius);
      for (const Points& path : shape.paths) {
        if (shape.filled) canvas.polygon(path, part.colour);
        else chain(path, mark_stroke(part.radius), part.colour);
      }
    } else if constexpr (std::is_same_v<Part, Words>) {
      if (part.turn == Turn::none) {
        canvas.text(part.x, part.y, part.text, part.style);
      } else {
        std::int64_t left = 0, top = 0;
        const Picture turned = turned_text(part.text, part.style, left, top);
        canvas.picture(whole(part.x) + left, whole(part.y) + top, turned);
      }
    } else {
      canvas.picture(part.x, part.y, part.picture);
    }
  };
  for (const auto& part : parts_) std::visit(visit, part);
  return canvas.picture();
}

FAULTLINE_INLINE void write_drawing(const Drawing& drawing, const std::filesystem::path& stem) {
  std::filesystem::path path = stem;
  core::write_file_atomically(path += ".svg", drawing.svg());
  path = stem;
  write_png(path += ".png", drawing.raster());
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
