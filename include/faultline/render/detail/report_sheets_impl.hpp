// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/detail/report_sheets.hpp.

#include <faultline/analysis/distance/distance_search.hpp>
#include <faultline/core/random.hpp>
#include <faultline/data/png.hpp>
#include <faultline/render/detail/report_sheets.hpp>
#include <faultline/render/detail/sheet_choices.hpp>
#include <faultline/render/detail/sheet_parts.hpp>
#include <faultline/render/detail/text.hpp>
#include <faultline/render/report_labels.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

FAULTLINE_INLINE std::optional<CriterionFunction> report_criterion(const FailureReport& report,
                                                                   const RenderOptions& options) {
  if (options.criterion) return options.criterion;
  return criterion_from(report.provenance.criterion_expression);
}

FAULTLINE_INLINE std::string criterion_note(const FailureReport& report, const RenderOptions& options) {
  if (report_criterion(report, options) || report.provenance.criterion.empty()) return "";
  return " Marked are wrong answers; the criterion of this report is: " + report.provenance.criterion + ".";
}

inline SheetCell cell_of(const FailureReport& report, RenderedSample sample) {
  return {std::move(sample.picture), sample.probability, class_name(report, sample.prediction), sample.failed, {}};
}

inline Sheet degradation_grid(const FailureReport& report, const RenderBackend& backend, const RenderOptions& options,
                              const std::vector<GridColumn>& columns) {
  Sheet sheet;
  std::vector<EditedSample> samples;
  for (const double share : grid_shares) {
    sheet.rows.push_back({percent(share, 0), {}, {}});
    for (const auto& [heading, sample, reference] : columns)
      samples.push_back({sample.index, sample.label, sample.edit.at(share * reference)});
  }
  for (const GridColumn& column : columns) sheet.columns.push_back(column.heading);
  for (RenderedSample& sample : render_samples(backend, samples, options.image_pixels))
    sheet.cells.push_back(cell_of(report, std::move(sample)));
  return sheet;
}

FAULTLINE_INLINE std::optional<NamedSheet> findings_grid(const FailureReport& report, const RenderBackend& backend,
                                                         const RenderOptions& options) {
  const std::vector<Finding>& findings = report.findings;
  if (findings.empty() || options.columns < 1) return std::nullopt;
  const auto shown = std::min<std::int64_t>(options.columns, static_cast<std::int64_t>(findings.size()));
  const std::int64_t each = std::clamp<std::int64_t>(options.columns / shown, 1, 8);
  std::vector<GridColumn> columns;
  for (std::int64_t f = 0; f < shown; ++f) {
    const Finding& finding = findings[static_cast<std::size_t>(f)];
    if (finding.direction.w.empty()) continue;  // (a report of a file may say so of a cause)
    const auto& flip = finding.threshold.flip;
    const Edit edit = Edit::in_w(finding.direction.w);
    for (const analysis::ExampleLatent& example : typical_examples(finding, each)) {
      const bool flips = example.flip && std::isfinite(*example.flip), median = flip && std::isfinite(flip->sigmas);
      const double reference = flips ? *example.flip : median ? flip->sigmas : 4.0;
      const std::string note = (flips ? "flips at " : "no flip: ") + fixed(reference, 2) + " sd";
      columns.push_back(
          {{title_of(report, finding), "label " + class_name(report, example.label), latent_name(example.index), note},
           {example.index, example.label, edit},
           reference});
    }
  }
  if (columns.empty()) return std::nullopt;
  Sheet sheet = degradation_grid(report, backend, options, columns);
  sheet.title = "How failure sets in along each cause";
  sheet.explanation =
      "Every column is one generated image, moved along the direction named above it; 100 % is the distance at which "
      "the answer for that image flips (sd = standard deviations). \"No flip\": this image never flips within range, "
      "100 % is the median distance of the others, or 4 sd." +
      criterion_note(report, options);
  return NamedSheet{"degradation",
                    "Degradation grid: images moved along each finding from 0 to 150 % of their distance to failure, "
                    "with the classifier's confidence above each",
                    draw_sheet(sheet)};
}

FAULTLINE_INLINE std::vector<std::optional<double>> flips_of(const std::vector<GridColumn>& columns,
                                                             const RenderBackend& backend) {
  std::vector<EditedSample> samples;
  for (const GridColumn& column : columns) samples.push_back(column.sample);
  std::vector<analysis::BoundarySearch> searches;
  for (const auto& [start, edit] : backend.latents(samples)) {
    analysis::BoundarySearch& search = searches.emplace_back();
    search.path = {start, edit};
    search.decisions = {{analysis::until_failure}};
    search.start = {1.0};
  }
  analysis::search_boundaries(backend.answer, analysis::pointers_to(searches), analysis::distance_rules());
  std::vector<std::optional<double>> flips;
  for (const analysis::BoundarySearch& search : searches)
    flips.push_back(search.found[0].crossed() ? std::optional(search.found[0].far_end()) : std::nullopt);
  return flips;
}

