// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The page of a comparison, section by section.

#include <faultline/analysis/replay.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/render/comparison_report.hpp>
#include <faultline/render/detail/comparison_charts_impl.hpp>
#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/detail/html_report_impl.hpp>
#include <faultline/render/detail/text.hpp>
#include <faultline/render/html_report.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
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

/// What the pair comes to, in one sentence.
inline std::string pair_words(const ComparisonReport& report, const analysis::PairComparison& pair) {
  const std::string &first = compared_name(report, pair.first), &second = compared_name(report, pair.second);
  const statistics::PairedCounts& counts = pair.test.counts;
  if (counts.only_first_fails + counts.only_second_fails == 0)
    return first + " and " + second + " are right and wrong on exactly the same samples.";
  if (pair.p_adjusted > 0.05)
    return "That " + first + " and " + second +
           " fail equally often is compatible with what was seen; that does not show that they do.";
  const bool worse = pair.test.difference > 0.0;
  return (worse ? first : second) + " fails more often than " + (worse ? second : first) + ".";
}

inline std::string comparison_summary(const ComparisonReport& report) {
  std::string out = "<section class=\"verdict\" id=\"verdict\">\n<h2>In short</h2>\n<div class=\"tiles\">";
  for (const ComparedClassifier& classifier : report.classifiers) {
    const Rate& rate = classifier.failure_rate;
    out +=
        tile(classifier.name, percent(rate.estimate, 2),
             "fail; " + percent(rate.confidence, 0) + " interval " + percent(rate.lower, 2) + " to " +
                 percent(rate.upper, 2) + "; " + count(rate.failures) + " of " + count(rate.n) + " generated images");
  }
  out += "</div>\n<ul>";
  for (const analysis::PairComparison& pair : report.pairs) {
    out += "<li>" + html(pair_words(report, pair)) + "</li>";
    for (const analysis::OrderedComparison& order : pair.orders)
      if (!order.directions.empty()) out += "<li>" + html(order.reason) + "</li>";
  }
  return out + "</ul></section>\n";
}

inline std::string rates_section(const ComparisonReport& report) {
  std::string out = "<section id=\"rates\">\n<h2>Who fails how often</h2>\n";
  HtmlTable table({{"Classifier"},
                   {"Failure rate", true},
                   {"Interval", true},
                   {"Failures", true},
                   {"Samples", true},
                   {"Its own causes of failure"}});
  for (const ComparedClassifier& c : report.classifiers) {
    std::string causes;
    for (const std::string& finding : c.findings) causes += (causes.empty() ? "" : "; ") + finding;
    table.row({html(c.name), percent(c.failure_rate.estimate, 2),
               percent(c.failure_rate.lower, 2) + " to " + percent(c.failure_rate.upper, 2),
               count(c.failure_rate.failures), count(c.failure_rate.n),
               (causes.empty() ? "" : html(causes) + "<br>") + quiet(c.reason)});
  }
  out += std::move(table).finish();
  std::vector<HtmlColumn> columns = {{"Class"}};
  for (const ComparedClassifier& c : report.classifiers) columns.push_back({c.name.c_str(), true});
  HtmlTable classes(columns, "Failure rate per class, with 95 % interval. Every classifier saw the same samples.");
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

inline std::string separating_table(const std::vector<analysis::SeparatingDirection>& directions,
                                    const std::string& right, const std::string& wrong) {
  const std::string wrong_heading = "Failure rate of " + wrong + ", moved ±2 sd",
                    right_heading = "Failure rate of " + right + ", moved ±2 sd";
  HtmlTable table({{"Direction"},
                   {"Changes most"},
                   {"Effect, sd", true},
                   {"p, adjusted", true},
                   {wrong_heading.c_str(), true},
                   {right_heading.c_str(), true},
                   {"Codes for and against", true},
                   {"Outcome (at least)", true},
                   {"Random directions", true}});
  for (const analysis::SeparatingDirection& d : directions) {
    const bool named = !d.side_effects.empty() && std::abs(d.side_effects.front().strength) >= 0.5;
    table.row(
        {html(d.title),
         named
             ? html(std::string(d.side_effects.front().strength < 0 ? "less " : "more ") + d.side_effects.front().name)
             : "—",
         signed_shown(d.confirmation.effect, 2), html(p_value(d.confirmation.p_adjusted)),
         "<b>" + signed_shown(d.wrong_contrast, 2) + "</b>", signed_shown(d.right_contrast, 2),
         count(d.codes_for) + " : " + count(d.codes_against),
         signed_shown(d.intervention.contrast, 2) + " " + quiet("(" + signed_shown(d.intervention.lower, 2) + ")"),
         signed_shown(d.intervention.placebo, 2)});
  }
  return std::move(table).finish();
}

inline std::string orders_section(const ComparisonReport& report) {
  std::string out = "<section id=\"directions\">\n<h2>Where one is right and the other wrong</h2>\n";
  for (const analysis::PairComparison& pair : report.pairs) {
    for (const analysis::OrderedComparison& order : pair.orders) {
      const std::string &right = compared_name(report, order.right), &wrong = compared_name(report, order.wrong);
      out += "<h3>" + html(right + " right, " + wrong + " wrong") + "</h3>\n<p>" + html(order.reason) + "</p>\n";
      if (!order.directions.empty()) out += separating_table(order.directions, right, wrong);
      if (!order.associated.empty())
        out += "<h4>Associated, but not shown to part them when moved</h4>\n" +
               separating_table(order.associated, right, wrong);
    }
  }
  return out + "</section>\n";
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
      "<section id=\"distances\">\n<h2>How far each holds out</h2>\n<p>The same images, all of which every classifier "
      "gets right, are moved along the same directions until each classifier gives way. A ratio above 1 means that the "
      "second holds out longer.</p>\n";
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
      "bootstrap interval, and p of the exact sign test over the codes, adjusted for all directions and pairs.");
  for (const analysis::PairedDistance& d : report.distances) {
    std::vector<std::string> cells = {html(d.title),
                                      d.source == "property" ? "property" : html("cause of " + d.source)};
    for (const analysis::ComparedDistance& c : d.distances)
      cells.push_back(html(compared_text(c)) +
                      (c.judge_agreement ? " " + quiet("judge " + percent(*c.judge_agreement, 0)) : std::string()));
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

inline std::string comparison_repeat(const ComparisonReport& report) {
  const Provenance& p = report.provenance;
  auto list = run_facts(p);
  list.emplace_back("Images generated", count(report.population_cost.generator_images) +
                                            " for the samples, which all classifiers share; " +
                                            count(report.cost.generator_images) + " in all");
  list.emplace_back("Images classified", count(report.population_cost.classifier_images) + " samples, " +
                                             count(report.cost.classifier_images) +
                                             " in all, by all classifiers together");
  std::string out = "<section id=\"repeat\">\n<h2>How to repeat this</h2>\n";
  if (!p.command.empty()) out += "<pre>" + html(p.command) + "</pre>\n";
  return out + "<pre>" + html(analysis::replay(report)) + "</pre>\n" + facts(list) + "</section>\n";
}

inline constexpr std::string_view comparison_definitions = R"html(<section id="words">
<h2>What the words mean</h2>
<dl class="words">
<dt>Failure</dt><dd>An answer that the criterion rejects; unless stated otherwise, the most probable class is not the class the image was generated for.</dd>
<dt>Direction, standard deviation (sd)</dt><dd>The generator draws an image from a list of numbers; a direction changes them together. A move of 1 sd is an everyday difference between two images of a class, a move of 4 sd a rare one.</dd>
<dt>Where one is right and the other wrong</dt><dd>Directions that set apart the images on which the one is right and the other wrong from those that both get right. They are chosen on one half of the samples and tested on the other (p, adjusted for all pairs), and then images are moved: a direction is listed only if moving along it brings about this outcome clearly more often than a random direction does, and hurts the one that is wrong on more codes than the other. A fault that both share parts nobody.</dd>
<dt>Codes for and against</dt><dd>Of the same fresh images, on how many the move from −2 to +2 sd made the wrong one fail more than the right one, and on how many it was the other way round.</dd>
<dt>Distance to the flip</dt><dd>How far an image that all classifiers get right has to be moved until this classifier's answer becomes a failure. Medians over the images; images that never get there within 10 sd count as infinitely far, and ratios with them are bounds.</dd>
<dt>Judge</dt><dd>A second, stronger classifier: the share of flipped images that still show their class to it. Where it is low, the image has changed rather than the classifier given way. A judge that is itself compared never agrees with its own failures.</dd>
<dt>p, adjusted</dt><dd>The chance of so clear a result if there were no difference, corrected for the number of questions of its kind (Holm).</dd>
</dl></section>
)html";

}  // namespace detail

