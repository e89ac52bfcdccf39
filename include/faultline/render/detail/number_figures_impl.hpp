// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The figures of numbers: maps (3), histograms (4), accuracy against distance (7).

#include <faultline/render/figures.hpp>
#include <faultline/render/detail/number_figure_parts.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE Drawing embedding_figure(std::span<const ScatterPanel> panels, std::span<const std::uint8_t> failed) {
  using namespace detail;
  if (panels.empty() || failed.empty())
    throw Error(ErrorCode::empty_input, "embedding_figure", "expected at least one map and one sample");
  for (const ScatterPanel& panel : panels)
    if (panel.points.rows() != static_cast<std::int64_t>(failed.size()) || panel.points.cols() != 2)
      throw Error(ErrorCode::shape_mismatch, "embedding_figure",
                  "the map \"" + panel.title + "\" is [" + std::to_string(panel.points.rows()) + ", " +
                      std::to_string(panel.points.cols()) + "], expected [" + std::to_string(failed.size()) + ", 2]");
  const double size = 392, pitch = size + 18,
               width = 2 * detail::figure_margin + pitch * static_cast<double>(panels.size()) - 18;
  const detail::FigureHead head(
      "Figure 3. Where failures lie in each space of latents",
      "t-SNE of the same samples; the axes of such a map have no unit. AUC: how well one linear rule "
      "in all coordinates of the space, fitted on other samples, ranks failures above successes of "
      "the same class (.5 is chance).",
      std::max(width, 620.0));
  Drawing drawing(whole(std::max(width, 620.0)), whole(head.bottom() + 24 + 48 + size + detail::figure_margin),
                  "Maps of samples by outcome, one per space of latents");
  head.draw(drawing);
  const auto failures =
      static_cast<std::int64_t>(failed.size()) - std::count(failed.begin(), failed.end(), std::uint8_t{0});
  draw_outcome_legend(drawing, detail::figure_margin, head.bottom() + 9, failures,
                      static_cast<std::int64_t>(failed.size()) - failures);
  for (std::size_t i = 0; i < panels.size(); ++i)
    draw_map(drawing, panels[i], failed, detail::figure_margin + pitch * static_cast<double>(i), head.bottom() + 26,
             size);
  return drawing;
}

FAULTLINE_INLINE Drawing histogram_figure(std::span<const ChannelHistogram> top,
                                          std::span<const ChannelHistogram> random) {
  using namespace detail;
  if (top.empty() || random.empty())
    throw Error(ErrorCode::empty_input, "histogram_figure", "expected at least one influential and one random channel");
  const std::size_t columns = std::max(top.size(), random.size());
  const double plot = 330, pitch = plot + 72, row = 290,
               width = std::max(620.0, detail::figure_margin + 60 + pitch * static_cast<double>(columns) - 20);
  const detail::FigureHead head(
      "Figure 4. Values of style channels in MIS and WELL",
      "The most influential channels by the paper's ranking, and random ones. d: difference of the means (MIS \u2212 "
      "WELL) in standard deviations of all samples. AUC: probability that a failure has the larger value.",
      width);
  Drawing drawing(whole(width), whole(head.bottom() + 30 + 2 * (row + 8) + 8),
                  "Histograms of style channels for failures and successes");
  head.draw(drawing);
  double y = head.bottom(), x = detail::figure_margin;
  drawing.line(x, y + 5, x + 26, y + 5, {palette::failure, 2.2});
  const std::string mis = "MIS (" + count(static_cast<std::int64_t>(top.front().failed.size())) + "), line";
  x += 34 + drawing.text(x + 34, y + 9, mis, figure_label) + 28;
  drawing.rectangle(x, y, 26, 10, detail::success_wash);
  drawing.line(x, y, x + 26, y, {palette::success, 1.2});
  drawing.text(x + 34, y + 9, "WELL (" + count(static_cast<std::int64_t>(top.front().passed.size())) + "), area",
               figure_label);
  y += 30;
  for (const bool influential : {true, false}) {
    const std::span<const ChannelHistogram> channels = influential ? top : random;
    drawing.text(detail::figure_margin, y + 11, influential ? "Most influential" : "Random",
                 TextStyle{.height = 9.5, .colour = palette::quiet, .bold = true});
    for (std::size_t i = 0; i < channels.size(); ++i)
      draw_histogram(drawing, channels[i], detail::figure_margin + 56 + pitch * static_cast<double>(i), y + 22, plot,
                     row - 64, i == 0);
    y += row + 8;
  }
  return drawing;
}

