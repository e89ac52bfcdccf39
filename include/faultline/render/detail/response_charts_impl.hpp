// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The charts of how often samples fail as they fall, against one property and against two.

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/chart_parts.hpp>
#include <faultline/render/report_labels.hpp>
#include <faultline/statistics/binomial.hpp>

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

/// Rates of bins at their medians, with intervals.
inline void draw_rates(Drawing& drawing, const Plot& plot, const analysis::ResponseCurve& curve,
                       const CurveLook& look) {
  std::vector<double> medians, rates;
  for (const analysis::ResponseBin& bin : curve.bins) {
    if (!bin.median || !std::isfinite(*bin.median) || !std::isfinite(bin.rate.estimate)) continue;
    const double x = plot.x(*bin.median);
    drawing.line(x, plot.y(bin.rate.lower), x, plot.y(bin.rate.upper), {look.colour, 2});
    medians.push_back(*bin.median);
    rates.push_back(bin.rate.estimate);
  }
  draw_curve(drawing, plot, medians, rates, look);
}

/// A response curve; `where` follows the name of its property, " (class 2)".
inline std::optional<Drawing> draw_response(const analysis::ResponseCurve& curve, const std::string& where,
                                            const std::string& what,
                                            const std::vector<analysis::PropertyAtFlip>& flips) {
  Reach reach;
  double highest = 0.05;
  for (const analysis::ResponseBin& bin : curve.bins) {
    if (bin.median) reach.add(*bin.median);
    if (std::isfinite(bin.rate.upper)) highest = std::max(highest, bin.rate.upper);
  }
  if (reach.empty()) return std::nullopt;
  for (const analysis::PropertyAtFlip& flip : flips) reach.add(flip.quartile_low), reach.add(flip.quartile_high);
  const double margin = reach.margin(0.04);
  const double notes = 16 * static_cast<double>(std::max<std::size_t>(flips.size(), 1) - 1);
  Drawing drawing(560, 316 + whole(notes), what + " against " + curve.property + where);
  const Plot plot{
      62, 40 + notes, 480, 226, reach.lower - margin, reach.upper + margin, 0, std::min(1.0, highest * 1.05)};
  for (std::size_t i = 0; i < flips.size(); ++i) {
    const analysis::PropertyAtFlip& flip = flips[i];
    draw_flip(drawing, plot, flip.median, flip.quartile_low, flip.quartile_high);
    draw_note(drawing, plot, plot.x(flip.median), plot.top - 7 - 16 * static_cast<double>(i),
              "images flip at " + with_unit(measured(flip.median) + " (" + measured(flip.quartile_low) + " to " +
                                                measured(flip.quartile_high) + ")",
                                            flip.unit));
  }
  draw_x_axis(drawing, plot, axis_name(curve.property + where, curve.unit));
  draw_y_axis(drawing, plot, what, 100, " %");
  draw_rates(drawing, plot, curve, {palette::success});
  return drawing;
}

inline void add_flip(std::vector<analysis::PropertyAtFlip>& flips, const analysis::Threshold& threshold,
                     const std::string& property) {
  for (const analysis::PropertyAtFlip& flip : threshold.at_flip)
    if (flip.name == property && std::isfinite(flip.median)) return flips.push_back(flip);
}

/// Whether the cells of a map are there, and as many as the edges say.
inline bool has_cells(const analysis::InteractionFinding& interaction) {
  constexpr std::size_t most = 40;
  const auto fits = [&](const analysis::CountTable& table) {
    return table.counts.size() + 1 == interaction.first_edges.size() &&
           std::all_of(table.counts.begin(), table.counts.end(),
                       [&](const auto& row) { return row.size() + 1 == interaction.second_edges.size(); });
  };
  const std::size_t first = interaction.first_edges.size(), second = interaction.second_edges.size();
  return interaction.properties.size() == 2 && first > 1 && first <= most + 1 && second > 1 && second <= most + 1 &&
         fits(interaction.failures) && fits(interaction.samples);
}

}  // namespace detail

