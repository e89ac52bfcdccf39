// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The charts of a comparison: fractions and distances side by side, and accuracy against distance.

#include <faultline/render/detail/chart_parts.hpp>
#include <faultline/render/detail/html_findings.hpp>
#include <faultline/render/charts.hpp>
#include <faultline/render/comparison_report.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// The names of all classifiers, in equal shares of what is left of a line.
inline void draw_classifier_legend(Drawing& drawing, double x, const std::vector<std::string>& names) {
  const double room = (static_cast<double>(drawing.width()) - 16 - x) / static_cast<double>(names.size());
  for (std::size_t c = 0; c < names.size(); ++c)
    x = draw_legend_entry(drawing, x, 22, look_of(c), names[c], false, room - 18);
}

/// Rows of what was measured for every classifier, below one another.
struct ComparedRows : RowChart {
  static constexpr double line = 17.0;

  ComparedRows(const ComparisonReport& report, std::size_t all, double lower, double upper, std::string description)
      : RowChart(1120, {270, 46, 560, 0, lower, upper, 0, 1},
                 line * static_cast<double>(report.classifiers.size()) + 16.0, all, std::move(description)) {
    std::vector<std::string> names;
    for (const ComparedClassifier& classifier : report.classifiers) names.push_back(classifier.name);
    draw_classifier_legend(drawing, plot.left, names);
  }
  /// Where the value of one classifier lies.
  [[nodiscard]] double at(std::size_t row, std::size_t classifier) const {
    return top(row) + 8 + line * (static_cast<double>(classifier) + 0.5);
  }
  /// Names the row: its condition and, unless it is empty, whose cause that is.
  void head(std::size_t row, const std::string& title, const std::string& source) {
    separate(row);
    name(middle(row) - (source.empty() ? 0 : 7), title, plot_bold);
    if (!source.empty())
      name(middle(row) + 8, "cause of " + source, {.height = plot_small.height, .colour = palette::quiet});
  }
};

/// "2.92 sd (2.70 to 3.10)", or why there is no number.
inline std::string compared_text(const analysis::ComparedDistance& d) {
  if (!std::isfinite(d.sigmas)) return "beyond 10 sd (" + percent(d.crossed_share, 0) + " flip)";
  return shown(d.sigmas, 2) + "\u00A0sd (" + shown(d.lower, 2) + " to " + shown(d.upper, 2) + ")";
}

}  // namespace detail

FAULTLINE_INLINE std::optional<Drawing> paired_fraction_chart(const ComparisonReport& report) {
  using namespace detail;
  if (report.fractions.empty()) return std::nullopt;
  double lowest = 0.0;
  for (const analysis::PairedFraction& fraction : report.fractions)
    for (const analysis::Attributable& own : fraction.fractions) lowest = std::min(lowest, own.lower.value_or(0.0));
  lowest = std::max(-1.0, std::floor(lowest * 5.0) / 5.0);
  ComparedRows chart(
      report, report.fractions.size(), lowest, 1.0,
      "Share of the failures of every classifier that would not occur with each cause at its usual level");
  draw_x_axis(chart.drawing, chart.plot, "failures that would not occur with the cause at its usual level, %", 10, 100);
  chart.mark_value(0);
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const analysis::PairedFraction& fraction = report.fractions[i];
    chart.head(i, fraction.title, fraction.source);
    for (std::size_t c = 0; c < fraction.fractions.size(); ++c) {
      const analysis::Attributable& own = fraction.fractions[c];
      const double at = chart.at(i, c);
      if (own.fraction) {
        const CurveLook look = look_of(c);
        chart.bar(at, own.lower.value_or(-1.0), own.upper.value_or(1.0), look.colour);
        draw_mark(chart.drawing, chart.plot.x(*own.fraction), at, look, *own.fraction < lowest);
      }
      chart.words(at, own.fraction ? share_text(own) : std::string("did not fail"));
    }
  }
  return std::move(chart.drawing);
}

