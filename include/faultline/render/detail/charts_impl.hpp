// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The charts of one finding.

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/chart_parts.hpp>

#include <algorithm>
#include <cstddef>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string confidence_chart(const FailureReport& report, const Finding& finding) {
  using namespace detail;
  const analysis::Profile& profile = finding.profile;
  if (profile.sigmas.size() < 2) return {};
  detail::Svg svg(560, 316, "Confidence along " + title_of(report, finding));
  const detail::Plot plot{62, 58, 480, 208, profile.sigmas.front(), profile.sigmas.back(), 0, 1};
  if (const auto& flip = finding.threshold.flip; flip && std::isfinite(flip->sigmas) && flip->sigmas <= plot.x_upper) {
    svg.rect(plot.x(flip->lower), plot.top, plot.x(flip->upper) - plot.x(flip->lower), plot.height,
             "fill=\"#d55e00\" fill-opacity=\"0.14\"");
    svg.line(plot.x(flip->sigmas), plot.top, plot.x(flip->sigmas), plot.bottom(),
             "stroke=\"#d55e00\" stroke-width=\"1.5\" stroke-dasharray=\"2 3\"");
    draw_note(svg, plot, plot.x(flip->sigmas), plot.top - 7, "median flip at " + shown(flip->sigmas, 2) + " sd");
  } else if (flip && std::isfinite(flip->sigmas)) {
    draw_note(svg, plot, plot.right(), plot.top - 7, "median flip at " + shown(flip->sigmas, 2) + " sd, off this axis");
  } else {
    draw_note(svg, plot, plot.right(), plot.top - 7, "most start latents never flip within range");
  }
  detail::draw_x_axis(svg, plot, "move along the direction, in standard deviations (0 = the start latent)");
  detail::draw_y_axis(svg, plot, "share / probability");
  const detail::CurveLook p{palette::success, "none", 'o'}, failed{palette::failure, "7 4", 's'},
      agreed{palette::judge, "2 3", 't'};
  if (!profile.judge_agreement.empty()) draw_curve(svg, plot, profile.sigmas, profile.judge_agreement, agreed);
  draw_curve(svg, plot, profile.sigmas, profile.failure_share, failed);
  draw_curve(svg, plot, profile.sigmas, profile.probability, p);
  double x = draw_legend_entry(svg, plot.left, 20, p, "mean p(y)");
  x = draw_legend_entry(svg, x, 20, failed, "share that fails");
  if (!profile.judge_agreement.empty()) draw_legend_entry(svg, x, 20, agreed, "judge still agrees");
  return std::move(svg).finish();
}

FAULTLINE_INLINE std::string histogram_chart(const FailureReport& report, const Finding& finding) {
  using namespace detail;
  const detail::TidyHistogram h = tidy(finding.histogram, 48);
  if (h.failed.empty()) return {};
  detail::Svg svg(560, 316, "Failures and successes along " + title_of(report, finding));
  const double highest = std::max(*std::max_element(h.failed.begin(), h.failed.end()),
                                  *std::max_element(h.passed.begin(), h.passed.end()));
  const double upper = h.lower + h.width * static_cast<double>(h.failed.size());
  const detail::Plot plot{62, 58, 480, 208, h.lower, upper, 0, highest * 1.08};
  detail::draw_x_axis(svg, plot, "coordinate along the direction, in standard deviations from the class mean");
  detail::draw_y_axis(svg, plot, "share of the group per bin", 100, "%");
  const auto steps = [&](const std::vector<double>& shares, Colour colour, const char* dash, const char* opacity) {
    std::vector<std::pair<double, double>> points{{plot.x(h.lower), plot.bottom()}};
    for (std::size_t i = 0; i < shares.size(); ++i) {
      points.emplace_back(plot.x(h.lower + h.width * static_cast<double>(i)), plot.y(shares[i]));
      points.emplace_back(plot.x(h.lower + h.width * static_cast<double>(i + 1)), plot.y(shares[i]));
    }
    points.emplace_back(plot.x(upper), plot.bottom());
    svg.polygon(points, "fill=\"" + hex(colour) + "\" fill-opacity=\"" + opacity + "\" stroke=\"" + hex(colour) +
                            "\" stroke-width=\"1.6\" stroke-dasharray=\"" + dash + "\"");
  };
  steps(h.passed, palette::success, "none", "0.20");
  steps(h.failed, palette::failure, "5 3", "0.20");
  const auto median = [&](const std::vector<double>& shares, Colour colour) {
    const double x = plot.x(histogram_median(h, shares));
    svg.polygon({{x, plot.top + 2}, {x - 5, plot.top - 7}, {x + 5, plot.top - 7}}, "fill=\"" + hex(colour) + "\"");
  };
  if (h.successes > 0) median(h.passed, palette::success);
  if (h.failures > 0) median(h.failed, palette::failure);
  const auto entry = [&](double x, Colour colour, const char* dash, const std::string& name) {
    svg.rect(x, 10, 24, 12,
             "fill=\"" + hex(colour) + "\" fill-opacity=\"0.20\" stroke=\"" + hex(colour) +
                 "\" stroke-width=\"1.6\" stroke-dasharray=\"" + dash + "\"");
    svg.text(x + 31, 20, name);
    return x + 31 + Canvas::text_width(name, {.height = Svg::plain_height}) + 20;
  };
  const auto samples = [](double n) { return n < 1e12 ? count(std::llround(n)) : shown(n, 0); };
  const double next = entry(plot.left, palette::success, "none", "well classified (" + samples(h.successes) + ")");
  entry(next, palette::failure, "5 3", "failures (" + samples(h.failures) + ")");
  svg.text(plot.right(), 42, "triangles: medians", "text-anchor=\"end\" fill=\"#495057\"");
  return std::move(svg).finish();
}

