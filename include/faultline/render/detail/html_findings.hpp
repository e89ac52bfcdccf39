// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The sections of the page that are about directions.

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/titles.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// "94 % (88 to 99 %)".
inline std::string share_text(const analysis::ClassSplit& split) {
  return split.common_share
             ? percent(*split.common_share, 0) + " (" + percent(split.lower, 0) + " to " + percent(split.upper, 0) + ")"
             : std::string("—");
}

/// One row per direction; `key` is "finding" or "suspect" and leads to its section.
inline std::string findings_table(const FailureReport& report, const std::vector<Finding>& findings,
                                  const std::string& key) {
  HtmlTable table({{"#", true},
                   {"Direction"},
                   {"Kind"},
                   {"Failures repaired (random direction)", true},
                   {"Change of failure rate (at least)", true},
                   {"Random directions", true},
                   {"Median distance to failure, 95 % interval", true},
                   {"p, adjusted", true},
                   {"Judge agrees at the flip", true},
                   {"Common to all classes", true}},
                  "Sorted by the lower bound of the change of the failure rate. The bound and p come from samples that "
                  "had no part in choosing the direction.");
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& f = findings[i];
    const analysis::InterventionEffect& e = f.intervention;
    const bool crosses = f.threshold.flip && std::isfinite(f.threshold.flip->sigmas);
    table.row(
        {std::to_string(i + 1),
         "<a href=\"#" + key + "-" + std::to_string(i + 1) + "\"><b>" + html(title_of(report, f)) + "</b></a>",
         std::string(core::enumerator_of(f.direction.family)),
         "<b>" + (e.repaired_failures > 0 ? percent(e.repaired_share, 0) : std::string("—")) + "</b>" +
             (e.repaired_placebo ? " <span class=\"quiet\">(" + percent(*e.repaired_placebo, 0) + ")</span>"
                                 : std::string()),
         "<b>" + signed_shown(e.contrast, 2) + "</b> <span class=\"quiet\">(" + signed_shown(e.lower, 2) + ")</span>",
         signed_shown(e.placebo, 2),
         crosses ? "<b>" + distance(f.threshold.flip->sigmas) + "</b> <span class=\"quiet\">(" +
                       shown(f.threshold.flip->lower, 2) + " to " + shown(f.threshold.flip->upper, 2) + ")</span>"
                 : "beyond range",
         html(p_value(f.confirmation.p_adjusted)),
         f.validity.judge_agreement ? percent(*f.validity.judge_agreement, 0) : "no judge",
         f.class_split.common_share ? percent(*f.class_split.common_share, 0) : "—"});
  }
  return std::move(table).finish();
}

inline std::string carriers_table(const FailureReport& report, const Finding& finding) {
  if (finding.carriers.empty()) return {};
  HtmlTable table({{"Style channel"},
                   {"Sign", true},
                   {"Correlation", true},
                   {"d, within classes", true},
                   {"d, the paper's", true},
                   {"Alone: distance to failure"}},
                  "The style channels that go along with this direction most. Moved alone they usually do far less: "
                  "one channel is not the cause.");
  for (const analysis::Carrier& carrier : finding.carriers)
    table.row({html((carrier.layer_name.empty() ? channel_name(report, carrier.channel)
                                                : carrier.layer_name + ":" + std::to_string(carrier.channel.channel)) +
                    "  (" + std::to_string(carrier.channel.flat) + ")"),
               carrier.sign < 0 ? "−" : "+", signed_shown(carrier.correlation, 2), signed_shown(carrier.effect, 2),
               signed_shown(carrier.paper_effect, 2),
               carrier.threshold ? html(interval_text(carrier.threshold->flip))
                                 : "<span class=\"quiet\">not measured</span>"});
  return "<h4>Carriers in StyleSpace</h4>\n" + std::move(table).finish();
}