FAULTLINE_INLINE std::optional<Drawing> paired_distance_chart(const ComparisonReport& report) {
  using namespace detail;
  std::vector<const analysis::PairedDistance*> rows;
  for (const analysis::PairedDistance& direction : report.distances)
    if (!direction.distances.empty()) rows.push_back(&direction);
  if (rows.empty()) return std::nullopt;
  constexpr double reach = 10.0;
  ComparedRows chart(report, rows.size(), 0, reach, "Distances to the flip of all classifiers, along every direction");
  draw_x_axis(chart.drawing, chart.plot,
              "distance to the flip from start latents that all classifiers get right, in standard deviations", 10);
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const analysis::PairedDistance& direction = *rows[i];
    chart.head(i, direction.title, direction.source == "property" ? std::string() : direction.source);
    for (std::size_t c = 0; c < direction.distances.size(); ++c) {
      const analysis::ComparedDistance& d = direction.distances[c];
      const CurveLook look = look_of(c);
      const double at = chart.at(i, c);
      chart.bar(at, d.lower, d.upper, look.colour);
      if (d.sigmas <= reach) draw_mark(chart.drawing, chart.plot.x(d.sigmas), at, look, d.off_manifold);
      else chart.beyond(at, look.colour);
      chart.words(at, compared_text(d));
    }
  }
  return std::move(chart.drawing);
}

FAULTLINE_INLINE std::optional<Drawing> accuracy_chart(const ComparisonReport& report) {
  using namespace detail;
  std::vector<const analysis::AccuracyCurve*> curves;
  for (const analysis::AccuracyCurve& curve : report.accuracy)
    if (!curve.class_label && !curve.bins.empty()) curves.push_back(&curve);
  if (curves.empty()) return std::nullopt;
  const std::vector<analysis::AccuracyBin>& bins = curves.front()->bins;
  const double width = bins.size() > 2 ? bins[1].upper - bins[1].lower : bins.size() == 2 ? bins[0].upper / 2 : 1.0;
  if (!(width > 0.0)) return std::nullopt;
  const auto centre = [&](std::size_t b) {
    return b == 0 ? (bins.size() == 1 ? 0.5 : bins[0].upper - width / 2) : bins[b].lower + width / 2;
  };
  double lowest = 1.0;
  for (const analysis::AccuracyCurve* curve : curves)
    for (const analysis::AccuracyBin& bin : curve->bins)
      if (bin.rate.n > 0) lowest = std::min(lowest, 1.0 - bin.rate.upper);
  Drawing drawing(1120, 360, "Accuracy against distance from the well-classified centre");
  const Plot plot{70,
                  46,
                  1020,
                  250,
                  centre(0) - width / 2,
                  centre(bins.size() - 1) + width / 2,
                  std::max(0.0, std::floor(lowest * 20.0) / 20.0),
                  1.0};
  draw_x_axis(drawing, plot,
              "distance from the well-classified centre of the class (1 = a typical sample); the first bin begins at "
              "0, the last is open",
              10);
  draw_y_axis(drawing, plot, "accuracy", 100.0, "\u00A0%");
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const CurveLook look = look_of(c);
    std::vector<double> xs, ys;
    const double aside = (static_cast<double>(c) - 0.5 * static_cast<double>(curves.size() - 1)) * 0.06 * width;
    for (std::size_t b = 0; b < bins.size(); ++b) {
      const Rate& rate = curves[c]->bins[b].rate;
      if (rate.n == 0) continue;
      xs.push_back(centre(b) + aside);
      ys.push_back(1.0 - rate.estimate);
      drawing.line(plot.x(xs.back()), plot.y(1.0 - rate.upper), plot.x(xs.back()), plot.y(1.0 - rate.lower),
                   {look.colour, 1.4});
    }
    draw_curve(drawing, plot, xs, ys, look);
  }
  std::vector<std::string> names;
  for (const analysis::AccuracyCurve* curve : curves) names.push_back(curve->name);
  draw_classifier_legend(drawing, plot.left, names);
  return drawing;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