FAULTLINE_INLINE std::optional<Drawing> response_chart(const analysis::ResponseCurve& curve, const std::string& what,
                                                       const std::optional<analysis::PropertyAtFlip>& flip) {
  std::vector<analysis::PropertyAtFlip> flips;
  if (flip && std::isfinite(flip->median)) flips.push_back(*flip);
  const std::string where = curve.class_label ? " (class " + std::to_string(*curve.class_label) + ")" : "";
  return detail::draw_response(curve, where, what, flips);
}

FAULTLINE_INLINE std::optional<Drawing> response_chart(const FailureReport& report, const Finding& finding,
                                                       const analysis::ResponseCurve& curve, const std::string& what) {
  std::vector<analysis::PropertyAtFlip> flips;
  detail::add_flip(flips, finding.threshold, curve.property);
  if (finding.other_end) detail::add_flip(flips, *finding.other_end, curve.property);
  const std::string where = curve.class_label ? " (class " + class_name(report, *curve.class_label) + ")" : "";
  return detail::draw_response(curve, where, what, flips);
}

FAULTLINE_INLINE std::optional<analysis::PropertyAtFlip> flip_of(const Finding& finding,
                                                                 const analysis::ResponseCurve& curve) {
  for (const analysis::PropertyAtFlip& flip : finding.threshold.at_flip)
    if (flip.name == curve.property) return flip;
  return std::nullopt;
}

FAULTLINE_INLINE std::optional<Drawing> property_map_chart(const analysis::InteractionFinding& interaction) {
  using namespace detail;
  if (!has_cells(interaction)) return std::nullopt;
  const std::int64_t rows = interaction.samples.rows(), cols = interaction.samples.cols();
  constexpr std::int64_t least = 20;
  const auto failures = [&](std::int64_t a, std::int64_t b) {
    return std::clamp<std::int64_t>(interaction.failures(a, b), 0, interaction.samples(a, b));
  };
  const auto rate = [&](std::int64_t a, std::int64_t b) {
    return static_cast<double>(failures(a, b)) / static_cast<double>(interaction.samples(a, b));
  };
  double highest = 0.01;
  for (std::int64_t a = 0; a < rows; ++a)
    for (std::int64_t b = 0; b < cols; ++b)
      if (interaction.samples(a, b) >= least) highest = std::max(highest, rate(a, b));
  Drawing drawing(560, 336, "Failure rate against " + interaction.properties[0] + " and " + interaction.properties[1]);
  const Plot plot{96, 14, 430, 240, 0, static_cast<double>(rows), 0, static_cast<double>(cols)};
  const double width = plot.width / plot.x_upper, height = plot.height / plot.y_upper;
  const bool says_rate = width >= 36 && height >= 14, says_interval = width >= 52 && height >= 32;
  const auto cell = [&](double x, double y, Colour frame, Colour fill) {
    drawing.rectangle(x, y, width, height, frame);
    drawing.rectangle(x + 1, y + 1, width - 1, height - 1, fill);
  };
  for (std::int64_t a = 0; a < rows; ++a)
    for (std::int64_t b = 0; b < cols; ++b) {
      const double x = plot.x(static_cast<double>(a)), y = plot.y(static_cast<double>(b + 1));
      if (interaction.samples(a, b) < least) {
        cell(x, y, {222, 226, 230}, {246, 247, 249});
        continue;
      }
      const double share = rate(a, b);
      cell(x, y, palette::paper, mixed(palette::paper, palette::failure, 0.04 + 0.9 * share / highest));
      const Colour colour = share > 0.85 * highest ? palette::paper : palette::ink;
      const double middle = y + height / 2 + (says_interval ? -2 : 4);
      if (says_rate)
        drawing.text(x + width / 2, middle, percent(share, share < 0.095 ? 1 : 0),
                     {.height = plot_small.height, .colour = colour, .align = Align::centre});
      constexpr std::int64_t most =
          1'000'000'000;  // of samples; a file may say more, and limits are not computed of that
      if (!says_interval || interaction.samples(a, b) > most) continue;
      const statistics::Interval bounds = statistics::clopper_pearson(failures(a, b), interaction.samples(a, b));
      drawing.text(x + width / 2, middle + 13, shown(100 * bounds.lower, 0) + " to " + shown(100 * bounds.upper, 0),
                   {.height = 6.5, .colour = colour, .align = Align::centre});
    }
  const auto name = [&](std::size_t which) {
    return axis_name(interaction.properties[which],
                     which < interaction.units.size() ? interaction.units[which] : std::string());
  };
  // Edges are named as far as there is room for their numbers.
  const auto each = [](double step, double room) { return static_cast<std::int64_t>(std::ceil(room / step)); };
  for (std::int64_t a = 0; a <= rows; a += each(width, 52))
    drawing.text(plot.x(static_cast<double>(a)), plot.bottom() + 16,
                 measured(interaction.first_edges[static_cast<std::size_t>(a)]), aligned(plot_small, Align::centre));
  for (std::int64_t b = 0; b <= cols; b += each(height, 14))
    drawing.text(plot.left - 6, plot.y(static_cast<double>(b)) + 4,
                 measured(interaction.second_edges[static_cast<std::size_t>(b)]), aligned(plot_small, Align::right));
  drawing.label(plot.left + plot.width / 2, plot.bottom() + 36, name(0), plot.width,
                aligned(plot_quiet, Align::centre));
  drawing.label(20, plot.top + plot.height / 2, name(1), plot.height + 20, aligned(plot_quiet, Align::centre),
                Turn::upwards);
  drawing.text(plot.left, plot.bottom() + 58,
               std::string("cells: failure rate of valid samples") + (says_interval ? " with 95 % interval" : "") +
                   "; blank below 20 samples",
               {.height = plot_small.height, .colour = palette::quiet});
  return drawing;
}

