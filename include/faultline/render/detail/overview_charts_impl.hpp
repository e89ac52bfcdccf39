// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The charts that compare findings, and classes.

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/chart_parts.hpp>
#include <faultline/render/detail/svg.hpp>
#include <faultline/render/titles.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// A median distance with its interval (thick) and quartiles (thin); what lies beyond the axis ends in an arrow head.
inline void draw_crossing(Svg& svg, const Plot& plot, double y, const Crossing& crossing, const CurveLook& look,
                          bool hollow) {
  const std::string stroke = "stroke=\"" + hex(look.colour) + "\"";
  const auto clip = [&](double value) { return std::isfinite(value) ? plot.x(value) : plot.right(); };
  svg.line(clip(crossing.quartile_low), y, clip(crossing.quartile_high), y, stroke + " stroke-width=\"1.4\"");
  svg.line(clip(crossing.lower), y, clip(crossing.upper), y, stroke + " stroke-width=\"4.5\" stroke-opacity=\"0.55\"");
  const bool beyond = !(crossing.sigmas <= plot.x_upper);
  if (beyond || !(crossing.upper <= plot.x_upper) || !(crossing.quartile_high <= plot.x_upper))
    svg.polygon({{plot.right() + 9, y}, {plot.right(), y - 5}, {plot.right(), y + 5}},
                "fill=\"" + hex(look.colour) + "\"");
  if (!beyond) draw_marker(svg, plot.x(crossing.sigmas), y, look, hollow);
}

inline std::string crossing_text(const Crossing& crossing) {
  if (!std::isfinite(crossing.sigmas)) return "median beyond range, " + percent(crossing.crossed_share, 0) + " flip";
  return shown(crossing.sigmas, 2) + " sd (" + shown(crossing.lower, 2) + " to " + shown(crossing.upper, 2) + ")";
}

/// The name of a row: the title of its condition.
inline void draw_row_name(Svg& svg, const Plot& plot, double y, const FailureReport& report, const Finding& finding,
                          bool strong) {
  svg.label(plot.left - 14, y + 4, title_of(report, finding), plot.left - 24,
            strong ? "text-anchor=\"end\" font-weight=\"600\"" : "text-anchor=\"end\"");
}

/// An estimate with its interval on a row.
inline void draw_interval(Svg& svg, const Plot& plot, double y, double estimate, double lower, double upper,
                          const CurveLook& look, bool hollow) {
  const std::string stroke = "stroke=\"" + hex(look.colour) + "\" stroke-width=\"3\"";
  svg.line(plot.x(lower), y, plot.x(upper), y, stroke);
  for (const double end : {lower, upper}) svg.line(plot.x(end), y - 6, plot.x(end), y + 6, stroke);
  draw_marker(svg, plot.x(estimate), y, look, hollow);
}

/// "62 % (55 to 68 %)", or that nobody measured it.
inline std::string share_words(const analysis::Attributable& share) {
  if (!share.fraction) return "not measured";
  if (!share.lower || !share.upper) return percent(*share.fraction, 0);
  return percent(*share.fraction, 0) + " (" + shown(100 * *share.lower, 0) + " to " + percent(*share.upper, 0) + ")";
}

}  // namespace detail