inline std::string centres_table(const FailureReport& report, const Finding& finding) {
  if (finding.threshold.centres.empty()) return {};
  HtmlTable table({{"Class"},
                   {"p(y) at the centre", true},
                   {"to p(y) = .5", true},
                   {"to the flip", true},
                   {"the paper's search", true}},
                  "Distances in standard deviations, starting from the centre of the well-classified samples of each "
                  "class (the paper's start code); — where it is not reached.");
  const auto cell = [](const std::optional<double>& value) { return value ? shown(*value, 2) : std::string("—"); };
  const std::vector<std::int64_t> classes = shown_classes(report);
  for (const analysis::CentreDistance& centre : finding.threshold.centres)
    if (std::binary_search(classes.begin(), classes.end(), centre.class_label) || report.class_rates.empty())
      table.row({html(class_name(report, centre.class_label)), fixed(centre.probability, 2), cell(centre.half),
                 cell(centre.flip), cell(centre.paper)});
  return "<h4>From the centre of each class</h4>\n" + std::move(table).finish();
}

/// One row per class: how its failures differ along the direction, and what moving does to it.
inline std::string class_split_table(const FailureReport& report, const Finding& finding) {
  const analysis::ClassSplit& split = finding.class_split;
  if (split.classes.size() < 2) return {};
  HtmlTable table({{"Class"},
                   {"Failures", true},
                   {"Difference failures − passes, sd", true},
                   {"Moved by ±2 sd: change of its failure rate", true},
                   {"Codes moved", true}},
                  "Failures and differences: confirmation half, with standard errors; — where a class has fewer than "
                  "two failures or passes. The change is that of few codes.");
  for (const std::int64_t label : shown_classes(report)) {
    const auto effect = std::find_if(split.classes.begin(), split.classes.end(),
                                     [&](const analysis::ClassEffect& e) { return e.class_label == label; });
    const auto& moved = finding.intervention.classes;
    const auto contrast = std::find_if(moved.begin(), moved.end(),
                                       [&](const analysis::ClassContrast& c) { return c.class_label == label; });
    if (effect == split.classes.end() && contrast == moved.end()) continue;
    table.row({html(class_name(report, label)), effect == split.classes.end() ? "—" : count(effect->failures),
               effect == split.classes.end() ? "—"
                                             : signed_shown(effect->effect, 2) + " <span class=\"quiet\">(" +
                                                   shown(effect->standard_error, 2) + ")</span>",
               contrast == moved.end() ? "—" : signed_shown(contrast->contrast, 2),
               contrast == moved.end() ? "—" : count(contrast->codes)});
  }
  const std::string share = split.common_share ? "All classes share " + share_text(split) +
                                                     " of the effect; the rest belongs to some of them. "
                                               : "";
  return "<h4>In each class</h4>\n<p>" +
         html(share + "Mean " + signed_shown(split.common, 2) + " sd, spread between classes " +
              shown(split.specific, 2) + " sd; equal effects in all classes: p " + p_value(split.p) + ".") +
         "</p>\n" + std::move(table).finish();
}

inline std::string chips(const FailureReport& report, const Finding& finding) {
  const auto chip = [](const std::string& text, bool warn) {
    return std::string("<span class=\"chip") + (warn ? " warn" : "") + "\">" + html(text) + "</span>";
  };
  std::string out = chip(std::string(core::enumerator_of(finding.direction.family)), false);
  if (finding.direction.class_label) out += chip("class " + class_name(report, *finding.direction.class_label), false);
  if (finding.threshold.flip && finding.threshold.flip->off_manifold) out += chip("flips off the manifold", true);
  if (finding.threshold.flip && !finding.threshold.flip->monotone) out += chip("not monotone", true);
  if (finding.validity.generator_suspect) out += chip("generator suspect", true);
  return out;
}

