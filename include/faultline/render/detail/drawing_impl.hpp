// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/drawing.hpp.

#include <faultline/render/drawing.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/render/detail/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace faultline {
inline namespace v1 {
namespace render {

namespace detail {

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

/// Cuts a chain of lines into its dashes, whose round ends reach beyond them by half of the pen's width.
inline std::vector<Points> dashes(const Points& points, const Pen& pen) {
  if (!(pen.dash > 0.0)) return {points};
  const double length_on = std::max(pen.dash - pen.width, 0.1),
               length_off = pen.dash + (pen.gap > 0.0 ? pen.gap : 0.5 * pen.dash) - length_on;
  std::vector<Points> out;
  bool on = true;
  double left = length_on;
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
      left = on ? length_on : length_off;
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

/// One attribute of an SVG element. Texts come from this library, but for those that were escaped.
inline std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + std::string(value) + "\"";
}
inline std::string attribute(std::string_view name, double value) { return attribute(name, at(value)); }
inline std::string attribute(std::string_view name, Colour colour) { return attribute(name, hex(colour)); }
inline std::string attribute(const Points& points) {
  std::string list;
  for (const auto& [x, y] : points) list += (list.empty() ? "" : " ") + at(x) + "," + at(y);
  return attribute("points", list);
}

inline std::string stroke(const Pen& pen) {
  std::string out = attribute("stroke", pen.colour);
  if (pen.width != 1.0) out += attribute("stroke-width", pen.width);
  if (pen.dash > 0.0)
    out += attribute("stroke-dasharray", at(pen.dash) + " " + at(pen.gap > 0.0 ? pen.gap : 0.5 * pen.dash)) +
           attribute("stroke-linecap", "butt");
  return out;
}

inline std::string box(double x, double y, double width, double height) {
  return attribute("x", x) + attribute("y", y) + attribute("width", width) + attribute("height", height);
}

inline void leave_finite(Points& points) {
  std::erase_if(points, [](const auto& point) { return !std::isfinite(point.first) || !std::isfinite(point.second); });
}

}  // namespace detail

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
  detail::leave_finite(points);
  if (points.size() > 1) parts_.emplace_back(Lines{std::move(points), pen});
}

FAULTLINE_INLINE void Drawing::polygon(std::vector<std::pair<double, double>> points, Colour fill, double opacity) {
  detail::leave_finite(points);
  if (points.size() > 2) parts_.emplace_back(Area{std::move(points), fill, std::clamp(opacity, 0.0, 1.0)});
}

FAULTLINE_INLINE void Drawing::rectangle(double x, double y, double width, double height, Colour fill) {
  if (!std::isfinite(x + y + width + height)) return;
  const std::int64_t left = detail::whole(x), top = detail::whole(y);
  const Box box{left, top, detail::whole(x + width) - left, detail::whole(y + height) - top, fill};
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
  if (!std::isfinite(x) || !std::isfinite(y)) return;
  const double width = detail::mark_stroke(radius);
  if (mark == Mark::disc || mark == Mark::ring) parts_.emplace_back(Disc{x, y, radius, colour});
  if (mark == Mark::ring) parts_.emplace_back(Disc{x, y, radius - width, palette::paper});
  detail::MarkShape shape = detail::mark_shape(mark, x, y, radius);
  for (detail::Points& path : shape.paths) {
    if (shape.filled) polygon(std::move(path), colour);
    else polyline(std::move(path), {colour, width});
  }
}

FAULTLINE_INLINE double Drawing::text(double x, double y, std::string_view text, const TextStyle& style, Turn turn) {
  return label(x, y, text, std::numeric_limits<double>::infinity(), style, turn);
}

FAULTLINE_INLINE double Drawing::label(double x, double y, std::string_view text, double room, const TextStyle& style,
                                       Turn turn) {
  const std::string whole = valid_utf8(text), shown = Canvas::shortened(whole, room, style);
  if (!shown.empty() && std::isfinite(x) && std::isfinite(y))
    parts_.emplace_back(Words{x, y, shown, shown == whole ? std::string() : whole, style, turn});
  return Canvas::text_width(shown, style);
}

FAULTLINE_INLINE void Drawing::picture(double x, double y, Picture picture) {
  if (!picture.pixels.empty() && std::isfinite(x) && std::isfinite(y))
    parts_.emplace_back(Image{detail::whole(x), detail::whole(y), std::move(picture)});
}

FAULTLINE_INLINE std::string Drawing::svg() const {
  using namespace detail;
  const auto width = static_cast<double>(width_), height = static_cast<double>(height_);
  std::string out = "<svg" + attribute("xmlns", "http://www.w3.org/2000/svg") +
                    attribute("viewBox", "0 0 " + at(width) + " " + at(height)) + attribute("width", width) +
                    attribute("height", height) + attribute("role", "img") +
                    attribute("aria-label", escape(valid_utf8(description_))) +
                    attribute("font-family", "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif") +
                    attribute("font-size", "12") + attribute("fill", palette::ink) +
                    attribute("stroke-linecap", "round") + attribute("stroke-linejoin", "round") + ">\n<rect" +
                    box(0, 0, width, height) + attribute("fill", palette::paper) + "/>\n";
  const auto visit = [&](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, Lines>) {
      const auto& [x0, y0] = part.points.front();
      const auto& [x1, y1] = part.points.back();
      if (part.points.size() == 2)
        out += "<line" + attribute("x1", x0) + attribute("y1", y0) + attribute("x2", x1) + attribute("y2", y1);
      else out += "<polyline" + attribute(part.points) + attribute("fill", "none");
      out += stroke(part.pen) + "/>\n";
    } else if constexpr (std::is_same_v<Part, Area>) {
      out += "<polygon" + attribute(part.points) + attribute("fill", part.colour) +
             (part.opacity < 1.0 ? attribute("fill-opacity", part.opacity) : "") + "/>\n";
    } else if constexpr (std::is_same_v<Part, Box>) {
      out += "<rect" +
             box(static_cast<double>(part.x), static_cast<double>(part.y), static_cast<double>(part.width),
                 static_cast<double>(part.height)) +
             attribute("fill", part.colour) + "/>\n";
    } else if constexpr (std::is_same_v<Part, Disc>) {
      out += "<circle" + attribute("cx", part.x) + attribute("cy", part.y) + attribute("r", part.radius) +
             attribute("fill", part.colour) + "/>\n";
    } else if constexpr (std::is_same_v<Part, Words>) {
      const TextStyle& style = part.style;
      const double length = Canvas::text_width(part.text, style);
      const std::string size = at(style.height / 0.72);
      out += "<text";
      if (part.turn == Turn::none) out += attribute("x", part.x) + attribute("y", part.y);
      else out += attribute("transform", "translate(" + at(part.x) + " " + at(part.y) + ") rotate(-90)");
      if (size != "12") out += attribute("font-size", size);
      if (style.colour != palette::ink) out += attribute("fill", style.colour);
      if (style.align != Align::left) out += attribute("text-anchor", style.align == Align::centre ? "middle" : "end");
      if (style.bold) out += attribute("font-weight", "600");
      if (length >= 1.5 * style.height)
        out += attribute("textLength", length) + attribute("lengthAdjust", "spacingAndGlyphs");
      out += ">" + escape(part.text) + (part.whole.empty() ? "" : "<title>" + escape(part.whole) + "</title>") +
             "</text>\n";
    } else {
      out += "<image" +
             box(static_cast<double>(part.x), static_cast<double>(part.y), static_cast<double>(part.picture.width),
                 static_cast<double>(part.picture.height)) +
             attribute("style", "image-rendering:pixelated") +
             attribute("href", "data:image/png;base64," + base64(data::encode_png(part.picture))) + "/>\n";
    }
  };
  for (const auto& part : parts_) std::visit(visit, part);
  return out + "</svg>\n";
}

FAULTLINE_INLINE Picture Drawing::raster() const {
  using namespace detail;
  Canvas canvas(width_, height_);
  const auto visit = [&](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, Lines>) {
      for (const Points& dash : dashes(part.points, part.pen))
        for (std::size_t i = 1; i < dash.size(); ++i)
          canvas.line(dash[i - 1].first, dash[i - 1].second, dash[i].first, dash[i].second, part.pen.width,
                      part.pen.colour);
    } else if constexpr (std::is_same_v<Part, Area>) {
      canvas.polygon(part.points, part.colour, part.opacity);
    } else if constexpr (std::is_same_v<Part, Box>) {
      canvas.fill(part.x, part.y, part.width, part.height, part.colour);
    } else if constexpr (std::is_same_v<Part, Disc>) {
      canvas.line(part.x, part.y, part.x, part.y, 2 * part.radius, part.colour);
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