FAULTLINE_INLINE std::optional<Drawing> real_image_chart(const analysis::RealImageCheck& check) {
  using namespace detail;
  Reach reach;
  double highest = 0.05;
  for (const analysis::ResponseCurve* curve : {&check.generated, &check.real})
    for (const analysis::ResponseBin& bin : curve->bins) {
      if (bin.median) reach.add(*bin.median);
      if (std::isfinite(bin.rate.upper)) highest = std::max(highest, bin.rate.upper);
    }
  for (const double rate : check.predicted)
    if (std::isfinite(rate)) highest = std::max(highest, rate);
  if (reach.empty()) return std::nullopt;
  if (check.flip) reach.add(*check.flip);
  const double margin = reach.margin(0.04);
  Drawing drawing(560, 340, "Failure rate of generated and of real images against " + check.property);
  const Plot plot{62, 64, 480, 226, reach.lower - margin, reach.upper + margin, 0, std::min(1.0, highest * 1.05)};
  if (check.flip && std::isfinite(*check.flip)) {
    draw_flip(drawing, plot, *check.flip, *check.flip, *check.flip);
    draw_note(drawing, plot, plot.x(*check.flip), plot.top - 7,
              "generated images flip at " + with_unit(measured(*check.flip), check.generated.unit));
  }
  draw_x_axis(drawing, plot, axis_name(check.property, check.real.unit));
  draw_y_axis(drawing, plot, "failure rate", 100, " %");
  const CurveLook generated{palette::success}, real{palette::failure, Mark::square, 7, 4};
  draw_rates(drawing, plot, check.generated, generated);
  draw_rates(drawing, plot, check.real, real);
  double next = draw_legend_entry(drawing, plot.left, 20, generated, "generated images");
  next = draw_legend_entry(drawing, next, 20, real, "real images");
  if (check.predicted.size() == check.real.bins.size()) {
    const CurveLook predicted{palette::judge, Mark::triangle, 2, 3};
    std::vector<double> medians, rates;
    for (std::size_t b = 0; b < check.predicted.size(); ++b) {
      if (!check.real.bins[b].median) continue;
      medians.push_back(*check.real.bins[b].median);
      rates.push_back(check.predicted[b]);
    }
    draw_curve(drawing, plot, medians, rates, predicted);
    draw_legend_entry(drawing, next, 20, predicted, "predicted for the real ones");
  }
  return drawing;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