/// A start latent for sheets that belong to no finding: an example of the first direction, else the first sample from
/// 2^41 + 2^40 that passes with p(y) > .5.
inline std::optional<EditedSample> any_start_latent(const FailureReport& report, const RenderBackend& backend) {
  for (const Finding& finding : report.findings)
    if (const auto typical = typical_examples(finding, 1); !typical.empty())
      return EditedSample{typical.front().index, typical.front().label};
  const std::vector<std::int64_t> labels = backend.labels(core::intervention_first, report.provenance.batch_size);
  std::vector<EditedSample> samples;
  for (std::size_t i = 0; i < labels.size(); ++i)
    samples.push_back({core::intervention_first + static_cast<std::int64_t>(i), labels[i]});
  const analysis::EditAnswers answers =
      backend.answer(backend.latents(samples), {.noise_first = core::intervention_first});
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (answers.first().failed[i] == 0 && answers.first().probability[i] > 0.5f) return samples[i];
  return std::nullopt;
}

FAULTLINE_INLINE std::optional<NamedSheet> paper_grid(const FailureReport& report, const RenderBackend& backend,
                                                      const RenderOptions& options) {
  if (report.paper_top.empty() || options.columns < 1) return std::nullopt;
  const std::optional<EditedSample> start = any_start_latent(report, backend);
  if (!start) return std::nullopt;
  std::vector<GridColumn> columns;
  for (const analysis::RankedChannel& channel : report.paper_top) {
    if (static_cast<std::int64_t>(columns.size()) == options.columns) break;
    const double sigma = channel.sigma_within > 0 ? channel.sigma_within : channel.sigma_total;
    const Edit edit = Edit::of_channel(channel.channel.flat, channel.sign < 0 ? -sigma : sigma);
    const std::string rank = std::to_string(columns.size() + 1);
    columns.push_back(
        {{channel_name(report, channel.channel), rank + (channel.sign < 0 ? ". downwards" : ". upwards"), {}, {}},
         {start->index, start->label, edit},
         0});
  }
  const std::vector<std::optional<double>> flips = flips_of(columns, backend);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    columns[c].reference = flips[c].value_or(4.0);
    columns[c].heading.note = flips[c] ? "flips at " + fixed(columns[c].reference, 2) + " sd" : "no flip: 4.00 sd";
  }
  Sheet sheet = degradation_grid(report, backend, options, columns);
  sheet.title = "The paper's top channels, each moved alone";
  sheet.explanation = "All columns start from the same image (label " + class_name(report, start->label) + ", " +
                      latent_name(start->index) +
                      ") and move one style channel in the direction that its ranking calls failure. 100 % is the "
                      "distance at which the answer flips; \"No flip\": it does not flip within 10 sd, 100 % is 4 sd." +
                      criterion_note(report, options);
  return NamedSheet{"paper-top",
                    "The paper's top ten style channels, each moved alone from 0 to 150 % of the distance to failure, "
                    "with the classifier's confidence above each image",
                    draw_sheet(sheet)};
}

/// The property whose value is written beside every image: the condition's own, else what its edit changes most.
[[nodiscard]] inline std::optional<std::size_t> shown_property(const RenderBackend& backend, const Finding& finding) {
  std::vector<std::string> names = finding.condition.properties;
  if (!finding.side_effects.empty()) names.push_back(finding.side_effects.front().name);
  for (const std::string& name : names) {
    const auto found = std::find(backend.property_names.begin(), backend.property_names.end(), name);
    if (found != backend.property_names.end()) return static_cast<std::size_t>(found - backend.property_names.begin());
  }
  return std::nullopt;
}

/// Where on its sheet a condition fails.
[[nodiscard]] inline std::string failing_side(const Finding& finding) {
  switch (finding.condition.shape.value_or(analysis::ConditionShape::one_sided)) {
    case analysis::ConditionShape::two_sided:
    case analysis::ConditionShape::pair: return "failure lies to the right and to the left";
    case analysis::ConditionShape::band: return "failure lies between the ends";
    case analysis::ConditionShape::subspace: return "failure may lie at either end";
    case analysis::ConditionShape::one_sided: break;
  }
  return "failure lies to the right";
}

