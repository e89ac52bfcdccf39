// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The figure of render/conditions_report.hpp: failure rate against a property.

#include <faultline/error.hpp>
#include <faultline/render/conditions_report.hpp>
#include <faultline/render/detail/figure_parts.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline constexpr std::size_t most_curves = 4;  // that stay apart

/// The part of the axis that is drawn: outer bins reach as far beyond their medians as before them, so that a few
/// extreme values do not squeeze the rest.
[[nodiscard]] inline std::pair<double, double> response_range(std::span<const ResponseCurve> curves) {
  double lower = std::numeric_limits<double>::infinity(), upper = -lower;
  for (const ResponseCurve& curve : curves) {
    std::vector<const analysis::ResponseBin*> filled;
    for (const analysis::ResponseBin& bin : curve.bins)
      if (bin.median) filled.push_back(&bin);
    if (filled.empty())
      throw Error(ErrorCode::invalid_argument, "response_figure",
                  "a curve of \"" + curve.property + "\" has no samples");
    const analysis::ResponseBin &first = *filled.front(), &last = *filled.back();
    const bool single = filled.size() == 1;
    lower = std::min(lower, single ? first.lower : std::max(first.lower, 2.0 * *first.median - first.upper));
    upper = std::max(upper, single ? last.upper : std::min(last.upper, 2.0 * *last.median - last.lower));
    lower = std::min(lower, *first.median), upper = std::max(upper, *last.median);
  }
  const double room = upper > lower ? 0.02 * (upper - lower) : std::max(0.5, 1e-3 * std::abs(lower));
  return {lower - room, upper + room};
}

/// "blur, px".
[[nodiscard]] inline std::string axis_title(const ResponseCurve& curve) {
  return axis_name(curve.property, curve.unit);
}

}  // namespace detail

FAULTLINE_INLINE Drawing response_figure(std::span<const ResponseCurve> curves, std::span<const std::string> legend) {
  using namespace detail;
  if (curves.empty() || curves.size() > most_curves)
    throw Error(ErrorCode::invalid_argument, "response_figure",
                "expected 1 to 4 curves, got " + std::to_string(curves.size()));
  const auto [lower, upper] = response_range(curves);
  double highest = 0.0;
  for (const ResponseCurve& curve : curves)
    for (const analysis::ResponseBin& bin : curve.bins)
      if (bin.median) highest = std::max(highest, bin.rate.upper);
  const bool adjusts = curves.size() == 1 && curves.front().bins.front().adjusted.has_value();
  for (const ResponseCurve& curve : curves)
    for (const analysis::ResponseBin& bin : curve.bins) highest = std::max(highest, bin.adjusted.value_or(0.0));
  const bool named = adjusts || curves.size() > 1 || !legend.empty() || !curves.front().among.empty();
  const double top = named ? 44 : 22;
  Drawing drawing(760, static_cast<std::int64_t>(top) + 310, "Failure rate against " + axis_title(curves.front()));
  const Plot plot{72, top, 660, 250, lower, upper, 0.0, std::min(1.0, 1.05 * highest)};
  draw_y_axis(drawing, plot, "failure rate", 100.0, "\u00A0%");
  draw_x_axis(drawing, plot, axis_title(curves.front()));
  if (curves.size() == 1 && !adjusts) {
    double failures = 0, n = 0;
    for (const analysis::ResponseBin& bin : curves.front().bins)
      failures += static_cast<double>(bin.rate.failures), n += static_cast<double>(bin.rate.n);
    const double y = plot.y(failures / n);
    drawing.line(plot.left, y, plot.right(), y, {palette::quiet, 1.0, 4});
    drawing.text(plot.right(), y - 5, "all", aligned(plot_quiet, Align::right));
  }
  const CurveLook alike{palette::quiet, Mark::ring, 4};
  double x = plot.left;
  const double room = plot.width / static_cast<double>(adjusts ? 2 : curves.size()) - 18;
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const CurveLook look = look_of(c);
    std::vector<std::pair<double, double>> points, adjusted;
    for (const analysis::ResponseBin& bin : curves[c].bins) {
      if (!bin.median) continue;
      const double at = plot.x(*bin.median);
      points.emplace_back(at, plot.y(bin.rate.estimate));
      if (bin.adjusted) adjusted.emplace_back(at, plot.y(*bin.adjusted));
      const double low = plot.y(bin.rate.lower), high = plot.y(bin.rate.upper);
      drawing.line(at, low, at, high, {look.colour, 1.4});
      for (const double end : {low, high}) drawing.line(at - 3, end, at + 3, end, {look.colour, 1.4});
    }
    if (adjusts) draw_curve(drawing, adjusted, alike);
    draw_curve(drawing, points, look);
    if (!named) continue;
    const std::string& own = c < legend.size() ? legend[c] : curves[c].among;
    x = draw_legend_entry(drawing, x, 24, look, own.empty() ? "failure rate" : own, false, room);
  }
  if (adjusts) draw_legend_entry(drawing, x, 24, alike, "images alike in the other conditions", false, room);
  return drawing;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
