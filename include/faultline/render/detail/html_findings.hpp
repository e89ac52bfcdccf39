// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The sections of the page that are about causes.

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/html_finding_tables.hpp>
#include <faultline/render/detail/html_numbers.hpp>
#include <faultline/render/detail/html_sweep.hpp>

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// One row per cause; its name leads to its section.
inline std::string findings_table(const FailureReport& report, const std::vector<Finding>& findings) {
  HtmlTable table({{"#", true},
                   {"Cause"},
                   {"Failures that would not occur at its usual level", true},
                   {"Change of the failure rate when moved, points", true},
                   {"Improves the prediction of failures by", true},
                   {"Found again in half-samples", true},
                   {"Median distance to failure", true},
                   {"Images flip at"},
                   {"Still valid there", true}},
                  "Sorted by the lower end of the first share. Every effect is measured on images that had no part in "
                  "choosing the condition; in brackets 95 % intervals. Points are percentage points, sd are standard "
                  "deviations; all columns are explained under What the words mean.");
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

/// Small labels of what a reader must not overlook.
inline std::string chips(const FailureReport& report, const Finding& finding) {
  const auto chip = [](const std::string& text, bool warn) {
    return std::string(" <span class=\"chip") + (warn ? " warn" : "") + "\">" + html(text) + "</span>";
  };
  std::string out = chip(shape_words(finding), false);
  if (finding.condition.class_label) out += chip("class " + class_name(report, *finding.condition.class_label), false);
  if (finding.condition.stability < 0.5)
    out += chip("unstable: found again in " + percent(finding.condition.stability, 0) + " of half-samples", true);
  if (finding.threshold.flip && finding.threshold.flip->off_manifold) out += chip("flips only on unusual images", true);
  if (finding.threshold.flip && !finding.threshold.flip->monotone) out += chip("comes back: not monotone", true);
  if (finding.validity.decision == analysis::ValidityDecision::mostly_invalid)
    out += chip("most images are no longer valid at the flip", true);
  return out;
}

/// "7 (on 12.0 % more of the images), 2 (on 3.0 % more of the images)".
inline std::string gained_answers_text(const FailureReport& report, const Finding& finding) {
  std::string text;
  for (const analysis::GainedAnswer& gained : finding.answers)
    text += (text.empty() ? "" : ", ") + class_name(report, gained.answer) + " (on " + percent(gained.gain, 1) +
            " more of the images)";
  return text;
}

/// "7 (62 % of its effect), 2 (11 %)".
inline std::string class_shares_text(const FailureReport& report, const analysis::ConditionSummary& condition) {
  std::string text;
  for (const analysis::ClassShare& share : condition.classes)
    text += (text.empty() ? "" : ", ") + class_name(report, share.class_label) + " (" + percent(share.share, 0) +
            (text.empty() ? " of what it explains)" : ")");
  return text;
}

inline std::string finding_facts(const FailureReport& report, const Finding& f) {
  const analysis::Intervention& e = f.intervention;
  std::vector<std::pair<std::string, std::string>> list;
  const auto add = [&list](const char* name, std::string text) { list.push_back({name, std::move(text)}); };
  const analysis::Attributable& share = f.attributable;
  add("Would not occur",
      !share.fraction ? std::string("not measured")
      : *share.fraction < 0.0
          ? "nothing: with it at its usual level there would be " + percent(-*share.fraction, 0) + " more failures (" +
                count(share.failures) + " failures among " + count(share.latents) + " images)"
          : share_text(share) +
                " of the failures on valid images, with it at its usual level and the other causes held (" +
                count(share.failures) + " failures among " + count(share.latents) + " images)");
  add("When moved",
      e.effect
          ? "the failure rate on valid images changes by " + effect_text(e) + " percentage points, decided after " +
                count(e.latents) + " images" +
                (e.min_effect ? "; " + shown(100.0 * *e.min_effect, 1) + " would count as a change" : std::string()) +
                (e.placebo ? "; 95 % of random directions stay below " + signed_shown(100.0 * *e.placebo, 1)
                           : std::string())
          : std::string("not moved"));
  if (e.invalid_high)
    add("Valid when moved",
        percent(1.0 - *e.invalid_high, 0) + " of the images at the failing end" +
            (e.invalid_low ? ", " + percent(1.0 - *e.invalid_low, 0) + " at the other" : std::string()));
  if (!f.answers.empty()) add("Answered instead", gained_answers_text(report, f));
  add("Predicts", "failures of held-out samples better by " + share_text(f.condition.deviance_share) +
                      " of the deviance, beyond the conditions found before it");
  add("By chance alone", "so clear a relation has probability " + p_value(f.confirmation.p_adjusted) +
                             " (p, adjusted for all conditions that were tested; raw " + p_value(f.confirmation.p) +
                             ")");
  add("Found again", "in " + percent(f.condition.stability, 0) + " of the searches on random half-samples");
  if (!f.condition.classes.empty()) add("Mostly in class", class_shares_text(report, f.condition));
  const std::optional<Crossing>& flip = f.threshold.flip;
  add("Distance to the flip",
      interval_text(flip) +
          (flip && std::isfinite(flip->sigmas)
               ? ", at percentile " + shown(flip->percentile, 1) + " of the population; " +
                     percent(flip->crossed_share, 0) + " of " + count(flip->latents) + " start images flip"
               : ""));
  for (const analysis::PropertyAtFlip& at : f.threshold.at_flip)
    add("Images flip at", flip_property_text(at) + ": median and quartiles over " + count(at.flips) + " images");
  if (f.other_end) {
    add("Towards the other end", interval_text(f.other_end->flip));
    for (const analysis::PropertyAtFlip& at : f.other_end->at_flip) add("Images flip there at", flip_property_text(at));
  }
  add("Distance to p(y) = .5", interval_text(f.threshold.even_odds));
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
    add("Unusual images", percent(flip->off_manifold_share, 0) +
                              " of the flips lie where fewer than 1 in 1000 generated images lie (off the manifold)");
  if (flip && !flip->monotone)
    add("Not monotone", "only " + percent(flip->monotone_share, 0) + " of the images stay failed once they failed");
  return facts(list);
}

/// The charts of how often samples fail against the condition's properties.
inline std::string response_figures(const FailureReport& report, const Finding& finding, const std::string& what,
                                    const std::string& caption) {
  std::string out;
  for (const analysis::ResponseCurve& curve : finding.response)
    out += chart_figure(response_chart(report, finding, curve, what), caption);
  return out;
}

/// Everything about one cause.
inline std::string finding_section(const FailureReport& report, const Finding& finding, std::size_t number,
                                   const std::vector<ReportPicture>& pictures, const std::vector<Sweep>& sweeps) {
  const std::string id = "finding-" + std::to_string(number);
  std::string out = "<section class=\"finding\" id=\"" + id + "\">\n<h3>" + std::to_string(number) + ". " +
                    html(title_of(report, finding)) + chips(report, finding) + "</h3>\n";
  if (!finding.headline.empty()) out += "<p>" + html(headline_of(report, finding)) + "</p>\n";
  out += sweep_figure(report, sweeps, id);
  out += picture_figure(pictures, id,
                        "Each row is one generated image, moved along this condition from left to right, with the "
                        "property as measured on it. A thick frame and a cross mark the images that the classifier "
                        "fails on.");
  out += finding_facts(report, finding) + "<div class=\"pair\">\n";
  out += response_figures(report, finding, "failure rate",
                          "How often valid images fail as the generator makes them, against the property; bars: 95 % "
                          "intervals that hold for all points together. The band is where images flip that are moved.");
  out += chart_figure(
      confidence_chart(report, finding),
      "What the classifier says when well-classified images are moved; p(y) is the probability that it gives "
      "to the right class. The dotted line is the median distance to the flip, its band the 95 % interval.");
  out +=
      chart_figure(side_effect_chart(report, finding),
                   "What the edit changes in the image. Between −.5 and .5 (grey) a property counts as hardly moved.");
  out +=
      chart_figure(property_chart(report, finding), "The property that moves most, as it is measured along the way.");
  out +=
      chart_figure(histogram_chart(report, finding),
                   "Where failures and well-classified images lie along this direction, not moved; of samples that had "
                   "no part in choosing it.");
  return out + "</div>\n" + class_split_table(report, finding) +
         picture_figure(pictures, id + "-classes", "The same condition, one image of each class.") +
         carriers_table(report, finding) + centres_table(report, finding) + "</section>\n";
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
