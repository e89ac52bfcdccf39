// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The charts of a comparison: fractions and distances side by side, and accuracy against distance.

#include <faultline/render/detail/svg.hpp>
#include <faultline/render/detail/chart_parts.hpp>
#include <faultline/render/detail/html_findings.hpp>
#include <faultline/render/charts.hpp>
#include <faultline/render/comparison_report.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Colour, dash and marker of classifier number i; they repeat after six.
inline CurveLook look_of(std::size_t i) {
  static constexpr std::array<CurveLook, 6> looks = {
      CurveLook{palette::failure, "none", 'o'}, CurveLook{palette::success, "7 4", 's'},
      CurveLook{palette::judge, "2 3", 't'},    CurveLook{palette::accent, "none", 's'},
      CurveLook{{146, 100, 0}, "7 4", 't'},     CurveLook{palette::quiet, "2 3", 'o'}};
  return looks[i % looks.size()];
}

inline void draw_classifier_legend(Svg& svg, double x, double y, const std::vector<ComparedClassifier>& classifiers) {
  for (std::size_t c = 0; c < classifiers.size(); ++c)
    x = draw_legend_entry(svg, x, y, look_of(c), classifiers[c].name);
}

/// "2.92 sd (2.70 to 3.10)", or why there is no number.
inline std::string compared_text(const analysis::ComparedDistance& d) {
  if (!std::isfinite(d.sigmas)) return "beyond 10 sd (" + percent(d.crossed_share, 0) + " flip)";
  return shown(d.sigmas, 2) + "\u00A0sd (" + shown(d.lower, 2) + " to " + shown(d.upper, 2) + ")";
}

}  // namespace detail

FAULTLINE_INLINE std::string paired_fraction_chart(const ComparisonReport& report) {
  using namespace detail;
  if (report.fractions.empty()) return {};
  constexpr double line = 17.0;
  const double row = line * static_cast<double>(report.classifiers.size()) + 16.0;
  double lowest = 0.0;
  for (const analysis::PairedFraction& fraction : report.fractions)
    for (const analysis::Attributable& own : fraction.fractions) lowest = std::min(lowest, own.lower.value_or(0.0));
  lowest = std::max(-1.0, std::floor(lowest * 5.0) / 5.0);
  Svg svg(1120, row * static_cast<double>(report.fractions.size()) + 106,
          "Share of the failures of every classifier that would not occur with each cause at its usual level");
  const Plot plot{270, 46, 560, row * static_cast<double>(report.fractions.size()), 100.0 * lowest, 100.0, 0, 1};
  draw_x_axis(svg, plot, "failures that would not occur with the cause at its usual level, %", 10);
  draw_classifier_legend(svg, plot.left, 22, report.classifiers);
  svg.line(plot.x(0.0), plot.top, plot.x(0.0), plot.bottom(), "stroke=\"#868e96\" stroke-width=\"1\"");
  for (std::size_t i = 0; i < report.fractions.size(); ++i) {
    const analysis::PairedFraction& fraction = report.fractions[i];
    const double top = plot.top + row * static_cast<double>(i), y = top + row / 2;
    if (i > 0) svg.line(16, top, 1104, top, "stroke=\"#ced3d8\"");
    const double x = plot.left - 14, room = plot.left - 24;
    svg.label(x, y - 3, fraction.title, room, "text-anchor=\"end\" font-weight=\"600\"");
    svg.label(x, y + 12, "cause of " + fraction.source, room, "text-anchor=\"end\" font-size=\"11\" fill=\"#495057\"");
    for (std::size_t c = 0; c < fraction.fractions.size(); ++c) {
      const analysis::Attributable& own = fraction.fractions[c];
      const double at = top + 8 + line * (static_cast<double>(c) + 0.5);
      if (own.fraction) {
        const CurveLook look = look_of(c);
        const auto inside = [&](double share) { return plot.x(100.0 * std::clamp(share, lowest, 1.0)); };
        svg.line(inside(own.lower.value_or(-1.0)), at, inside(own.upper.value_or(1.0)), at,
                 "stroke=\"" + hex(look.colour) + "\" stroke-width=\"4\" stroke-opacity=\"0.5\"");
        draw_marker(svg, inside(*own.fraction), at, look, *own.fraction < lowest);
      }
      svg.text(plot.right() + 18, at + 4, own.fraction ? share_text(own) : std::string("did not fail"),
               "font-size=\"11\"");
    }
  }
  return std::move(svg).finish();
}

