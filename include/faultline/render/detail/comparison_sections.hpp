// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The sections of the page of a comparison.

#include <faultline/render/charts.hpp>
#include <faultline/render/comparison_report.hpp>
#include <faultline/render/detail/comparison_charts_impl.hpp>
#include <faultline/render/detail/html_findings.hpp>
#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/detail/text.hpp>

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

inline const std::string& compared_name(const ComparisonReport& report, std::int64_t position) {
  static const std::string unknown = "?";
  return position >= 0 && position < static_cast<std::int64_t>(report.classifiers.size())
             ? report.classifiers[static_cast<std::size_t>(position)].name
             : unknown;
}

inline std::string compared_class(const ComparisonReport& report, std::int64_t label) {
  return label >= 0 && label < static_cast<std::int64_t>(report.class_names.size())
             ? report.class_names[static_cast<std::size_t>(label)]
             : std::to_string(label);
}

inline std::string quiet(const std::string& text) { return "<span class=\"quiet\">" + html(text) + "</span>"; }

/// "27.82 (27.16 to 28.47)" percentage points, whichever sign.
inline std::string points_text(const analysis::Share& share, double sign = 1.0) {
  const double low = 100.0 * sign * (sign > 0 ? share.lower : share.upper),
               high = 100.0 * sign * (sign > 0 ? share.upper : share.lower);
  return shown(100.0 * sign * share.estimate, 2) + " (" + shown(low, 2) + " to " + shown(high, 2) + ")";
}

inline std::string rates_section(const ComparisonReport& report) {
  std::string out = "<section id=\"rates\">\n<h2>Who fails how often</h2>\n";
  HtmlTable table({{"Classifier"},
                   {"Failure rate", true},
                   {"Interval", true},
                   {"Failures", true},
                   {"Samples", true},
                   {"Of them its own", true},
                   {"Its own causes of failure"}},
                  "Its own are failures on images that the judge still reads.");
  for (const ComparedClassifier& c : report.classifiers) {
    std::string causes;
    for (const analysis::ComparedFinding& finding : c.findings)
      causes += "<b>" + html(finding.title) + "</b> " + quiet(share_text(finding.attributable)) + "<br>";
    table.row({html(c.name), percent(c.failure_rate.estimate, 2),
               percent(c.failure_rate.lower, 2) + " to " + percent(c.failure_rate.upper, 2),
               count(c.failure_rate.failures), count(c.failure_rate.n),
               c.blame ? percent(c.blame->classifier.estimate, 0) + " " +
                             quiet("(" + percent(c.blame->classifier.lower, 0) + " to " +
                                   percent(c.blame->classifier.upper, 0) + ")")
                       : quiet("not checked"),
               causes + quiet(c.reason)});
  }
  out += std::move(table).finish();
  std::vector<HtmlColumn> columns = {{"Class"}};
  for (const ComparedClassifier& c : report.classifiers) columns.push_back({c.name.c_str(), true});
  HtmlTable classes(
      columns,
      "Failure rate per class; the intervals of one classifier hold together. Every classifier saw the same samples.");
  for (std::int64_t label = 0; label < report.classes; ++label) {
    std::vector<std::string> cells = {html(compared_class(report, label))};
    for (const ComparedClassifier& c : report.classifiers) {
      const Rate rate = static_cast<std::size_t>(label) < c.class_rates.size()
                            ? c.class_rates[static_cast<std::size_t>(label)]
                            : Rate{};
      cells.push_back(rate.n > 0 ? percent(rate.estimate, 1) + " " +
                                       quiet("(" + percent(rate.lower, 1) + " to " + percent(rate.upper, 1) + ")")
                                 : "—");
    }
    classes.row(cells);
  }
  return out + "<h4>Per class</h4>\n" + std::move(classes).finish() + "</section>\n";
}

inline std::string pairs_section(const ComparisonReport& report) {
  std::string out = "<section id=\"pairs\">\n<h2>Pairs on the same samples</h2>\n";
  HtmlTable table({{"First"},
                   {"Second"},
                   {"Both right", true},
                   {"Only the first fails", true},
                   {"Only the second fails", true},
                   {"Both fail", true},
                   {"Difference of failure rates, percentage points", true},
                   {"p, adjusted", true}},
                  "McNemar's exact test looks at the samples that one of the two alone fails on. The difference is "
                  "first minus second, with its 95 % interval: where it lies below zero, the first fails less often.");
  for (const analysis::PairComparison& pair : report.pairs) {
    const statistics::PairedTest& t = pair.test;
    table.row({html(compared_name(report, pair.first)), html(compared_name(report, pair.second)),
               count(t.counts.both_right), count(t.counts.only_first_fails), count(t.counts.only_second_fails),
               count(t.counts.both_fail),
               signed_shown(100.0 * t.difference, 2) + " " +
                   quiet("(" + signed_shown(100.0 * t.lower, 2) + " to " + signed_shown(100.0 * t.upper, 2) + ")"),
               html(p_value(pair.p_adjusted))});
  }
  return out + std::move(table).finish() + "</section>\n";
}

