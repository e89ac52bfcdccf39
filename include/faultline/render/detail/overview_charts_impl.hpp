// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The charts that compare findings, and classes.

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/chart_parts.hpp>
#include <faultline/render/report_labels.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// A median distance with its interval (thick) and quartiles (thin); what lies beyond the axis ends in an arrow head.
inline void draw_crossing(RowChart& chart, double y, const Crossing& crossing, const CurveLook& look, bool hollow) {
  const Plot& plot = chart.plot;
  const auto clip = [&](double value) { return std::isfinite(value) ? value : plot.x_upper; };
  chart.drawing.line(plot.x(clip(crossing.quartile_low)), y, plot.x(clip(crossing.quartile_high)), y,
                     {look.colour, 1.4});
  chart.bar(y, clip(crossing.lower), clip(crossing.upper), look.colour, 4.5);
  const bool beyond = !(crossing.sigmas <= plot.x_upper);
  if (beyond || !(crossing.upper <= plot.x_upper) || !(crossing.quartile_high <= plot.x_upper))
    chart.beyond(y, look.colour);
  if (!beyond) draw_mark(chart.drawing, plot.x(crossing.sigmas), y, look, hollow);
}

inline std::string crossing_text(const Crossing& crossing) {
  if (!std::isfinite(crossing.sigmas)) return "median beyond range, " + percent(crossing.crossed_share, 0) + " flip";
  return shown(crossing.sigmas, 2) + " sd (" + shown(crossing.lower, 2) + " to " + shown(crossing.upper, 2) + ")";
}

/// An estimate with its interval on a row.
inline void draw_interval(RowChart& chart, double y, double estimate, double lower, double upper, const CurveLook& look,
                          bool hollow = false) {
  const Plot& plot = chart.plot;
  chart.drawing.line(plot.x(lower), y, plot.x(upper), y, look.pen(3));
  for (const double end : {plot.x(lower), plot.x(upper)}) chart.drawing.line(end, y - 5, end, y + 5, look.pen(3));
  draw_mark(chart.drawing, plot.x(estimate), y, look, hollow);
}

/// "62 % (55 to 68 %)", or that nobody measured it.
inline std::string share_words(const analysis::Attributable& share) {
  if (!share.fraction) return "not measured";
  if (!share.lower || !share.upper) return percent(*share.fraction, 0);
  return percent(*share.fraction, 0) + " (" + shown(100 * *share.lower, 0) + " to " + percent(*share.upper, 0) + ")";
}

}  // namespace detail

FAULTLINE_INLINE std::optional<Drawing> distance_chart(const FailureReport& report) {
  using namespace detail;
  const std::vector<Finding>& findings = report.findings;
  if (findings.empty()) return std::nullopt;
  const auto alone_of = [](const Finding& finding) {
    return finding.carriers.empty() ? nullptr : &finding.carriers.front().threshold;
  };
  double reach = 4;
  for (const Finding& finding : findings) {
    for (const std::optional<Crossing>* crossing : {&finding.threshold.even_odds, &finding.threshold.flip})
      if (*crossing)
        for (const double value : {(*crossing)->sigmas, (*crossing)->upper, (*crossing)->quartile_high})
          if (std::isfinite(value)) reach = std::max(reach, std::min(value * 1.08, 12.0));
    if (const auto* alone = alone_of(finding); alone && *alone) reach = std::max(reach, 10.0);
  }
  RowChart chart(1120, {240, 46, 530, 0, 0, reach, 0, 1}, 58, findings.size(), "Distances to failure of the causes");
  Drawing& drawing = chart.drawing;
  const CurveLook flip{palette::failure}, even_odds{palette::success, Mark::square},
      alone{palette::quiet, Mark::triangle};
  draw_x_axis(drawing, chart.plot, "distance from a well-classified start latent, in standard deviations", 10);
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const Finding& finding = findings[i];
    chart.separate(i);
    chart.name(chart.middle(i), title_of(report, finding), plot_bold);
    const auto one = [&](double offset, const std::optional<Crossing>& crossing, const CurveLook& look, bool hollow,
                         const std::string& name) {
      const double y = chart.top(i) + offset;
      if (crossing) draw_crossing(chart, y, *crossing, look, hollow);
      chart.words(y, name + (crossing ? crossing_text(*crossing) : "not reached by any latent"),
                  {.height = plot_small.height, .colour = look.colour == palette::failure ? failure_ink : look.colour});
    };
    one(13, finding.threshold.flip, flip, false, "flip: ");
    one(29, finding.threshold.even_odds, even_odds, true, "p = .5: ");
    if (const auto* own = alone_of(finding); own && *own) one(45, (*own)->flip, alone, false, "channel alone: ");
  }
  double x = draw_legend_entry(drawing, chart.plot.left, 22, flip, "the answer flips");
  x = draw_legend_entry(drawing, x, 22, even_odds, "p(y) falls to .5", true);
  draw_legend_entry(drawing, x, 22, alone, "first carrier channel alone, flip");
  return std::move(drawing);
}