inline std::string finding_facts(const Finding& f) {
  const analysis::InterventionEffect& e = f.intervention;
  std::vector<std::pair<std::string, std::string>> list;
  const auto add = [&list](const char* name, std::string text) { list.push_back({name, std::move(text)}); };
  add("Repaired",
      e.repaired_failures == 0
          ? std::string("no fresh failure to repair")
          : percent(e.repaired_share, 0) + " of " + count(e.repaired_failures) +
                " fresh failures disappear when this coordinate is set to what is usual for well-classified images" +
                (e.repaired_placebo ? "; along a random direction " + percent(*e.repaired_placebo, 0) : std::string()));
  add("Moved by ±2 sd",
      "failure rate changes by " + signed_shown(e.contrast, 3) + " (at least " + signed_shown(e.lower, 3) +
          " with 95 % confidence; " +
          (e.placebo ? "random directions stay below " + signed_shown(*e.placebo, 3) + "; " : std::string()) +
          count(e.codes) + " fresh codes)");
  add("Distance to the flip", interval_text(f.threshold.flip) +
                                  (f.threshold.flip && std::isfinite(f.threshold.flip->sigmas)
                                       ? ", at percentile " + shown(f.threshold.flip->percentile, 1) +
                                             " of the population; " + percent(f.threshold.flip->crossed_share, 0) +
                                             " of " + count(f.threshold.flip->codes) + " codes flip"
                                       : ""));
  add("Distance to p(y) = .5", interval_text(f.threshold.half));
  if (f.threshold.flip && std::isfinite(f.threshold.flip->sigmas))
    add("Image distance", "RMS " + shown(f.threshold.flip->image_rms, 3) + ", structural similarity " +
                              shown(f.threshold.flip->image_ssim, 2) + " between start and failing image (medians)");
  add("Difference failures − passes", signed_shown(f.discovery.effect, 2) + " sd on discovery, " +
                                          signed_shown(f.confirmation.effect, 2) + " sd on fresh samples; AUC " +
                                          shown(f.discovery.auc, 3) + " and " + shown(f.confirmation.auc, 3));
  add("p, adjusted", p_value(f.confirmation.p_adjusted) + " (raw " + p_value(f.confirmation.p) + ", q " +
                         p_value(f.confirmation.q) + ")");
  add("Explains", percent(f.direction.explained, 0) + " of what a linear rule can explain");
  if (!f.property.name.empty())
    add("Moves most", f.property.name + " (" + signed_shown(f.property.strength, 2) + " sd of the property)");
  if (f.validity.judge_agreement)
    add("Still valid?",
        "the judge gives " + percent(*f.validity.judge_agreement, 0) + " of the flipped images their label" +
            (f.validity.generator_suspect ? ": below the bar of 90 %, so the generator may be at fault" : ""));
  if (f.threshold.flip && (f.threshold.flip->off_manifold || f.threshold.flip->off_manifold_share > 0))
    add("Off the manifold", percent(f.threshold.flip->off_manifold_share, 0) +
                                " of the crossings lie outside the .1 to 99.9 % range of this coordinate");
  if (f.threshold.flip && !f.threshold.flip->monotone)
    add("Not monotone",
        "only " + percent(f.threshold.flip->monotone_share, 0) + " of the codes stay failed once they failed");
  return facts(list);
}

/// Everything about one finding. `key` is "finding" or "suspect".
inline std::string finding_section(const FailureReport& report, const Finding& finding, std::size_t number,
                                   const char* key, const std::vector<ReportPicture>& pictures) {
  const std::string id = std::string(key) + "-" + std::to_string(number);
  std::string out = "<section class=\"" + std::string(key) + "\" id=\"" + id + "\">\n<h3>" + std::to_string(number) +
                    ". " + html(title_of(report, finding)) + chips(report, finding) + "</h3>\n";
  if (!finding.headline.empty()) out += "<p>" + html(finding.headline) + "</p>\n";
  out += finding_facts(finding);
  out += picture_figure(pictures, id,
                        "Each row is one generated image, moved along this direction from left to right. A thick frame "
                        "and a cross mark the images that the classifier fails on.");
  out += "<div class=\"pair\">\n";
  out += chart_figure(confidence_chart(report, finding),
                      "Confidence and failures when start codes are moved. The dotted line is the median distance to "
                      "the flip, its band the 95 % interval.");
  out += chart_figure(histogram_chart(report, finding),
                      "Where failures and well-classified samples of the confirmation half lie along this direction.");
  out += chart_figure(
      side_effect_chart(report, finding),
      "What the direction changes in the image. Between −.5 and .5 (grey) a property counts as hardly moved.");
  out +=
      chart_figure(property_chart(report, finding), "The property that moves most, as it is measured along the way.");
  return out + "</div>\n" + class_split_table(report, finding) +
         picture_figure(pictures, id + "-classes", "The same direction, one image of each class.") +
         carriers_table(report, finding) + centres_table(report, finding) + "</section>\n";
}