/// One row per condition: what it is, what moving it does to both, and how sure that is.
inline std::string separating_table(const std::vector<analysis::SeparatingCondition>& conditions,
                                    const std::string& right, const std::string& wrong) {
  const std::string wrong_heading = "Change of the failure rate of " + wrong + ", percentage points",
                    right_heading = "Of " + right;
  HtmlTable table({{"Condition"},
                   {wrong_heading.c_str(), true},
                   {right_heading.c_str(), true},
                   {"Difference", true},
                   {"Latents moved", true},
                   {"Would not be so at its usual level", true},
                   {"Explains of the deviance", true},
                   {"p, adjusted", true}},
                  "The same images are moved for both, from the end that does not fail to the one that does. All "
                  "bounds hold together.");
  for (const analysis::SeparatingCondition& c : conditions) {
    const auto points = [](const std::optional<analysis::Share>& share) {
      return share ? html(points_text(*share)) : quiet("not moved");
    };
    table.row({"<b>" + html(c.finding.title) + "</b> " + quiet(shape_words(c.finding)),
               "<b>" + points(c.wrong_change) + "</b>", points(c.right_change), points(c.difference),
               c.latents > 0 ? count(c.latents) : "—", html(share_text(c.finding.attributable)),
               html(share_text(c.finding.condition.deviance_share)), html(p_value(c.finding.confirmation.p_adjusted))});
  }
  return std::move(table).finish();
}

/// Conditions with their headlines and, below the table, how often the one is wrong where the other is right.
inline std::string conditions_of(const std::vector<analysis::SeparatingCondition>& conditions, const std::string& right,
                                 const std::string& wrong) {
  std::string out = "<ul>";
  for (const analysis::SeparatingCondition& c : conditions) out += "<li>" + html(c.finding.headline) + "</li>";
  out += "</ul>\n" + separating_table(conditions, right, wrong) + "<div class=\"pair\">\n";
  for (const analysis::SeparatingCondition& c : conditions)
    for (const analysis::ResponseCurve& curve : c.finding.response)
      out += chart_figure(response_chart(curve, "share that " + wrong + " gets wrong"),
                          "Of the valid samples that " + right + " gets right, not moved, the share that " + wrong +
                              " gets wrong; bars: intervals that hold together.");
  return out + "</div>\n";
}

inline std::string orders_section(const ComparisonReport& report) {
  std::string out = "<section id=\"conditions\">\n<h2>On what one is right and the other wrong</h2>\n";
  for (const analysis::PairComparison& pair : report.pairs) {
    for (const analysis::OrderedComparison& order : pair.orders) {
      const std::string &right = compared_name(report, order.right), &wrong = compared_name(report, order.wrong);
      out += "<h3>" + html(right + " right, " + wrong + " wrong") + "</h3>\n<p>" + html(order.reason) + "</p>\n";
      if (order.rate.n > 0)
        out += "<p>" +
               html("Of " + count(order.rate.n) + " valid samples that " + right + " gets right, " + wrong +
                    " gets wrong " + count(order.rate.failures) + ": " + percent(order.rate.estimate, 2) + " (" +
                    percent(order.rate.lower, 2) + " to " + percent(order.rate.upper, 2) + ").") +
               "</p>\n";
      if (!order.conditions.empty()) out += conditions_of(order.conditions, right, wrong);
      if (!order.others.empty())
        out += "<h4>Goes with it, but not shown to separate them when moved</h4>\n" +
               conditions_of(order.others, right, wrong);
    }
  }
  return out + "</section>\n";
}

inline std::string fractions_section(const ComparisonReport& report) {
  if (report.fractions.empty()) return {};
  std::string out =
      "<section id=\"fractions\">\n<h2>How many failures each would be rid of without a cause</h2>\n<p>The same images "
      "are set to the "
      "usual level of one cause of one classifier, and every classifier is asked again: the share of its own failures "
      "on valid images that would not occur.</p>\n";
  out += chart_figure(paired_fraction_chart(report),
                      "Markers: the share of the failures that would not occur; bars: 95 % intervals, each by itself.");
  std::vector<std::string> headings;
  for (const analysis::PairComparison& pair : report.pairs)
    headings.push_back(compared_name(report, pair.first) + " − " + compared_name(report, pair.second));
  std::vector<HtmlColumn> columns = {{"Cause"}, {"Of"}};
  for (const ComparedClassifier& c : report.classifiers) columns.push_back({c.name.c_str(), true});
  for (const std::string& heading : headings) columns.push_back({heading.c_str(), true});
  HtmlTable table(columns,
                  "Shares with 95 % intervals; then for each pair the difference of the shares in percentage points, "
                  "with intervals that hold together for the whole table.");
  for (const analysis::PairedFraction& f : report.fractions) {
    std::vector<std::string> cells = {html(f.title), html(f.source)};
    for (const analysis::Attributable& own : f.fractions) cells.push_back(html(share_text(own)));
    for (const analysis::FractionDifference& d : f.differences)
      cells.push_back(d.difference ? html(points_text(*d.difference)) : "—");
    cells.resize(columns.size(), "—");
    table.row(cells);
  }
  return out + std::move(table).finish() + "</section>\n";
}