FAULTLINE_INLINE Drawing accuracy_figure(std::span<const analysis::AccuracyCurve> curves,
                                         std::span<const std::string> class_names) {
  using namespace detail;
  const detail::AccuracyAxes axes = accuracy_axes(curves);
  std::vector<std::string> names;  // of the classifiers, in order of appearance
  std::map<std::int64_t, std::vector<const analysis::AccuracyCurve*>> panels;  // by class, all classes together first
  for (const analysis::AccuracyCurve& curve : curves) {
    if (std::find(names.begin(), names.end(), curve.name) == names.end()) names.push_back(curve.name);
    panels[curve.class_label ? *curve.class_label : -1].push_back(&curve);
  }
  const std::size_t columns = panels.size() == 1   ? 1
                              : panels.size() <= 4 ? 2
                                                   : 4,
                    rows = (panels.size() + columns - 1) / columns;
  const double room_left = 58,
               plot_width = columns == 1   ? 720
                            : columns == 2 ? 500
                                           : 236,
               plot_height = columns == 1   ? 380
                             : columns == 2 ? 260
                                            : 170,
               pitch_x = plot_width + room_left + 12, pitch_y = plot_height + 76;
  const double width = 2 * detail::figure_margin + pitch_x * static_cast<double>(columns) - 12 + 12;
  const bool open = std::isfinite(axes.last);
  const detail::FigureHead head(
      "Figure 7. Accuracy against distance from the WELL centre",
      std::string(panels.size() > 1 ? "All panels have the same axes. " : "") +
          "Vertical lines are intervals of confidence." +
          (open ? " The shaded bin is open: it holds every sample beyond its left edge." : ""),
      width);
  Drawing drawing(whole(width), whole(head.bottom() + 30 + pitch_y * static_cast<double>(rows) + 8),
                  "Accuracy against distance from the well-classified centre, one curve per classifier");
  head.draw(drawing);
  double x = detail::figure_margin;
  for (std::size_t i = 0; i < names.size(); ++i)
    x = draw_legend_entry(drawing, x, head.bottom() + 9, look_of(i), names[i], false,
                          (width - 2 * figure_margin) / static_cast<double>(names.size()) - 18);
  std::size_t number = 0;
  for (const auto& [label, panel] : panels) {
    const double left = detail::figure_margin + room_left + pitch_x * static_cast<double>(number % columns),
                 top = head.bottom() + 30 + pitch_y * static_cast<double>(number / columns);
    const detail::Plot plot{left, top + 22, plot_width, plot_height, axes.lower, axes.upper, axes.lowest, 1};
    const bool named = label >= 0 && label < static_cast<std::int64_t>(class_names.size());
    const std::string name = named ? class_names[static_cast<std::size_t>(label)] : std::to_string(label);
    drawing.label(left, top + 12, label < 0 ? "all classes" : "class " + name, plot_width, figure_heading);
    if (open)
      drawing.rectangle(plot.x(axes.last), plot.top, plot.right() - plot.x(axes.last), plot.height, palette::wash);
    detail::draw_y_axis(drawing, plot, number % columns == 0 ? "accuracy" : "", 100, "\u00A0%");
    detail::Plot closed = plot;
    if (open) closed.x_upper = axes.last, closed.width = plot.x(axes.last) - plot.left;  // no tick inside the open bin
    drawing.line(plot.left, plot.bottom(), plot.right(), plot.bottom(), {palette::quiet});
    if (closed.x_upper > closed.x_lower) detail::draw_x_axis(drawing, closed, "", columns == 4 ? 4 : 8);
    drawing.text(plot.left + plot.width / 2, plot.bottom() + 36, "distance, standard deviations",
                 aligned(plot_quiet, Align::centre));
    if (open)
      drawing.text(0.5 * (plot.x(axes.last) + plot.right()), plot.bottom() + 17, "\u2192",
                   aligned(plot_text, Align::centre));
    for (const analysis::AccuracyCurve* curve : panel) {
      const auto which = static_cast<std::size_t>(std::find(names.begin(), names.end(), curve->name) - names.begin());
      const CurveLook look = look_of(which);
      // So that intervals stay apart
      const double aside = (static_cast<double>(which) - 0.5 * static_cast<double>(names.size() - 1)) * 4.0;
      std::vector<std::pair<double, double>> points;
      for (const analysis::AccuracyBin& bin : curve->bins) {
        if (bin.rate.n < 1) continue;
        const double middle = plot.x(0.5 * (bin.lower + (std::isinf(bin.upper) ? axes.upper : bin.upper))) + aside;
        drawing.line(middle, plot.y(1.0 - bin.rate.upper), middle, plot.y(1.0 - bin.rate.lower), {look.colour, 1.2});
        points.emplace_back(middle, plot.y(1.0 - bin.rate.estimate));
      }
      draw_curve(drawing, points, look);
    }
    ++number;
  }
  return drawing;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