FAULTLINE_INLINE std::optional<Sheet> sheet_along(const FailureReport& report, const RenderBackend& backend,
                                                  const RenderOptions& options, const Finding& finding,
                                                  const std::vector<analysis::ExampleLatent>& starts, bool by_class) {
  if (starts.empty() || finding.direction.w.empty()) return std::nullopt;
  const std::vector<double> shifts = sheet_shifts(finding);
  const Edit edit = Edit::in_w(finding.direction.w);
  Sheet sheet;
  std::vector<EditedSample> samples;
  for (const double shift : shifts)
    sheet.columns.push_back(
        {{}, shift == 0 ? "start" : signed_shown(shift, shift == std::round(shift) ? 0 : 1) + " sd", {}, {}});
  for (const analysis::ExampleLatent& example : starts) {
    const bool flips = example.flip && std::isfinite(*example.flip);
    sheet.rows.push_back({"label " + class_name(report, example.label), latent_name(example.index),
                          flips ? "flips at " + fixed(*example.flip, 2) + " sd" : "does not flip"});
    for (const double shift : shifts) samples.push_back({example.index, example.label, edit.at(shift)});
  }
  const std::optional<std::size_t> property = shown_property(backend, finding);
  const std::string name = property ? backend.property_names[*property] : std::string();
  bool named = true;  // beside every value, where there is room for both
  for (RenderedSample& sample : render_samples(backend, samples, options.image_pixels)) {
    std::string value;
    if (property && *property < sample.properties.size())
      value = with_unit(measured(static_cast<double>(sample.properties[*property])), unit_of(report, name));
    named = named && Canvas::text_width(name + " " + value, sheet_note) <= static_cast<double>(sample.picture.width);
    sheet.cells.push_back(cell_of(report, std::move(sample)));
    sheet.cells.back().caption = std::move(value);
  }
  if (named)
    for (SheetCell& cell : sheet.cells)
      if (!cell.caption.empty()) cell.caption = name + " " + cell.caption;
  sheet.title = "Along \"" + title_of(report, finding) + "\"";
  sheet.explanation =
      "Every row is one generated image" + std::string(by_class ? " of the class named beside it" : "") +
      ", moved along the direction by the number of standard deviations above the column; " + failing_side(finding) +
      "." + (named ? "" : " The number above it is its " + name + ".") + criterion_note(report, options);
  return sheet;
}

FAULTLINE_INLINE NamedSheet drawn(const FailureReport& report, const Finding& finding, const Sheet& sheet,
                                  const std::string& name, const std::string& rows) {
  return {name,
          "Generated images moved along " + title_of(report, finding) + ", one row per " + rows +
              ", with the classifier's confidence above each image",
          draw_sheet(sheet)};
}

/// Several start latents along one finding.
inline std::optional<NamedSheet> finding_sheet(const FailureReport& report, const RenderBackend& backend,
                                               const RenderOptions& options, const Finding& finding,
                                               const std::string& name) {
  const auto sheet = sheet_along(report, backend, options, finding, typical_examples(finding, options.examples), false);
  return sheet ? std::optional(drawn(report, finding, *sheet, name, "start latent")) : std::nullopt;
}

FAULTLINE_INLINE std::optional<NamedSheet> class_sheet(const FailureReport& report, const RenderBackend& backend,
                                                       const RenderOptions& options, const Finding& finding,
                                                       const std::string& name) {
  const std::vector<analysis::ExampleLatent> starts = class_examples(finding);
  if (finding.direction.class_label || starts.size() < 2 || starts.size() > 20 || options.examples < 1)
    return std::nullopt;
  const auto sheet = sheet_along(report, backend, options, finding, starts, true);
  return sheet ? std::optional(drawn(report, finding, *sheet, name + "-classes", "class")) : std::nullopt;
}