FAULTLINE_INLINE std::string side_effect_chart(const FailureReport& report, const Finding& finding) {
  using namespace detail;
  const auto& effects = finding.side_effects;
  if (effects.empty()) return {};
  double reach = 1.0;
  for (const analysis::PropertyEffect& effect : effects)
    if (std::isfinite(effect.strength)) reach = std::max(reach, std::abs(effect.strength) * 1.45);
  const double row = 26, height = row * static_cast<double>(effects.size());
  detail::Svg svg(560, height + 74, "Image properties moved by " + title_of(report, finding));
  const detail::Plot plot{196, 16, 346, height, -reach, reach, 0, 1};
  svg.rect(plot.x(-0.5), plot.top, plot.x(0.5) - plot.x(-0.5), plot.height, "fill=\"#f0f2f4\"");
  detail::draw_x_axis(svg, plot, "change from −2 sd to +2 sd, in sd of the property", 5);
  svg.line(plot.x(0), plot.top, plot.x(0), plot.bottom(), "stroke=\"#626a73\"");
  for (std::size_t i = 0; i < effects.size(); ++i) {
    const double value = std::isfinite(effects[i].strength) ? effects[i].strength : 0.0,
                 y = plot.top + row * static_cast<double>(i);
    const bool strong = std::abs(value) >= 0.5;
    svg.rect(std::min(plot.x(0), plot.x(value)), y + 5, std::abs(plot.x(value) - plot.x(0)), row - 10,
             strong ? "fill=\"#0072b2\"" : "fill=\"#a9b3bc\"");
    svg.label(plot.left - 10, y + row / 2 + 4, effects[i].name, plot.left - 14, "text-anchor=\"end\"");
    svg.text(plot.x(value) + (value < 0 ? -6 : 6), y + row / 2 + 4, signed_shown(effects[i].strength, 2),
             value < 0 ? "text-anchor=\"end\"" : "");
  }
  return std::move(svg).finish();
}

FAULTLINE_INLINE std::string property_chart(const FailureReport& report, const Finding& finding) {
  using namespace detail;
  if (finding.side_effects.empty() || finding.profile.sigmas.size() < 2) return {};
  const std::string& name = finding.side_effects.front().name;
  const auto found = std::find(report.property_names.begin(), report.property_names.end(), name);
  const auto row = static_cast<std::size_t>(found - report.property_names.begin());
  if (found == report.property_names.end() || row >= finding.profile.properties.size()) return {};
  const std::vector<double>& values = finding.profile.properties[row];
  Reach reach;
  for (const double value : values) reach.add(value);
  if (reach.empty()) return {};
  const double lower = reach.lower, upper = reach.upper, margin = reach.margin(0.08);
  detail::Svg svg(560, 286, "Mean " + name + " along " + title_of(report, finding));
  const detail::Plot plot{
      74, 20, 468, 216, finding.profile.sigmas.front(), finding.profile.sigmas.back(), lower - margin, upper + margin};
  detail::draw_x_axis(svg, plot, "move along the direction, in standard deviations (0 = the start latent)");
  detail::draw_y_axis(svg, plot, "mean " + name);
  draw_curve(svg, plot, finding.profile.sigmas, values, {palette::ink, "none", 'o'});
  return std::move(svg).finish();
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
