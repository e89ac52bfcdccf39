// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What several charts are drawn with.

#include <faultline/render/charts.hpp>

#include <faultline/render/detail/svg.hpp>
#include <faultline/render/titles.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Colour, dash and marker of a curve: three ways to tell it from the others.
struct CurveLook {
  Colour colour;
  const char* dash;
  char marker;  // 'o' circle, 's' square, 't' triangle
};

inline void draw_marker(Svg& svg, double x, double y, const CurveLook& look, bool hollow = false) {
  const std::string paint = hollow ? "fill=\"#ffffff\" stroke=\"" + hex(look.colour) + "\" stroke-width=\"2\""
                                   : "fill=\"" + hex(look.colour) + "\"";
  if (look.marker == 's') svg.rect(x - 3.2, y - 3.2, 6.4, 6.4, paint);
  else if (look.marker == 't') svg.polygon({{x, y - 4.4}, {x + 4.4, y + 3.4}, {x - 4.4, y + 3.4}}, paint);
  else svg.circle(x, y, 3.6, paint);
}

inline void draw_curve(Svg& svg, const Plot& plot, const std::vector<double>& xs, const std::vector<double>& ys,
                       const CurveLook& look) {
  std::vector<std::pair<double, double>> points;
  for (std::size_t i = 0; i < std::min(xs.size(), ys.size()); ++i)
    if (std::isfinite(ys[i])) points.emplace_back(plot.x(xs[i]), plot.y(ys[i]));
  if (points.empty()) return;
  svg.polygon(points,
              "fill=\"none\" stroke=\"" + hex(look.colour) +
                  "\" stroke-width=\"2\" stroke-linejoin=\"round\" stroke-dasharray=\"" + look.dash + "\"",
              false);
  for (const auto& [x, y] : points) draw_marker(svg, x, y, look);
}

/// One entry of a legend: a sample of the curve and its name. Returns where the next entry may start.
inline double draw_legend_entry(Svg& svg, double x, double y, const CurveLook& look, std::string_view name) {
  svg.line(
      x, y - 4, x + 26, y - 4,
      "stroke=\"" + hex(look.colour) + "\" stroke-width=\"2\" stroke-dasharray=\"" + std::string(look.dash) + "\"");
  draw_marker(svg, x + 13, y - 4, look);
  svg.text(x + 32, y, name);
  return x + 32 + Canvas::text_width(name, {.height = 9.6}) + 18;
}

/// A short text above a plot, centred at `x` as far as it fits between the plot's ends.
inline void draw_note(Svg& svg, const Plot& plot, double x, double y, std::string_view text) {
  const double half = std::min(Canvas::text_width(text, {.height = Svg::bold_height}), plot.width) / 2;
  svg.label(std::clamp(x, plot.left + half, plot.right() - half), y, text, plot.width,
            "text-anchor=\"middle\" fill=\"#a34700\" font-weight=\"600\"");
}

/// Ends of the range of numbers, leaving out what is not one; empty when nothing is.
struct Reach {
  double lower = std::numeric_limits<double>::infinity(), upper = -lower;
  void add(double value) {
    if (std::isfinite(value)) lower = std::min(lower, value), upper = std::max(upper, value);
  }
  [[nodiscard]] bool empty() const { return !(lower <= upper); }
  /// What an axis leaves free at either end.
  [[nodiscard]] double margin(double share) const {
    return upper > lower ? share * (upper - lower) : std::max(0.1 * std::abs(upper), 0.1);
  }
};

/// A coordinate histogram with at most `limit` bins and without empty ends.
struct TidyHistogram {
  double lower = 0, width = 0;
  std::vector<double> failed, passed;  // shares of each group
  double failures = 0, successes = 0;
};

inline TidyHistogram tidy(const analysis::CoordinateHistogram& raw, std::size_t limit) {
  TidyHistogram out;
  const std::size_t bins = std::min(raw.failed.size(), raw.passed.size());
  // (in floating point, because counts of a file may be as large as they like)
  const auto total = [bins](const std::vector<std::int64_t>& counts) {
    double sum = 0;
    for (std::size_t i = 0; i < bins; ++i) sum += static_cast<double>(counts[i]);
    return sum;
  };
  out.failures = total(raw.failed);
  out.successes = total(raw.passed);
  std::size_t first = 0, last = bins;
  while (first < last && raw.failed[first] == 0 && raw.passed[first] == 0) ++first;
  while (last > first && raw.failed[last - 1] == 0 && raw.passed[last - 1] == 0) --last;
  if (first == last || !(raw.upper > raw.lower) || !std::isfinite(raw.upper - raw.lower)) return out;
  const std::size_t merged = (last - first + limit - 1) / limit;
  const double bin = (raw.upper - raw.lower) / static_cast<double>(bins);
  out.lower = raw.lower + bin * static_cast<double>(first);
  out.width = bin * static_cast<double>(merged);
  for (std::size_t i = first; i < last; i += merged) {
    double failed = 0, passed = 0;
    for (std::size_t j = i; j < std::min(i + merged, last); ++j) {
      failed += static_cast<double>(raw.failed[j]);
      passed += static_cast<double>(raw.passed[j]);
    }
    out.failed.push_back(out.failures > 0 ? failed / out.failures : 0.0);
    out.passed.push_back(out.successes > 0 ? passed / out.successes : 0.0);
  }
  return out;
}

inline double histogram_median(const TidyHistogram& h, const std::vector<double>& shares) {
  double below = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] > 0 && below + shares[i] >= 0.5)
      return h.lower + h.width * (static_cast<double>(i) + (0.5 - below) / shares[i]);
    below += shares[i];
  }
  return h.lower;
}

}  // namespace detail

}  // namespace render
}  // namespace v1
}  // namespace faultline