FAULTLINE_INLINE std::string paired_distance_chart(const ComparisonReport& report) {
  using namespace detail;
  std::vector<const analysis::PairedDistance*> rows;
  for (const analysis::PairedDistance& direction : report.distances)
    if (!direction.distances.empty()) rows.push_back(&direction);
  if (rows.empty()) return {};
  constexpr double reach = 10.0, line = 17.0;
  const double row = line * static_cast<double>(report.classifiers.size()) + 16.0;
  detail::Svg svg(1120, row * static_cast<double>(rows.size()) + 106,
                  "Distances to the flip of all classifiers, along every direction");
  const detail::Plot plot{270, 46, 560, row * static_cast<double>(rows.size()), 0, reach, 0, 1};
  detail::draw_x_axis(
      svg, plot, "distance to the flip from start latents that all classifiers get right, in standard deviations", 10);
  draw_classifier_legend(svg, plot.left, 22, report.classifiers);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const analysis::PairedDistance& direction = *rows[i];
    const double top = plot.top + row * static_cast<double>(i);
    if (i > 0) svg.line(16, top, 1104, top, "stroke=\"#ced3d8\"");
    const bool property = direction.source == "property";
    const double x = plot.left - 14, room = plot.left - 24, y = top + row / 2;
    svg.label(x, property ? y + 4 : y - 3, direction.title, room, "text-anchor=\"end\" font-weight=\"600\"");
    if (!property)
      svg.label(x, y + 12, "cause of " + direction.source, room,
                "text-anchor=\"end\" font-size=\"11\" fill=\"#495057\"");
    for (std::size_t c = 0; c < direction.distances.size(); ++c) {
      const analysis::ComparedDistance& d = direction.distances[c];
      const detail::CurveLook look = look_of(c);
      const double at = top + 8 + line * (static_cast<double>(c) + 0.5);
      const std::string colour = hex(look.colour);
      svg.line(plot.x(std::min(d.lower, reach)), at, plot.x(std::min(d.upper, reach)), at,
               "stroke=\"" + colour + "\" stroke-width=\"4\" stroke-opacity=\"0.5\"");
      if (d.sigmas <= reach) detail::draw_marker(svg, plot.x(d.sigmas), at, look, d.off_manifold);
      else
        svg.polygon({{plot.right() + 9, at}, {plot.right(), at - 5}, {plot.right(), at + 5}},
                    "fill=\"" + colour + "\"");
      svg.text(plot.right() + 18, at + 4, compared_text(d), "font-size=\"11\"");
    }
  }
  return std::move(svg).finish();
}

FAULTLINE_INLINE std::string accuracy_chart(const ComparisonReport& report) {
  using namespace detail;
  std::vector<const analysis::AccuracyCurve*> curves;
  for (const analysis::AccuracyCurve& curve : report.accuracy)
    if (!curve.class_label && !curve.bins.empty()) curves.push_back(&curve);
  if (curves.empty()) return {};
  const std::vector<analysis::AccuracyBin>& bins = curves.front()->bins;
  const double width = bins.size() > 2 ? bins[1].upper - bins[1].lower : bins.size() == 2 ? bins[0].upper / 2 : 1.0;
  if (!(width > 0.0)) return {};
  const auto centre = [&](std::size_t b) {
    return b == 0 ? (bins.size() == 1 ? 0.5 : bins[0].upper - width / 2) : bins[b].lower + width / 2;
  };
  double lowest = 1.0;
  for (const analysis::AccuracyCurve* curve : curves)
    for (const analysis::AccuracyBin& bin : curve->bins)
      if (bin.rate.n > 0) lowest = std::min(lowest, 1.0 - bin.rate.upper);
  detail::Svg svg(1120, 360, "Accuracy against distance from the well-classified centre");
  const detail::Plot plot{70,
                          46,
                          1020,
                          250,
                          centre(0) - width / 2,
                          centre(bins.size() - 1) + width / 2,
                          std::max(0.0, std::floor(lowest * 20.0) / 20.0),
                          1.0};
  detail::draw_x_axis(
      svg, plot,
      "distance from the well-classified centre of the class (1 = a typical sample); the first bin begins at "
      "0, the last is open",
      10);
  detail::draw_y_axis(svg, plot, "accuracy", 100.0, "\u00A0%");
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const detail::CurveLook look = look_of(c);
    std::vector<double> xs, ys;
    const double aside = (static_cast<double>(c) - 0.5 * static_cast<double>(curves.size() - 1)) * 0.06 * width;
    for (std::size_t b = 0; b < bins.size(); ++b) {
      const Rate& rate = curves[c]->bins[b].rate;
      if (rate.n == 0) continue;
      xs.push_back(centre(b) + aside);
      ys.push_back(1.0 - rate.estimate);
      svg.line(plot.x(xs.back()), plot.y(1.0 - rate.upper), plot.x(xs.back()), plot.y(1.0 - rate.lower),
               "stroke=\"" + hex(look.colour) + "\" stroke-width=\"1.4\"");
    }
    detail::draw_curve(svg, plot, xs, ys, look);
  }
  double x = plot.left;
  for (std::size_t c = 0; c < curves.size(); ++c)
    x = detail::draw_legend_entry(svg, x, 22, look_of(c), curves[c]->name);
  return std::move(svg).finish();
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