FAULTLINE_INLINE std::string distance_chart(const FailureReport& report) {
  using namespace detail;
  std::vector<const Finding*> rows;
  for (const Finding& finding : report.findings) rows.push_back(&finding);
  if (rows.empty()) return {};
  double reach = 4;
  for (const Finding* finding : rows)
    for (const std::optional<Crossing>* crossing : {&finding->threshold.half, &finding->threshold.flip})
      if (*crossing)
        for (const double value : {(*crossing)->sigmas, (*crossing)->upper, (*crossing)->quartile_high})
          if (std::isfinite(value)) reach = std::max(reach, std::min(value * 1.08, 12.0));
  for (const Finding* finding : rows)
    if (!finding->carriers.empty() && finding->carriers.front().threshold) reach = std::max(reach, 10.0);
  const double row = 58;
  detail::Svg svg(1120, row * static_cast<double>(rows.size()) + 106, "Distances to failure of the causes");
  const detail::Plot plot{240, 46, 530, row * static_cast<double>(rows.size()), 0, reach, 0, 1};
  const detail::CurveLook flip{palette::failure, "none", 'o'}, half{palette::success, "none", 's'},
      alone{palette::quiet, "none", 't'};
  detail::draw_x_axis(svg, plot, "distance from a well-classified start latent, in standard deviations", 10);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Finding& finding = *rows[i];
    const double y = plot.top + row * static_cast<double>(i);
    if (i > 0) svg.line(16, y, 1104, y, "stroke=\"#ced3d8\"");
    draw_row_name(svg, plot, y + row / 2, report, finding, true);
    const auto one = [&](double offset, const std::optional<Crossing>& crossing, const detail::CurveLook& look,
                         bool hollow, const char* name) {
      if (crossing) draw_crossing(svg, plot, y + offset, *crossing, look, hollow);
      svg.text(
          plot.right() + 18, y + offset + 4,
          std::string(name) + (crossing ? crossing_text(*crossing) : "not reached by any latent"),
          "font-size=\"11\" fill=\"" + hex(look.colour == palette::failure ? Colour{163, 71, 0} : look.colour) + "\"");
    };
    one(13, finding.threshold.flip, flip, false, "flip: ");
    one(29, finding.threshold.half, half, true, "p = .5: ");
    if (!finding.carriers.empty() && finding.carriers.front().threshold)
      one(45, finding.carriers.front().threshold->flip, alone, false, "channel alone: ");
  }
  double x = detail::draw_legend_entry(svg, plot.left, 22, flip, "the answer flips");
  svg.line(x, 18, x + 26, 18, "stroke=\"#0072b2\" stroke-width=\"2\"");
  detail::draw_marker(svg, x + 13, 18, half, true);
  svg.text(x + 32, 22, "p(y) falls to .5");
  detail::draw_legend_entry(svg, x + 150, 22, alone, "first carrier channel alone, flip");
  return std::move(svg).finish();
}

FAULTLINE_INLINE std::string attributable_chart(const FailureReport& report) {
  using namespace detail;
  struct Row {
    std::string name;
    const analysis::Attributable* share;
  };
  std::vector<Row> rows;
  for (const Finding& finding : report.findings)
    if (finding.attributable.fraction) rows.push_back({title_of(report, finding), &finding.attributable});
  if (rows.empty()) return {};
  if (rows.size() > 1 && report.attributable_together.fraction)
    rows.push_back({"all together", &report.attributable_together});
  double lowest = 0;
  for (const Row& row : rows)
    for (const double value : {*row.share->fraction, row.share->lower.value_or(0.0)})
      if (std::isfinite(value)) lowest = std::min(lowest, std::max(-1.0, value));
  const double step = 34;
  Svg svg(1120, step * static_cast<double>(rows.size()) + 66, "Share of the failures that would not occur");
  const Plot plot{240, 14, 620, step * static_cast<double>(rows.size()), lowest, 1, 0, 1};
  Plot scale = plot;
  scale.x_lower *= 100;
  scale.x_upper *= 100;
  draw_x_axis(svg, scale, "share of the failures that would not occur at the usual level, in %, with 95 % interval",
              10);
  svg.line(plot.x(0), plot.top, plot.x(0), plot.bottom(), "stroke=\"#626a73\"");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const analysis::Attributable& share = *rows[i].share;
    const double y = plot.top + step * (static_cast<double>(i) + 0.5);
    const bool together = &share == &report.attributable_together;
    const Colour colour = together ? palette::ink : palette::failure;
    svg.label(plot.left - 14, y + 4, rows[i].name, plot.left - 24, "text-anchor=\"end\" font-weight=\"600\"");
    draw_interval(svg, plot, y, *share.fraction, share.lower.value_or(*share.fraction),
                  share.upper.value_or(*share.fraction), {colour, "none", 'o'}, false);
    svg.text(plot.right() + 18, y + 4, share_words(share));
  }
  return std::move(svg).finish();
}

