// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The charts of one finding.

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/chart_parts.hpp>

#include <algorithm>
#include <cstddef>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::optional<Drawing> confidence_chart(const FailureReport& report, const Finding& finding) {
  using namespace detail;
  const analysis::Profile& profile = finding.profile;
  if (profile.sigmas.size() < 2) return std::nullopt;
  Drawing drawing(560, 316, "Confidence along " + title_of(report, finding));
  const Plot plot{62, 58, 480, 208, profile.sigmas.front(), profile.sigmas.back(), 0, 1};
  if (const auto& flip = finding.threshold.flip; flip && std::isfinite(flip->sigmas) && flip->sigmas <= plot.x_upper) {
    draw_flip(drawing, plot, flip->sigmas, flip->lower, flip->upper);
    draw_note(drawing, plot, plot.x(flip->sigmas), plot.top - 7, "median flip at " + shown(flip->sigmas, 2) + " sd");
  } else if (flip && std::isfinite(flip->sigmas)) {
    draw_note(drawing, plot, plot.right(), plot.top - 7,
              "median flip at " + shown(flip->sigmas, 2) + " sd, off this axis");
  } else {
    draw_note(drawing, plot, plot.right(), plot.top - 7, "most start latents never flip within range");
  }
  draw_x_axis(drawing, plot, "shift along the direction, in standard deviations (0 = the start latent)");
  draw_y_axis(drawing, plot, "share / probability");
  const CurveLook p{palette::success}, failed{palette::failure, Mark::square, 7, 4},
      agreed{palette::judge, Mark::triangle, 2, 3};
  if (!profile.judge_agreement.empty()) draw_curve(drawing, plot, profile.sigmas, profile.judge_agreement, agreed);
  draw_curve(drawing, plot, profile.sigmas, profile.failure_share, failed);
  draw_curve(drawing, plot, profile.sigmas, profile.probability, p);
  double x = draw_legend_entry(drawing, plot.left, 20, p, "mean p(y)");
  x = draw_legend_entry(drawing, x, 20, failed, "share that fails");
  if (!profile.judge_agreement.empty()) draw_legend_entry(drawing, x, 20, agreed, "judge still agrees");
  return drawing;
}

FAULTLINE_INLINE std::optional<Drawing> histogram_chart(const FailureReport& report, const Finding& finding) {
  using namespace detail;
  const TidyHistogram h = tidy(finding.histogram, 48);
  if (h.failed.empty()) return std::nullopt;
  Drawing drawing(560, 316, "Failures and successes along " + title_of(report, finding));
  const double highest = std::max(*std::max_element(h.failed.begin(), h.failed.end()),
                                  *std::max_element(h.passed.begin(), h.passed.end()));
  const double upper = h.lower + h.width * static_cast<double>(h.failed.size());
  const Plot plot{62, 58, 480, 208, h.lower, upper, 0, highest * 1.08};
  draw_x_axis(drawing, plot, "coordinate along the direction, in standard deviations from the class mean");
  draw_y_axis(drawing, plot, "share of the group per bin", 100, "%");
  const CurveLook passed{palette::success}, failed{.colour = palette::failure, .dash = 5, .gap = 3};
  const auto area = [&](std::vector<std::pair<double, double>> outline, const CurveLook& look) {
    drawing.polygon(outline, look.colour, 0.2);
    drawing.polyline(std::move(outline), look.pen(1.6));
  };
  area(steps(plot, h.lower, h.width, h.passed), passed);
  area(steps(plot, h.lower, h.width, h.failed), failed);
  const auto median = [&](const std::vector<double>& shares, Colour colour) {
    const double x = plot.x(histogram_median(h, shares));
    drawing.polygon({{x, plot.top + 2}, {x - 5, plot.top - 7}, {x + 5, plot.top - 7}}, colour);
  };
  if (h.successes > 0) median(h.passed, palette::success);
  if (h.failures > 0) median(h.failed, palette::failure);
  double x = plot.left;
  const auto entry = [&](const CurveLook& look, const std::string& name) {
    area({{x, 10}, {x + 24, 10}, {x + 24, 22}, {x, 22}, {x, 10}}, look);
    x += 31 + drawing.text(x + 31, 20, name, plot_text) + 20;
  };
  const auto samples = [](double n) { return n < 1e12 ? count(std::llround(n)) : shown(n, 0); };
  entry(passed, "well classified (" + samples(h.successes) + ")");
  entry(failed, "failures (" + samples(h.failures) + ")");
  drawing.text(plot.right(), 42, "triangles: medians", aligned(plot_quiet, Align::right));
  return drawing;
}

FAULTLINE_INLINE std::optional<Drawing> side_effect_chart(const FailureReport& report, const Finding& finding) {
  using namespace detail;
  const auto& effects = finding.side_effects;
  if (effects.empty()) return std::nullopt;
  double reach = 1.0;
  for (const analysis::PropertyEffect& effect : effects)
    if (std::isfinite(effect.strength)) reach = std::max(reach, std::abs(effect.strength) * 1.45);
  RowChart chart(560, {196, 16, 346, 0, -reach, reach, 0, 1}, 26, effects.size(),
                 "Image properties moved by " + title_of(report, finding));
  Drawing& drawing = chart.drawing;
  const Plot& plot = chart.plot;
  drawing.rectangle(plot.x(-0.5), plot.top, plot.x(0.5) - plot.x(-0.5), plot.height, {240, 242, 244});
  draw_x_axis(drawing, plot, "change from −2 sd to +2 sd, in sd of the property", 5);
  chart.mark_value(0);
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const double value = std::isfinite(effects[i].strength) ? effects[i].strength : 0.0, y = chart.middle(i);
    drawing.rectangle(std::min(plot.x(0), plot.x(value)), y - 8, std::abs(plot.x(value) - plot.x(0)), 16,
                      std::abs(value) >= 0.5 ? palette::success : Colour{169, 179, 188});
    chart.name(y, effects[i].name, plot_text);
    drawing.text(plot.x(value) + (value < 0 ? -6 : 6), y + 4, signed_shown(effects[i].strength, 2),
                 aligned(plot_text, value < 0 ? Align::right : Align::left));
  }
  return std::move(drawing);
}

FAULTLINE_INLINE std::optional<Drawing> property_chart(const FailureReport& report, const Finding& finding) {
  using namespace detail;
  if (finding.side_effects.empty() || finding.profile.sigmas.size() < 2) return std::nullopt;
  const std::string& name = finding.side_effects.front().name;
  const auto found = std::find(report.property_names.begin(), report.property_names.end(), name);
  const auto row = static_cast<std::size_t>(found - report.property_names.begin());
  if (found == report.property_names.end() || row >= finding.profile.properties.size()) return std::nullopt;
  const std::vector<double>& values = finding.profile.properties[row];
  Reach reach;
  for (const double value : values) reach.add(value);
  if (reach.empty()) return std::nullopt;
  const double lower = reach.lower, upper = reach.upper, margin = reach.margin(0.08);
  Drawing drawing(560, 286, "Mean " + name + " along " + title_of(report, finding));
  const Plot plot{
      74, 20, 468, 216, finding.profile.sigmas.front(), finding.profile.sigmas.back(), lower - margin, upper + margin};
  draw_x_axis(drawing, plot, "shift along the direction, in standard deviations (0 = the start latent)");
  draw_y_axis(drawing, plot, axis_name("mean " + name, unit_of(report, name)));
  draw_curve(drawing, plot, finding.profile.sigmas, values, {palette::ink});
  return drawing;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
