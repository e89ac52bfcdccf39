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

/// "62 % (55 to 68 %)".
inline std::string share_text(const analysis::Attributable& share) {
  if (!share.fraction) return "not measured";
  return percent(*share.fraction, 0) + " (" + percent(share.lower.value_or(0.0), 0) + " to " +
         percent(share.upper.value_or(0.0), 0) + ")";
}

inline std::string share_text(const analysis::Share& share, int digits = 1) {
  return percent(share.estimate, digits) + " (" + percent(share.lower, digits) + " to " + percent(share.upper, digits) +
         ")";
}

/// What moving a condition did: "+0.412 (+0.371 to +0.452)".
inline std::string effect_text(const analysis::Intervention& moved) {
  if (!moved.effect) return "not moved";
  return signed_shown(moved.effect, 3) + " (" + signed_shown(moved.lower, 3) + " to " + signed_shown(moved.upper, 3) +
         ")";
}

/// "blur 3.42 (3.10 to 3.77)": the property at the flip with its quartiles.
inline std::string flip_property_text(const std::optional<analysis::PropertyAtFlip>& flip) {
  if (!flip) return "not measured";
  return flip->name + " " + shown(flip->median, 2) + " (" + shown(flip->quartile_low, 2) + " to " +
         shown(flip->quartile_high, 2) + ")";
}

inline std::string validity_text(const analysis::Validity& validity) {
  if (!validity.agreement) return "no judge";
  return percent(validity.agreement->estimate, 0) + " (" + percent(validity.agreement->lower, 0) + " to " +
         percent(validity.agreement->upper, 0) + ")";
}

/// One row per cause; its name leads to its section.
inline std::string findings_table(const FailureReport& report, const std::vector<Finding>& findings) {
  HtmlTable table({{"#", true},
                   {"Cause"},
                   {"Failures that would not occur at its usual level", true},
                   {"Change of the failure rate when moved", true},
                   {"Explains of the deviance", true},
                   {"Chosen again in half-samples", true},
                   {"Median distance to failure", true},
                   {"Images flip at"},
                   {"Still valid there", true}},
                  "Sorted by the lower end of the first share. All numbers come from samples that had no part in "
                  "choosing the condition; intervals are 95 % intervals.");
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& f = findings[i];
    const bool crosses = f.threshold.flip && std::isfinite(f.threshold.flip->sigmas);
    table.row({std::to_string(i + 1),
               "<a href=\"#finding-" + std::to_string(i + 1) + "\"><b>" + html(title_of(report, f)) + "</b></a>",
               "<b>" + html(share_text(f.attributable)) + "</b>", html(effect_text(f.intervention)),
               html(share_text(f.condition.deviance_share)), percent(f.condition.stability, 0),
               crosses ? "<b>" + distance(f.threshold.flip->sigmas) + "</b> <span class=\"quiet\">(" +
                             shown(f.threshold.flip->lower, 2) + " to " + shown(f.threshold.flip->upper, 2) + ")</span>"
                       : "beyond range",
               html(f.threshold.at_flip.empty() ? std::string("—") : flip_property_text(f.threshold.at_flip.front())),
               html(validity_text(f.validity))});
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
                  "class (the paper's start latent); — where it is not reached.");
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
                   {"Latents moved", true}},
                  "Failures and differences: confirmation split, with standard errors; — where a class has fewer than "
                  "two failures or passes. The change is that of few latents.");
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
               contrast == moved.end() ? "—" : count(contrast->latents)});
  }
  const std::string share = split.common_share ? "All classes share " + share_text(split) +
                                                     " of the effect; the rest belongs to some of them. "
                                               : "";
  return "<h4>In each class</h4>\n<p>" +
         html(share + "Mean " + signed_shown(split.common, 2) + " sd, spread between classes " +
              shown(split.specific, 2) + " sd; equal effects in all classes: p " + p_value(split.p) + ".") +
         "</p>\n" + std::move(table).finish();
}