FAULTLINE_INLINE std::string intervention_chart(const FailureReport& report) {
  using namespace detail;
  struct Row {
    const Finding* finding;
    const char* kind;
  };
  std::vector<Row> rows;
  const auto add = [&rows](const std::vector<Finding>& list, const char* kind) {
    for (const Finding& finding : list)
      if (finding.intervention.effect && finding.intervention.lower && finding.intervention.upper)
        rows.push_back({&finding, kind});
  };
  add(report.findings, "changes the failure rate");
  add(report.undecided, "undecided");
  add(report.associated, "adds no failures");
  if (rows.empty()) return {};
  double lowest = -0.02, highest = 0.1;
  for (const Row& row : rows) {
    const analysis::Intervention& e = row.finding->intervention;
    for (const double value : {*e.effect, *e.lower, *e.upper, e.placebo.value_or(0.0), e.min_effect.value_or(0.0)})
      if (std::isfinite(value)) lowest = std::min(lowest, value), highest = std::max(highest, value);
  }
  const double step = 36;
  Svg svg(1120, step * static_cast<double>(rows.size()) + 106, "What moving each condition does to the failure rate");
  const Plot plot{240, 46, 520, step * static_cast<double>(rows.size()), std::max(-1.0, lowest), std::min(1.0, highest),
                  0,   1};
  Plot scale = plot;
  scale.x_lower *= 100;
  scale.x_upper *= 100;
  draw_x_axis(svg, scale, "change of the failure rate on valid images, in percentage points, when they are moved", 10);
  svg.line(plot.x(0), plot.top, plot.x(0), plot.bottom(), "stroke=\"#626a73\"");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const analysis::Intervention& e = rows[i].finding->intervention;
    const bool cause = rows[i].kind[0] == 'c';
    const double y = plot.top + step * (static_cast<double>(i) + 0.5);
    draw_row_name(svg, plot, y, report, *rows[i].finding, cause);
    if (e.placebo) svg.rect(plot.x(0), y - 9, plot.x(*e.placebo) - plot.x(0), 18, "fill=\"#dfe3e7\"");
    if (e.min_effect)
      svg.line(plot.x(*e.min_effect), y - 12, plot.x(*e.min_effect), y + 12,
               "stroke=\"#626a73\" stroke-width=\"1.5\" stroke-dasharray=\"3 2\"");
    draw_interval(svg, plot, y, *e.effect, *e.lower, *e.upper,
                  {cause ? palette::failure : palette::quiet, "none", cause ? 'o' : 's'}, !cause);
    svg.text(plot.right() + 18, y + 4,
             signed_shown(100 * *e.effect, 1) + " (" + signed_shown(100 * *e.lower, 1) + " to " +
                 signed_shown(100 * *e.upper, 1) + "): " + rows[i].kind,
             "font-size=\"11\"");
  }
  draw_marker(svg, plot.left + 6, 18, {palette::failure, "none", 'o'});
  svg.text(plot.left + 16, 22, "effect, with bounds for all conditions together");
  svg.line(plot.left + 380, 8, plot.left + 380, 28, "stroke=\"#626a73\" stroke-width=\"1.5\" stroke-dasharray=\"3 2\"");
  svg.text(plot.left + 388, 22, "what counts as an effect");
  svg.rect(plot.left + 560, 10, 24, 16, "fill=\"#dfe3e7\"");
  svg.text(plot.left + 592, 22, "95 % of random directions stay below");
  return std::move(svg).finish();
}

FAULTLINE_INLINE std::string class_chart(const FailureReport& report) {
  using namespace detail;
  if (report.class_rates.empty()) return {};
  double highest = std::max(0.02, report.failure_rate.upper);
  for (const Rate& rate : report.class_rates)
    if (rate.n > 0) highest = std::max(highest, rate.upper);
  const std::vector<std::int64_t> classes = shown_classes(report);
  const double row = 24, height = row * static_cast<double>(classes.size());
  detail::Svg svg(560, height + 82, "Failure rate per class");
  const detail::Plot plot{110, 26, 432, height, 0, std::min(1.0, highest * 1.06), 0, 1};
  detail::Plot scale = plot;
  scale.x_upper *= 100;
  detail::draw_x_axis(svg, scale, "failure rate in %; the intervals hold for all classes together", 6);
  svg.line(plot.x(report.failure_rate.estimate), plot.top - 6, plot.x(report.failure_rate.estimate), plot.bottom(),
           "stroke=\"#626a73\" stroke-dasharray=\"4 3\"");
  svg.text(std::clamp(plot.x(report.failure_rate.estimate), plot.left + 24, plot.right() - 24), plot.top - 10,
           "all classes", "text-anchor=\"middle\" font-size=\"11\" fill=\"#495057\"");
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const Rate& rate = report.class_rates[static_cast<std::size_t>(classes[i])];
    const double y = plot.top + row * (static_cast<double>(i) + 0.5);
    svg.label(plot.left - 10, y + 4, class_name(report, classes[i]), plot.left - 14, "text-anchor=\"end\"");
    if (rate.n == 0) continue;
    svg.line(plot.x(rate.lower), y, plot.x(rate.upper), y,
             "stroke=\"#0072b2\" stroke-width=\"3\" stroke-opacity=\"0.5\"");
    svg.circle(plot.x(rate.estimate), y, 4, "fill=\"#0072b2\"");
  }
  return std::move(svg).finish();
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