inline std::string property_distances_section(const FailureReport& report) {
  if (report.property_distances.empty()) return {};
  HtmlTable table({{"Image property"},
                   {"Moved towards"},
                   {"Median distance to the flip, 95 % interval"},
                   {"Codes that flip", true},
                   {"Population percentile of the flip", true},
                   {"Judge agrees at the flip", true}},
                  "Moving one property while the others are held. These directions depend on the generator and the "
                  "seed, not on the classifier, so the rows of two classifiers compare.");
  for (const analysis::PropertyDistance& property : report.property_distances) {
    const std::optional<Crossing>& flip = property.flip;
    const bool crosses = flip && std::isfinite(flip->sigmas);
    table.row({html(property.name), property.sign < 0 ? "less" : "more",
               html(interval_text(flip)) +
                   (crosses && flip->off_manifold ? " <span class=\"chip warn\">off the manifold</span>" : ""),
               flip ? percent(flip->crossed_share, 0) : "0 %", crosses ? shown(flip->percentile, 1) : "—",
               property.validity.judge_agreement ? percent(*property.validity.judge_agreement, 0) : "—"});
  }
  return "<section id=\"properties\">\n<h2>How much of each property it stands</h2>\n" + std::move(table).finish() +
         "</section>\n";
}

inline std::string associated_section(const FailureReport& report) {
  std::string out = "<section id=\"associated\">\n<h2>Associated, but not shown to be causes</h2>\n";
  if (report.associated.empty())
    return out + "<p class=\"quiet\">None. No other direction sets failures apart on fresh samples.</p></section>\n";
  out +=
      "<p>Failures lie differently along these directions, on fresh samples too; but moving images along them did not "
      "change the failure rate enough. They may go along with a cause without being one.</p>\n";
  HtmlTable table({{"Direction"},
                   {"Kind"},
                   {"Moves most"},
                   {"Effect, sd", true},
                   {"AUC", true},
                   {"p, adjusted", true},
                   {"Change of failure rate (at least)", true},
                   {"Random directions", true}});
  for (const Finding& f : report.associated)
    table.row({html(title_of(report, f)), std::string(core::enumerator_of(f.direction.family)),
               html(f.property.name.empty() ? "—" : f.property.name), signed_shown(f.confirmation.effect, 2),
               shown(f.confirmation.auc, 3), html(p_value(f.confirmation.p_adjusted)),
               signed_shown(f.intervention.contrast, 2) + " <span class=\"quiet\">(" +
                   signed_shown(f.intervention.lower, 2) + ")</span>",
               signed_shown(f.intervention.placebo, 2)});
  return out + std::move(table).finish() + "</section>\n";
}

inline std::string paper_section(const FailureReport& report, const std::vector<ReportPicture>& pictures) {
  if (report.paper_top.empty()) return {};
  std::string out =
      "<section id=\"paper\">\n<h2>The paper's top channels</h2>\n<p>The pooled ranking of single style channels of Le "
      "Coz, Herbin and Adjed (2022), without error control: it says where failures differ, not why. ";
  out += report.verdict == Verdict::too_few_failures ? "With so few failures it is mostly noise.</p>\n"
         : report.findings.empty() ? "Some channel always comes first, even when failures are random.</p>\n"
                                   : "It is printed for comparison with the causes above.</p>\n";
  const bool gradients = std::any_of(report.paper_top.begin(), report.paper_top.end(),
                                     [](const analysis::RankedChannel& c) { return c.gradient != 0; });
  HtmlTable table({{"#", true},
                   {"Style channel"},
                   {"Flat index", true},
                   {"Sign", true},
                   {"d, pooled", true},
                   {"d, within classes", true},
                   {"AUC", true},
                   {"Gradient score", true},
                   {"σ, all samples", true},
                   {"σ, within classes", true},
                   {"Common to all classes", true}});
  for (std::size_t i = 0; i < report.paper_top.size(); ++i) {
    const analysis::RankedChannel& c = report.paper_top[i];
    table.row({std::to_string(i + 1), html(channel_name(report, c.channel)), std::to_string(c.channel.flat),
               c.sign < 0 ? "−" : "+", signed_shown(c.normalized_difference, 2), signed_shown(c.stratified, 2),
               shown(c.auc, 3), gradients ? signed_shown(c.gradient, 4) : "—", shown(c.sigma_total, 3),
               shown(c.sigma_within, 3), html(share_text(c.class_split))});
  }
  out += std::move(table).finish();
  return out + picture_figure(pictures, "paper-top", "The same channels, each moved alone from one start image.") +
         "</section>\n";
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