inline std::string shape_words(const Finding& finding) {
  const bool more = finding.condition.sign > 0;
  switch (finding.condition.shape.value_or(analysis::ConditionShape::one_sided)) {
    case analysis::ConditionShape::two_sided: return "both ends fail";
    case analysis::ConditionShape::band: return "values in between fail";
    case analysis::ConditionShape::pair:
      return more ? "fails when both are high or both low" : "fails when one is high and the other low";
    case analysis::ConditionShape::subspace: return "several directions";
    case analysis::ConditionShape::one_sided: break;
  }
  if (finding.condition.kind == analysis::ConditionKind::direction) return "a direction without a property";
  return more ? "more of it fails" : "less of it fails";
}

inline std::string chips(const FailureReport& report, const Finding& finding) {
  const auto chip = [](const std::string& text, bool warn) {
    return std::string("<span class=\"chip") + (warn ? " warn" : "") + "\">" + html(text) + "</span>";
  };
  std::string out = chip(shape_words(finding), false);
  if (finding.condition.class_label) out += chip("class " + class_name(report, *finding.condition.class_label), false);
  if (finding.condition.stability < 0.5)
    out += chip("unstable: chosen in " + percent(finding.condition.stability, 0) + " of half-samples", true);
  if (finding.threshold.flip && finding.threshold.flip->off_manifold) out += chip("flips off the manifold", true);
  if (finding.threshold.flip && !finding.threshold.flip->monotone) out += chip("not monotone", true);
  if (finding.validity.decision == analysis::ValidityDecision::mostly_invalid)
    out += chip("most images are no longer valid at the flip", true);
  return out;
}

/// "7 (+12 %), 2 (+3 %)".
inline std::string gained_answers_text(const FailureReport& report, const Finding& finding) {
  std::string text;
  for (const analysis::GainedAnswer& gained : finding.answers)
    text += (text.empty() ? "" : ", ") + class_name(report, gained.answer) + " (on " + percent(gained.gain, 1) +
            " more of the images)";
  return text;
}

inline std::string finding_facts(const FailureReport& report, const Finding& f) {
  const analysis::Intervention& e = f.intervention;
  std::vector<std::pair<std::string, std::string>> list;
  const auto add = [&list](const char* name, std::string text) { list.push_back({name, std::move(text)}); };
  add("Attributable fraction",
      share_text(f.attributable) +
          " of the failures on valid images would not occur with it at its usual level and the "
          "other causes held (" +
          count(f.attributable.failures) + " failures among " + count(f.attributable.latents) + " latents)");
  add("When moved",
      "failure rate on valid images changes by " + effect_text(e) + ", decided after " + count(e.latents) +
          " latents; from " + shown(e.min_effect.value_or(0.0), 3) + " it counts" +
          (e.placebo ? "; 95 % of random directions stay below " + signed_shown(e.placebo, 3) : std::string()));
  if (e.invalid_high)
    add("Valid when moved", percent(1.0 - *e.invalid_high, 0) + " of the images at the failing end, " +
                                percent(1.0 - e.invalid_low.value_or(0.0), 0) + " at the other");
  if (!f.answers.empty()) add("Answered instead", gained_answers_text(report, f));
  add("Explains", share_text(f.condition.deviance_share) +
                      " of the deviance on fresh samples beyond the conditions found before it");
  add("p, adjusted", p_value(f.confirmation.p_adjusted) + " (raw " + p_value(f.confirmation.p) + ")");
  add("Stability", "chosen again in " + percent(f.condition.stability, 0) + " of random half-samples");
  const std::optional<Crossing>& flip = f.threshold.flip;
  add("Distance to the flip",
      interval_text(flip) + (flip && std::isfinite(flip->sigmas)
                                 ? ", at percentile " + shown(flip->percentile, 1) + " of the population; " +
                                       percent(flip->crossed_share, 0) + " of " + count(flip->latents) + " latents flip"
                                 : ""));
  for (const analysis::PropertyAtFlip& at : f.threshold.at_flip)
    add("Images flip at", flip_property_text(at) + ": median and quartiles over " + count(at.flips) + " images");
  if (f.other_end) {
    add("Towards the other end", interval_text(f.other_end->flip));
    for (const analysis::PropertyAtFlip& at : f.other_end->at_flip) add("Images flip there at", flip_property_text(at));
  }
  add("Distance to p(y) = .5", interval_text(f.threshold.half));
  if (flip && std::isfinite(flip->sigmas))
    add("Image distance", "RMS " + shown(flip->image_rms, 3) + ", structural similarity " + shown(flip->image_ssim, 2) +
                              " between start and failing image (medians)");
  if (f.validity.agreement)
    add("Valid at the flip",
        "the judge gives " + validity_text(f.validity) + " of " + count(f.validity.flips) +
            " flipped images their label" +
            (f.validity.decision == analysis::ValidityDecision::undecided ? ": undecided whether most of them are valid"
                                                                          : ""));
  if (flip && (flip->off_manifold || flip->off_manifold_share > 0))
    add("Off the manifold", percent(flip->off_manifold_share, 0) +
                                " of the crossings lie outside the .1 to 99.9 % range of this coordinate");
  if (flip && !flip->monotone)
    add("Not monotone", "only " + percent(flip->monotone_share, 0) + " of the latents stay failed once they failed");
  return facts(list);
}