FAULTLINE_INLINE std::optional<NamedSheet> failures_sheet(const FailureReport& report, const RenderBackend& backend,
                                                          const RenderOptions& options) {
  Sheet sheet;
  const std::int64_t limit = std::min(16 * report.provenance.batch_size, report.provenance.samples_per_split);
  for (std::int64_t first = 0; first < limit && static_cast<std::int64_t>(sheet.cells.size()) < options.failures;
       first += report.provenance.batch_size) {
    const std::vector<std::int64_t> labels =
        backend.labels(core::confirmation_first + first, std::min(report.provenance.batch_size, limit - first));
    std::vector<EditedSample> samples;
    for (std::size_t i = 0; i < labels.size(); ++i)
      samples.push_back({core::confirmation_first + first + static_cast<std::int64_t>(i), labels[i]});
    std::vector<RenderedSample> shown = render_samples(backend, samples, options.image_pixels);
    for (std::size_t i = 0; i < shown.size() && static_cast<std::int64_t>(sheet.cells.size()) < options.failures; ++i) {
      if (!shown[i].failed) continue;
      sheet.cells.push_back(cell_of(report, std::move(shown[i])));
      sheet.cells.back().caption = "label " + class_name(report, samples[i].label);
    }
  }
  if (sheet.cells.empty()) return std::nullopt;
  const std::size_t columns = std::min<std::size_t>(8, sheet.cells.size()),
                    rows = (sheet.cells.size() + columns - 1) / columns;
  sheet.columns.resize(columns);
  sheet.rows.resize(rows);
  sheet.cells.resize(columns * rows);
  sheet.title = "Failures as they come";
  sheet.explanation = "The first failures of the confirmation split, not moved and not selected in any other way." +
                      criterion_note(report, options);
  return NamedSheet{
      "failures",
      "Generated images that the classifier fails on, with label, confidence and predicted class above each",
      draw_sheet(sheet)};
}

/// The positions of a slider: those of the sheet, each step in up to three.
[[nodiscard]] inline std::vector<double> sweep_shifts(const Finding& finding) {
  const std::vector<double> coarse = sheet_shifts(finding);
  const std::size_t parts = std::clamp<std::size_t>(24 / std::max<std::size_t>(coarse.size() - 1, 1), 1, 3);
  std::vector<double> shifts{coarse.front()};
  for (std::size_t i = 1; i < coarse.size(); ++i)
    for (std::size_t k = 1; k <= parts; ++k)
      shifts.push_back(k == parts ? coarse[i]
                                  : coarse[i - 1] + (coarse[i] - coarse[i - 1]) * static_cast<double>(k) /
                                                        static_cast<double>(parts));
  return shifts;
}

FAULTLINE_INLINE std::vector<Sweep> make_sweeps(const FailureReport& report, const RenderBackend& backend,
                                                const RenderOptions& options) {
  std::vector<Sweep> sweeps;
  for (std::size_t f = 0; f < report.findings.size(); ++f) {
    const Finding& finding = report.findings[f];
    const std::vector<analysis::ExampleLatent> starts = typical_examples(finding, options.examples);
    if (starts.empty() || finding.direction.w.empty()) continue;
    Sweep& sweep = sweeps.emplace_back();
    sweep.name = "finding-" + std::to_string(f + 1);
    sweep.shifts = sweep_shifts(finding);
    for (const analysis::ExampleLatent& start : starts) sweep.labels.push_back(start.label);
    const std::optional<std::size_t> property = shown_property(backend, finding);
    if (property) {
      sweep.property = backend.property_names[*property];
      sweep.unit = unit_of(report, sweep.property);
    }
    const Edit edit = Edit::in_w(finding.direction.w);
    std::vector<EditedSample> samples;
    for (const double shift : sweep.shifts)
      for (const analysis::ExampleLatent& start : starts) samples.push_back({start.index, start.label, edit.at(shift)});
    constexpr std::int64_t side = 64;
    for (const RenderedSample& sample : render_samples(backend, samples, side)) {
      if (sweep.frames.empty() || sweep.frames.back().size() == starts.size()) sweep.frames.emplace_back();
      sweep.height = sample.picture.height;
      sweep.width = sample.picture.width;
      SweepImage& image = sweep.frames.back().emplace_back();
      image = {data::encode_png(sample.picture), sample.probability, sample.prediction, sample.failed};
      if (property && *property < sample.properties.size())
        image.property = static_cast<double>(sample.properties[*property]);
    }
  }
  return sweeps;
}

FAULTLINE_INLINE std::vector<NamedSheet> draw_sheets(const FailureReport& report, const RenderBackend& backend,
                                                     const RenderOptions& options) {
  std::vector<NamedSheet> sheets;
  const auto total = static_cast<std::int64_t>(3 + 2 * report.findings.size());
  std::int64_t done = 0;
  const auto add = [&](std::optional<NamedSheet> sheet) {
    if (sheet) sheets.push_back(std::move(*sheet));
    report_progress(options.progress, "drawing sheets", ++done, total);
  };
  add(findings_grid(report, backend, options));
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    const std::string name = "finding-" + std::to_string(i + 1);
    add(finding_sheet(report, backend, options, report.findings[i], name));
    add(class_sheet(report, backend, options, report.findings[i], name));
  }
  add(paper_grid(report, backend, options));
  add(failures_sheet(report, backend, options));
  return sheets;
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
