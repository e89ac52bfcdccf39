// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The sections of the page about what is no cause, or not known to be one, and about conditions together.

#include <faultline/render/detail/html_findings.hpp>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Conditions that are confirmed and not known to be causes, each with its reason.
inline std::string other_conditions_section(const FailureReport& report, const std::string& moved) {
  struct List {
    const std::vector<Finding>* findings;
    const char* title;
    const char* words;
  };
  const List lists[] = {
      {&report.undecided, "Undecided",
       "Failures go with these; the images that were moved do not say yet whether they are causes. What explains less "
       "than a fortieth of what all conditions explain was not moved."},
      {&report.not_movable, "Not movable by this generator",
       "Failures go with these; the generator does not change them, or not without something else, so that nobody can "
       "try whether they are causes."},
      {&report.associated, "Associated, but no causes",
       "Failures go with these on held-out samples too, but changing them by themselves does not change the failure "
       "rate: "
       "they go along with a cause, or with something that was not measured."}};
  std::string out;
  for (const List& list : lists) {
    if (list.findings->empty()) continue;
    out += "<h3>" + std::string(list.title) + "</h3>\n<p>" + list.words + "</p>\n";
    HtmlTable table({{"Condition"},
                     {"Improves the prediction of failures by", true},
                     {"p, adjusted", true},
                     {"Found again in half-samples", true},
                     {"Change of the failure rate when moved, points", true},
                     {"What it means"}});
    for (const Finding& f : *list.findings)
      table.row({"<b>" + html(title_of(report, f)) + "</b>", html(share_text(f.condition.deviance_share)),
                 html(p_value(f.confirmation.p_adjusted)), percent(f.condition.stability, 0),
                 html(effect_text(f.intervention)), html(headline_of(report, f))});
    out += std::move(table).finish() + "<div class=\"pair\">\n";
    for (const Finding& f : *list.findings)
      out += response_figures(report, f, "failure rate",
                              "How often valid images fail as the generator makes them, against " +
                                  title_of(report, f) + "; bars: 95 % intervals that hold for all points together.");
    out += "</div>\n";
  }
  if (out.empty()) return out;
  return "<section id=\"others\">\n<h2>Conditions that are not known to be causes</h2>\n" + out + moved +
         "</section>\n";
}

/// What is the generator's.
inline std::string generators_section(const FailureReport& report) {
  if (report.generators.empty()) return {};
  std::string out =
      "<section id=\"generators\">\n<h2>The generator's</h2>\n<p>Under these conditions the judge cannot read the "
      "images either: they no longer show their class. Failures there say nothing about the classifier, and are left "
      "out "
      "of conditions and causes.</p>\n<ul>";
  for (const Finding& f : report.generators) out += "<li>" + html(headline_of(report, f)) + "</li>";
  out += "</ul>\n<div class=\"pair\">\n";
  for (const Finding& f : report.generators)
    out += response_figures(report, f, "share not valid",
                            "Share of images that the judge cannot read, against " + title_of(report, f) +
                                "; bars: 95 % intervals that hold for all points together.");
  return out + "</div></section>\n";
}

/// The causes on real images.
inline std::string real_images_section(const FailureReport& report) {
  if (report.real_images.empty()) return {};
  std::string out =
      "<section id=\"real\">\n<h2>On real images</h2>\n<p>How often real labelled images fail against the properties "
      "of "
      "the causes, beside the generated ones, in the same bins. Levels of the two need not agree, because the real "
      "images have "
      "a mix of their own; what the generated images predict for exactly these real ones, from their class and the "
      "properties of all causes, should.</p>\n";
  HtmlTable table({{"Property"},
                   {"Rank correlation of the failure rates", true},
                   {"... of predicted and real rates", true},
                   {"Bins", true},
                   {"Generated images flip at", true},
                   {"Real minus generated there, percentage points", true}});
  for (const analysis::RealImageCheck& check : report.real_images) {
    const auto& label = check.real.class_label;
    table.row({html(check.property + (label ? " in class " + class_name(report, *label) : "")),
               check.rank_correlation ? shown(*check.rank_correlation, 2) : "—",
               check.prediction_correlation ? shown(*check.prediction_correlation, 2) : "—", count(check.bins),
               check.flip ? measured(*check.flip) : "—",
               check.difference ? signed_shown(100.0 * *check.difference, 1) : "—"});
  }
  out += std::move(table).finish() + "<div class=\"pair\">\n";
  for (const analysis::RealImageCheck& check : report.real_images)
    out += chart_figure(real_image_chart(check),
                        "Failure rate against " + check.property +
                            ", generated, real, and predicted for the real; bars: 95 % intervals that "
                            "hold for all points of a curve together.");
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
                        "How often valid images fail against both properties, as the generator makes them; every row "
                        "and every column holds as many samples.");
  return out + "</div></section>\n";
}

inline std::string property_distances_section(const FailureReport& report) {
  if (report.property_distances.empty()) return {};
  HtmlTable table({{"Image property"},
                   {"Moved towards"},
                   {"Median distance to the flip, 95 % interval"},
                   {"The property there, with quartiles", true},
                   {"Images that flip", true},
                   {"Population percentile of the flip", true},
                   {"Judge agrees at the flip", true}},
                  "Well-classified images are moved in one property while the others are held, causes or not. These "
                  "directions depend on the generator and the seed, not on the classifier, so that the rows of two "
                  "classifiers compare.");
  for (const analysis::PropertyDistance& property : report.property_distances) {
    const std::optional<Crossing>& flip = property.flip;
    const bool crosses = flip && std::isfinite(flip->sigmas);
    table.row({html(property.name), property.sign < 0 ? "less" : "more",
               html(interval_text(flip)) +
                   (crosses && flip->off_manifold ? " <span class=\"chip warn\">unusual images</span>" : ""),
               html(property.at_flip ? flip_value_text(*property.at_flip) : std::string("—")),
               percent(flip ? flip->crossed_share : 0.0, 0), crosses ? shown(flip->percentile, 1) : "—",
               property.validity.agreement ? html(validity_text(property.validity)) : "—"});
  }
  return "<section id=\"properties\">\n<h2>How much of each property the classifier withstands</h2>\n" +
         std::move(table).finish() + "</section>\n";
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