/// The charts of how often samples fail against the condition's properties.
inline std::string response_figures(const Finding& finding, const std::string& what, const std::string& caption) {
  std::string out;
  for (const analysis::ResponseCurve& curve : finding.response)
    out += chart_figure(response_chart(curve, what, flip_of(finding, curve)), caption);
  return out;
}

/// Everything about one cause.
inline std::string finding_section(const FailureReport& report, const Finding& finding, std::size_t number,
                                   const std::vector<ReportPicture>& pictures) {
  const std::string id = "finding-" + std::to_string(number);
  std::string out = "<section class=\"finding\" id=\"" + id + "\">\n<h3>" + std::to_string(number) + ". " +
                    html(title_of(report, finding)) + chips(report, finding) + "</h3>\n";
  if (!finding.headline.empty()) out += "<p>" + html(finding.headline) + "</p>\n";
  out += picture_figure(pictures, id,
                        "Each row is one generated image, moved along this condition from left to right, with the "
                        "property as measured on it. A thick frame and a cross mark the images that the classifier "
                        "fails on.");
  out += finding_facts(report, finding) + "<div class=\"pair\">\n";
  out += response_figures(finding, "failure rate",
                          "How often valid samples fail, not moved, against the property; bars: intervals that hold "
                          "together. The band is where moved images flip.");
  out += chart_figure(confidence_chart(report, finding),
                      "Confidence and failures when start latents are moved. The dotted line is the median distance to "
                      "the flip, its band the 95 % interval.");
  out +=
      chart_figure(side_effect_chart(report, finding),
                   "What the move changes in the image. Between −.5 and .5 (grey) a property counts as hardly moved.");
  out +=
      chart_figure(property_chart(report, finding), "The property that moves most, as it is measured along the way.");
  out += chart_figure(histogram_chart(report, finding),
                      "Where failures and well-classified samples of the confirmation split lie along this direction.");
  return out + "</div>\n" + class_split_table(report, finding) +
         picture_figure(pictures, id + "-classes", "The same condition, one image of each class.") +
         carriers_table(report, finding) + centres_table(report, finding) + "</section>\n";
}