/// "1.83 (1.52 to 2.20)", "at least 4.1", or that nothing is known.
inline std::string ratio_text(const analysis::DistanceRatio& ratio) {
  if (ratio.ratio)
    return "<b>" + shown(*ratio.ratio, 2) + "</b> " +
           quiet("(" + shown(ratio.lower, 2) + " to " + shown(ratio.upper, 2) + ")");
  if (ratio.lower > 0.0) return "at least <b>" + shown(ratio.lower, 2) + "</b>";
  if (std::isfinite(ratio.upper)) return "at most <b>" + shown(ratio.upper, 2) + "</b>";
  return quiet("both medians beyond range");
}

inline std::string distances_section(const ComparisonReport& report) {
  if (report.distances.empty()) return {};
  std::string out =
      "<section id=\"distances\">\n<h2>How much each withstands</h2>\n<p>The same images, all of which every "
      "classifier "
      "gets right, are moved along the same directions until each classifier gives way. A ratio above 1 means that the "
      "second withstands more.</p>\n";
  out += chart_figure(
      paired_distance_chart(report),
      "Markers: median distance; bars: 95 % interval of the median; an arrow: the median lies beyond 10 standard "
      "deviations; hollow markers: off the manifold, where fewer than 1 in 1000 generated images lie.");
  std::vector<std::string> headings;
  for (const analysis::PairComparison& pair : report.pairs)
    headings.push_back(compared_name(report, pair.second) + " / " + compared_name(report, pair.first));
  std::vector<HtmlColumn> columns = {{"Direction"}, {"From"}};
  for (const ComparedClassifier& c : report.classifiers) columns.push_back({c.name.c_str(), true});
  for (const std::string& heading : headings) columns.push_back({heading.c_str(), true});
  HtmlTable table(
      columns,
      "Median distance of each classifier with its 95 % interval, then for each pair the ratio of medians with a "
      "bootstrap interval, and p of the exact sign test over the latents, adjusted for all directions and pairs. "
      "Beside a distance: the property itself on the images that flip (median and quartiles), and how many of these "
      "images the judge still gives their label.");
  for (const analysis::PairedDistance& d : report.distances) {
    std::vector<std::string> cells = {html(d.title),
                                      d.source == "property" ? "property" : html("cause of " + d.source)};
    for (const analysis::ComparedDistance& c : d.distances)
      cells.push_back(html(compared_text(c)) +
                      (c.at_flip.empty() ? std::string() : " " + quiet("at " + flip_property_text(c.at_flip.front()))) +
                      (c.validity.agreement ? " " + quiet("judge " + validity_text(c.validity)) : std::string()));
    for (const analysis::DistanceRatio& ratio : d.ratios)
      cells.push_back(ratio_text(ratio) + " " + quiet("p " + p_value(ratio.p_adjusted)));
    cells.resize(columns.size(), "—");
    table.row(cells);
  }
  return out + std::move(table).finish() + "</section>\n";
}

inline std::string accuracy_section(const ComparisonReport& report) {
  if (report.accuracy.empty()) return {};
  std::string out =
      "<section id=\"accuracy\">\n<h2>Accuracy against distance</h2>\n<p>How accuracy falls with the distance from the "
      "centre of the images of a class that all classifiers get right, in the subspace of the " +
      count(static_cast<std::int64_t>(report.accuracy_channels.size())) +
      " style channels that failures go along with most. One axis serves all, and the last bin keeps everything "
      "beyond.</p>\n";
  out += chart_figure(accuracy_chart(report), "Bars: 95 % intervals, each by itself.");
  std::vector<HtmlColumn> columns = {{"Class"}};
  for (const ComparedClassifier& c : report.classifiers) columns.push_back({c.name.c_str(), true});
  HtmlTable table(columns,
                  "Accuracy in the nearest bin and in the open last one, per class; comparison.json has all bins.");
  for (std::int64_t label = 0; label < report.classes; ++label) {
    std::vector<std::string> cells = {html(compared_class(report, label))};
    for (const ComparedClassifier& c : report.classifiers)
      for (const analysis::AccuracyCurve& curve : report.accuracy) {
        if (curve.name != c.name || curve.class_label != std::optional<std::int64_t>(label) || curve.bins.empty())
          continue;
        const auto cell = [](const Rate& rate) {
          return rate.n > 0 ? percent(1.0 - rate.estimate, 1) : std::string("—");
        };
        cells.push_back(cell(curve.bins.front().rate) + " → " + cell(curve.bins.back().rate));
      }
    cells.resize(columns.size(), "—");
    table.row(cells);
  }
  return out + std::move(table).finish() + "</section>\n";
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
