// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What several charts are drawn with.

#include <faultline/render/charts.hpp>

#include <faultline/render/detail/plot_parts.hpp>
#include <faultline/render/report_labels.hpp>

#include <algorithm>
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

/// A short text above a plot, centred at `x` as far as it fits between the plot's ends.
inline void draw_note(Drawing& drawing, const Plot& plot, double x, double y, std::string_view text) {
  const TextStyle style{.height = plot_bold.height, .colour = failure_ink, .bold = true, .align = Align::centre};
  const double half = std::min(Canvas::text_width(text, style), plot.width) / 2;
  drawing.label(std::clamp(x, plot.left + half, plot.right() - half), y, text, plot.width, style);
}

/// Where images flip: a line at the median, and the range between two other values.
inline void draw_flip(Drawing& drawing, const Plot& plot, double median, double lower, double upper) {
  const double x0 = plot.x(lower), x1 = plot.x(upper), x = plot.x(median);
  drawing.polygon({{x0, plot.top}, {x1, plot.top}, {x1, plot.bottom()}, {x0, plot.bottom()}}, palette::failure, 0.13);
  drawing.line(x, plot.top, x, plot.bottom(), {palette::failure, 1.5, 2, 3});
}

/// A chart of rows, with a name to the left of each and words to the right.
struct RowChart {
  Drawing drawing;
  Plot plot;
  double step;
  std::size_t rows;  ///< that are drawn; a picture has no room for any number of them

  /// `frame` is the plot without its height.
  RowChart(std::int64_t width, Plot frame, double row_step, std::size_t all, std::string description)
      : drawing(width, whole(frame.top + row_step * static_cast<double>(fitting(row_step, all))) + 60,
                std::move(description)),
        plot(frame),
        step(row_step),
        rows(fitting(row_step, all)) {
    plot.height = step * static_cast<double>(rows);
    if (rows < all)
      drawing.text(static_cast<double>(width) - 16, plot.bottom() + 52,
                   "the first " + std::to_string(rows) + " of " + std::to_string(all),
                   aligned(plot_quiet, Align::right));
  }

  [[nodiscard]] double top(std::size_t row) const { return plot.top + step * static_cast<double>(row); }
  [[nodiscard]] double middle(std::size_t row) const { return top(row) + step / 2; }
  void name(double y, std::string_view text, const TextStyle& style) {
    drawing.label(plot.left - 12, y + 4, text, plot.left - 16, aligned(style, Align::right));
  }
  void words(double y, std::string_view text, const TextStyle& style = plot_small) {
    drawing.label(plot.right() + 18, y + 4, text, static_cast<double>(drawing.width()) - plot.right() - 22, style);
  }
  /// A line between this row and the one before.
  void separate(std::size_t row) {
    if (row > 0) drawing.line(16, top(row), static_cast<double>(drawing.width()) - 16, top(row), {palette::faint});
  }
  /// A line at a value, through all rows.
  void mark_value(double value, const Pen& pen = {palette::quiet}, double above = 0) {
    drawing.line(plot.x(value), plot.top - above, plot.x(value), plot.bottom(), pen);
  }
  /// A pale bar between two values.
  void bar(double y, double lower, double upper, Colour colour, double height = 4) {
    const double x = plot.x(lower);
    drawing.polygon(
        {{x, y - height / 2}, {plot.x(upper), y - height / 2}, {plot.x(upper), y + height / 2}, {x, y + height / 2}},
        colour, 0.5);
  }
  /// An arrow head at the end of the axis: the value lies beyond.
  void beyond(double y, Colour colour) {
    drawing.polygon({{plot.right() + 9, y}, {plot.right(), y - 5}, {plot.right(), y + 5}}, colour);
  }

 private:
  static std::size_t fitting(double step, std::size_t all) {
    return std::min(all, static_cast<std::size_t>(19'800 / step));
  }
};

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