inline std::string property_distances_section(const FailureReport& report) {
  if (report.property_distances.empty()) return {};
  HtmlTable table({{"Image property"},
                   {"Moved towards"},
                   {"Median distance to the flip, 95 % interval"},
                   {"The property there, with quartiles", true},
                   {"Latents that flip", true},
                   {"Population percentile of the flip", true},
                   {"Judge agrees at the flip", true}},
                  "Moving one property while the others are held. These directions depend on the generator and the "
                  "seed, not on the classifier, so the rows of two classifiers compare.");
  for (const analysis::PropertyDistance& property : report.property_distances) {
    const std::optional<Crossing>& flip = property.flip;
    const bool crosses = flip && std::isfinite(flip->sigmas);
    table.row(
        {html(property.name), property.sign < 0 ? "less" : "more",
         html(interval_text(flip)) +
             (crosses && flip->off_manifold ? " <span class=\"chip warn\">off the manifold</span>" : ""),
         html(property.at_flip ? shown(property.at_flip->median, 2) + " (" + shown(property.at_flip->quartile_low, 2) +
                                     " to " + shown(property.at_flip->quartile_high, 2) + ")"
                               : std::string("—")),
         flip ? percent(flip->crossed_share, 0) : "0 %", crosses ? shown(flip->percentile, 1) : "—",
         property.validity.agreement ? html(validity_text(property.validity)) : "—"});
  }
  return "<section id=\"properties\">\n<h2>How much of each property it stands</h2>\n" + std::move(table).finish() +
         "</section>\n";
}

/// Conditions that are confirmed and not known to be causes, each with its reason.
inline std::string other_conditions_section(const FailureReport& report) {
  struct List {
    const std::vector<Finding>* findings;
    const char* title;
    const char* words;
  };
  const List lists[] = {
      {&report.undecided, "Undecided",
       "Failures go with these; the latents that were moved do not say whether they are causes."},
      {&report.not_movable, "Not movable by this generator",
       "Failures go with these; the generator does not move them, or not without another condition, so whether they "
       "are "
       "causes cannot be tried."},
      {&report.associated, "Associated, but no causes",
       "Failures go with these on fresh samples too, but moving them by themselves does not change the failure rate: "
       "they go along with a cause."}};
  std::string out;
  for (const List& list : lists) {
    if (list.findings->empty()) continue;
    out += "<h3>" + std::string(list.title) + "</h3>\n<p>" + list.words + "</p>\n";
    HtmlTable table({{"Condition"},
                     {"Explains of the deviance", true},
                     {"p, adjusted", true},
                     {"Chosen again in half-samples", true},
                     {"Change of the failure rate when moved", true},
                     {"What is said"}});
    for (const Finding& f : *list.findings)
      table.row({"<b>" + html(title_of(report, f)) + "</b>", html(share_text(f.condition.deviance_share)),
                 html(p_value(f.confirmation.p_adjusted)), percent(f.condition.stability, 0),
                 html(effect_text(f.intervention)), html(f.headline)});
    out += std::move(table).finish() + "<div class=\"pair\">\n";
    for (const Finding& f : *list.findings)
      out += response_figures(f, "failure rate", "How often valid samples fail against " + title_of(report, f) + ".");
    out += "</div>\n";
  }
  if (out.empty()) return out;
  return "<section id=\"others\">\n<h2>Conditions that are not known to be causes</h2>\n" + out + "</section>\n";
}

/// What is the generator's.
inline std::string generators_section(const FailureReport& report) {
  if (report.generators.empty()) return {};
  std::string out =
      "<section id=\"generators\">\n<h2>The generator's</h2>\n<p>Under these conditions the judge cannot read the "
      "images either. Failures there are left out of everything above.</p>\n<ul>";
  for (const Finding& f : report.generators) out += "<li>" + html(f.headline) + "</li>";
  out += "</ul>\n<div class=\"pair\">\n";
  for (const Finding& f : report.generators)
    out += response_figures(f, "share not valid",
                            "Share of images that the judge cannot read against " + title_of(report, f) + ".");
  return out + "</div></section>\n";
}

/// What conditions are together.
inline std::string interactions_section(const FailureReport& report) {
  if (report.interactions.empty()) return {};
  std::string out = "<section id=\"interactions\">\n<h2>Together</h2>\n<ul>";
  for (const analysis::InteractionFinding& i : report.interactions) out += "<li>" + html(i.headline) + "</li>";
  out += "</ul>\n<div class=\"pair\">\n";
  for (const analysis::InteractionFinding& i : report.interactions)
    out += chart_figure(property_map_chart(i),
                        "Failure rate of valid samples against both properties; every row and "
                        "every column holds as many samples.");
  return out + "</div></section>\n";
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
