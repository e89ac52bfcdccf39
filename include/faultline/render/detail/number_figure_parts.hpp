// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What figures of numbers are drawn with.

#include <faultline/render/detail/figure_parts.hpp>
#include <faultline/render/figures.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// A pale relative of the success colour, for areas.
inline constexpr Colour success_wash{190, 217, 233};

/// MIS and WELL with their counts.
inline void draw_outcome_legend(Drawing& drawing, double x, double y, std::int64_t failures, std::int64_t successes) {
  drawing.mark(x + 5, y - 4, Mark::cross, 5, palette::failure);
  x += 18 + drawing.text(x + 18, y, "MIS: the classifier fails (" + count(failures) + ")", figure_label) + 28;
  drawing.mark(x + 5, y - 4, Mark::disc, 3.4, palette::success);
  drawing.text(x + 16, y, "WELL: it is right (" + count(successes) + ")", figure_label);
}

inline void draw_map(Drawing& drawing, const ScatterPanel& panel, std::span<const std::uint8_t> failed, double left,
                     double top, double size) {
  const paper::Predictability& p = panel.predictability;
  drawing.label(left, top + 12, panel.title, size, figure_heading);
  drawing.text(
      left, top + 31,
      "held-out AUC " + fixed(p.auc, 3) + "  (95\u00A0%: " + fixed(p.lower, 3) + " to " + fixed(p.upper, 3) + ")",
      figure_label);
  top += 42;
  drawing.rectangle(left, top, size, size, palette::wash);
  double x_low = std::numeric_limits<double>::infinity(), x_high = -x_low, y_low = x_low, y_high = -x_low;
  for (std::int64_t i = 0; i < panel.points.rows(); ++i) {
    x_low = std::min(x_low, panel.points(i, 0)), x_high = std::max(x_high, panel.points(i, 0));
    y_low = std::min(y_low, panel.points(i, 1)), y_high = std::max(y_high, panel.points(i, 1));
  }
  // One scale for both axes
  const double reach = 0.5 * std::max({x_high - x_low, y_high - y_low, 1e-300}), scale = (0.5 * size - 10) / reach;
  // In the order of the samples, so that neither outcome hides the other
  for (std::int64_t i = 0; i < panel.points.rows(); ++i) {
    const double x = left + size / 2 + scale * (panel.points(i, 0) - 0.5 * (x_low + x_high)),
                 y = top + size / 2 - scale * (panel.points(i, 1) - 0.5 * (y_low + y_high));
    if (failed[static_cast<std::size_t>(i)] != 0) drawing.mark(x, y, Mark::cross, 3.2, palette::failure);
    else drawing.mark(x, y, Mark::disc, 1.9, palette::success);
  }
}

/// Shares of each group in equal bins over the common range.
struct SharedBins {
  double lower = 0, upper = 1;
  std::vector<double> failed, passed;
};

inline SharedBins shared_bins(const ChannelHistogram& channel, std::size_t bins) {
  SharedBins out;
  out.lower = std::numeric_limits<double>::infinity(), out.upper = -out.lower;
  for (const auto* group : {&channel.failed, &channel.passed})
    for (const double value : *group) {
      if (!std::isfinite(value))
        throw Error(ErrorCode::invalid_argument, "histogram_figure",
                    "channel \"" + channel.title + "\" has a value that is not finite");
      out.lower = std::min(out.lower, value), out.upper = std::max(out.upper, value);
    }
  if (!(out.upper > out.lower)) {  // no values, or one only
    const double middle = std::isfinite(out.lower) ? out.lower : 0.0, half = std::max(0.5, 1e-6 * std::abs(middle));
    out.lower = middle - half, out.upper = middle + half;
  }
  for (const auto& [values, shares] :
       {std::pair{&channel.failed, &out.failed}, std::pair{&channel.passed, &out.passed}}) {
    shares->assign(bins, 0.0);
    for (const double value : *values) {
      const auto bin = static_cast<std::size_t>(std::clamp((value - out.lower) / (out.upper - out.lower), 0.0, 1.0) *
                                                static_cast<double>(bins));
      (*shares)[std::min(bin, bins - 1)] += 1.0 / static_cast<double>(values->size());
    }
  }
  return out;
}

inline void draw_histogram(Drawing& drawing, const ChannelHistogram& channel, double left, double top, double width,
                           double height, bool titled) {
  const SharedBins bins = shared_bins(channel, 36);
  double most = 0.02;
  for (const auto* shares : {&bins.failed, &bins.passed})
    most = std::max(most, *std::max_element(shares->begin(), shares->end()));
  const Plot plot{left, top + 40, width, height - 40, bins.lower, bins.upper, 0, 1.08 * most};
  drawing.label(left, top + 11, channel.title, width, figure_heading);
  drawing.text(left, top + 29, "d = " + signed_shown(channel.effect, 2) + "    AUC " + fixed(channel.auc, 2),
               figure_label);
  draw_y_axis(drawing, plot, titled ? "share of the group" : "", 100, "\u00A0%", 4);
  draw_x_axis(drawing, plot, "value of the channel", 5);
  const double step = (bins.upper - bins.lower) / static_cast<double>(bins.passed.size());
  const auto passed = steps(plot, bins.lower, step, bins.passed);
  drawing.polygon(passed, success_wash);
  drawing.polyline(passed, {palette::success, 1.2});
  drawing.polyline(steps(plot, bins.lower, step, bins.failed), {palette::failure, 2.2});
}

/// The common axes of all panels.
struct AccuracyAxes {
  double lower = 0;   ///< where the first bin with samples starts, or 0 where that is near
  double upper = 0;   ///< where the open bin ends on paper
  double last = 0;    ///< where it starts; infinite without an open bin
  double lowest = 1;  ///< of the accuracy axis
};

inline AccuracyAxes accuracy_axes(std::span<const analysis::AccuracyCurve> curves) {
  constexpr const char* where = "accuracy_figure";
  AccuracyAxes axes{.lower = std::numeric_limits<double>::infinity(), .last = std::numeric_limits<double>::infinity()};
  double closed = 0;
  bool any = false;
  for (const analysis::AccuracyCurve& curve : curves)
    for (std::size_t i = 0; i < curve.bins.size(); ++i) {
      const analysis::AccuracyBin& bin = curve.bins[i];
      if (!std::isfinite(bin.lower) || !(bin.upper > bin.lower) || (i > 0 && bin.lower < curve.bins[i - 1].upper))
        throw Error(ErrorCode::invalid_argument, where, "the bins of \"" + curve.name + "\" do not increase");
      closed = std::max(closed, std::isfinite(bin.upper) ? bin.upper : bin.lower);
      if (std::isinf(bin.upper)) axes.last = std::min(axes.last, bin.lower);
      if (bin.rate.n > 0)
        any = true, axes.lowest = std::min(axes.lowest, 1.0 - bin.rate.upper),
        axes.lower = std::min(axes.lower, bin.lower);
    }
  if (!any) throw Error(ErrorCode::empty_input, where, "expected at least one curve with a bin that has samples");
  if (axes.lower > 0.0 && axes.lower < 0.25 * closed) axes.lower = 0.0;
  axes.upper = std::isfinite(axes.last) ? closed + std::max(0.12 * (closed - axes.lower), 1e-9) : closed;
  axes.lowest = std::clamp(std::floor(axes.lowest * 10 + 1e-9) / 10, 0.0, 0.9);
  return axes;
}

}  // namespace detail

}  // namespace render
}  // namespace v1
}  // namespace faultline