FAULTLINE_INLINE std::string html_comparison(const ComparisonReport& report, const RenderOptions& options) {
  using namespace detail;
  std::string names;
  for (const ComparedClassifier& classifier : report.classifiers)
    names += (names.empty() ? "" : ", ") + classifier.name;
  const std::string title =
      options.title.empty() ? "Comparison of " + (names.empty() ? "classifiers" : names) : options.title;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      html(title) + "</title>\n<style>" + std::string(detail::page_style) + "</style></head>\n<body>\n";
  page += "<header><div class=\"bar\"><h1>" + html(title) +
          "</h1>\n<p class=\"quiet\">The same generated images for all: who fails, where they part, and how much each "
          "stands. Found by Faultline " +
          html(report.provenance.library_version) + ".</p>\n<nav>";
  const auto link = [&](const char* id, const char* name) {
    page += std::string("<a href=\"#") + id + "\">" + name + "</a>\n";
  };
  link("verdict", "In short");
  link("rates", "Rates");
  link("pairs", "Pairs");
  link("directions", "Directions");
  if (!report.distances.empty()) link("distances", "Distances");
  if (!report.accuracy.empty()) link("accuracy", "Accuracy against distance");
  link("repeat", "How to repeat");
  link("words", "What the words mean");
  page += "</nav></div></header>\n<main>\n" + comparison_summary(report);
  if (!report.warnings.empty()) {
    page += "<section class=\"warnings\" id=\"warnings\">\n<h2>Warnings</h2>\n<ul>";
    for (const std::string& warning : report.warnings) page += "<li>" + html(warning) + "</li>";
    page += "</ul></section>\n";
  }
  page += rates_section(report) + pairs_section(report) + orders_section(report) + distances_section(report) +
          accuracy_section(report) + comparison_repeat(report) + std::string(detail::comparison_definitions);
  return page + "<footer>Format " + html(report.schema) +
         ". Numbers in full: comparison.json beside this page.</footer>\n</main>\n</body></html>\n";
}

FAULTLINE_INLINE void write_comparison(const ComparisonReport& report, const std::filesystem::path& directory,
                                       const RenderOptions& options) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed)
    throw Error(ErrorCode::cannot_write, "write_comparison",
                "could not make the folder '" + directory.string() + "': " + failed.message() +
                    "; choose a folder that can be written to");
  core::write_file_atomically(directory / "comparison.json", to_json(report));
  core::write_file_atomically(directory / "comparison.html", html_comparison(report, options));
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