FAULTLINE_INLINE std::optional<Drawing> attributable_chart(const FailureReport& report) {
  using namespace detail;
  struct Row {
    std::string name;
    const analysis::Attributable* share;
  };
  std::vector<Row> rows;
  for (const Finding& finding : report.findings)
    if (finding.attributable.fraction) rows.push_back({title_of(report, finding), &finding.attributable});
  if (rows.empty()) return std::nullopt;
  if (rows.size() > 1 && report.attributable_together.fraction)
    rows.push_back({"all together", &report.attributable_together});
  double lowest = 0;
  for (const Row& row : rows)
    for (const double value : {*row.share->fraction, row.share->lower.value_or(0.0)})
      if (std::isfinite(value)) lowest = std::min(lowest, std::max(-1.0, value));
  RowChart chart(1120, {240, 14, 620, 0, lowest, 1, 0, 1}, 34, rows.size(),
                 "Share of the failures that would not occur");
  draw_x_axis(chart.drawing, chart.plot,
              "share of the failures that would not occur at the usual level, in %, with 95 % interval", 10, 100);
  chart.mark_value(0);
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const analysis::Attributable& share = *rows[i].share;
    const double y = chart.middle(i);
    chart.name(y, rows[i].name, plot_bold);
    draw_interval(chart, y, *share.fraction, share.lower.value_or(*share.fraction),
                  share.upper.value_or(*share.fraction),
                  {&share == &report.attributable_together ? palette::ink : palette::failure});
    chart.words(y, share_words(share), plot_text);
  }
  return std::move(chart.drawing);
}

FAULTLINE_INLINE std::optional<Drawing> intervention_chart(const FailureReport& report) {
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
  if (rows.empty()) return std::nullopt;
  double lowest = -0.02, highest = 0.1;
  for (const Row& row : rows) {
    const analysis::Intervention& e = row.finding->intervention;
    for (const double value : {*e.effect, *e.lower, *e.upper, e.placebo.value_or(0.0), e.min_effect.value_or(0.0)})
      if (std::isfinite(value)) lowest = std::min(lowest, value), highest = std::max(highest, value);
  }
  RowChart chart(1120, {240, 46, 520, 0, std::max(-1.0, lowest), std::min(1.0, highest), 0, 1}, 36, rows.size(),
                 "What moving each condition does to the failure rate");
  Drawing& drawing = chart.drawing;
  const Plot& plot = chart.plot;
  const Pen counts_from{palette::quiet, 1.5, 3, 2};
  const Colour random{223, 227, 231};
  draw_x_axis(drawing, plot, "change of the failure rate on valid images, in percentage points, when they are moved",
              10, 100);
  chart.mark_value(0);
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const analysis::Intervention& e = rows[i].finding->intervention;
    const bool cause = rows[i].kind[0] == 'c';
    const double y = chart.middle(i);
    chart.name(y, title_of(report, *rows[i].finding), cause ? plot_bold : plot_text);
    if (e.placebo) drawing.rectangle(plot.x(0), y - 9, plot.x(*e.placebo) - plot.x(0), 18, random);
    if (e.min_effect) drawing.line(plot.x(*e.min_effect), y - 12, plot.x(*e.min_effect), y + 12, counts_from);
    draw_interval(chart, y, *e.effect, *e.lower, *e.upper,
                  cause ? CurveLook{palette::failure} : CurveLook{palette::quiet, Mark::square}, !cause);
    chart.words(y, signed_shown(100 * *e.effect, 1) + " (" + signed_shown(100 * *e.lower, 1) + " to " +
                       signed_shown(100 * *e.upper, 1) + "): " + rows[i].kind);
  }
  draw_mark(drawing, plot.left + 6, 18, {palette::failure});
  drawing.text(plot.left + 16, 22, "effect, with bounds for all conditions together", plot_text);
  drawing.line(plot.left + 380, 8, plot.left + 380, 28, counts_from);
  drawing.text(plot.left + 388, 22, "what counts as an effect", plot_text);
  drawing.rectangle(plot.left + 560, 10, 24, 16, random);
  drawing.text(plot.left + 592, 22, "95 % of random directions stay below", plot_text);
  return std::move(drawing);
}

FAULTLINE_INLINE std::optional<Drawing> class_chart(const FailureReport& report) {
  using namespace detail;
  if (report.class_rates.empty()) return std::nullopt;
  double highest = std::max(0.02, report.failure_rate.upper);
  for (const Rate& rate : report.class_rates)
    if (rate.n > 0) highest = std::max(highest, rate.upper);
  const std::vector<std::int64_t> classes = shown_classes(report);
  RowChart chart(560, {110, 26, 432, 0, 0, std::min(1.0, highest * 1.06), 0, 1}, 24, classes.size(),
                 "Failure rate per class");
  const Plot& plot = chart.plot;
  draw_x_axis(chart.drawing, plot, "failure rate in %; the intervals hold for all classes together", 6, 100);
  chart.mark_value(report.failure_rate.estimate, {palette::quiet, 1, 4, 3}, 6);
  chart.drawing.text(std::clamp(plot.x(report.failure_rate.estimate), plot.left + 28, plot.right() - 28), plot.top - 10,
                     "all classes", {.height = plot_small.height, .colour = palette::quiet, .align = Align::centre});
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const Rate& rate = report.class_rates[static_cast<std::size_t>(classes[i])];
    chart.name(chart.middle(i), class_name(report, classes[i]), plot_text);
    if (rate.n == 0) continue;
    chart.bar(chart.middle(i), rate.lower, rate.upper, palette::success, 3);
    draw_mark(chart.drawing, plot.x(rate.estimate), chart.middle(i), {palette::success});
  }
  return std::move(chart.drawing);
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
