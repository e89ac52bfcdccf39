// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The section of the page about classes.

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/html_numbers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Whether all rows are of one length, as those of a report that was read are.
inline bool is_rectangular(const analysis::CountTable& table) {
  return std::all_of(table.counts.begin(), table.counts.end(),
                     [&](const auto& row) { return row.size() == table.counts.front().size(); });
}

/// The most frequent wrong answers; all of them are in report.json.
inline std::string confusion_table(const FailureReport& report) {
  struct Cell {
    std::int64_t label, answer, count;
  };
  std::vector<Cell> cells;
  if (!is_rectangular(report.confusion)) return {};
  for (std::int64_t label = 0; label < report.confusion.rows(); ++label)
    for (std::int64_t answer = 0; answer < report.confusion.cols(); ++answer)
      if (label != answer && report.confusion(label, answer) > 0)
        cells.push_back({label, answer, report.confusion(label, answer)});
  if (cells.empty()) return {};
  std::stable_sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) { return a.count > b.count; });
  if (cells.size() > 8) cells.resize(8);
  HtmlTable table({{"Class"}, {"Answered as"}, {"Samples", true}, {"Of the class", true}},
                  "The most frequent wrong answers; the whole table is in report.json.");
  for (const Cell& cell : cells) {
    double total = 0;  // (in floating point, because counts of a file may be as large as they like)
    for (std::int64_t answer = 0; answer < report.confusion.cols(); ++answer)
      total += static_cast<double>(report.confusion(cell.label, answer));
    table.row({html(class_name(report, cell.label)), html(class_name(report, cell.answer)), count(cell.count),
               percent(static_cast<double>(cell.count) / total, 1)});
  }
  return std::move(table).finish();
}

/// What the numbers in the sentence about a class are called.
inline std::string class_finding_names(const FailureReport& report, const analysis::ClassFinding& finding) {
  const auto called = [&](std::int64_t label) {
    const std::string name = class_name(report, label), number = std::to_string(label);
    return name == number ? std::string() : number + " is " + name;
  };
  std::string text = called(finding.class_label);
  if (const std::string answer = finding.answer ? called(*finding.answer) : ""; !answer.empty())
    text += (text.empty() ? "" : ", ") + answer;
  return text.empty() ? text : " <span class=\"quiet\">(" + html(text) + ")</span>";
}

inline std::string classes_section(const FailureReport& report, const std::vector<ReportPicture>& pictures) {
  std::string out = "<section id=\"classes\">\n<h2>Classes</h2>\n";
  for (const analysis::ClassFinding& finding : report.class_findings)
    out += "<p><b>" + html(finding.headline) + "</b>" + class_finding_names(report, finding) + "</p>\n";
  if (report.class_leak)
    out +=
        "<p>The judge gives " + percent(report.class_leak->estimate) + " (" + percent(report.class_leak->lower) +
        " to " + percent(report.class_leak->upper) +
        ") of all images another label than the one they were generated for: these are not valid (class leak).</p>\n";
  const bool leaks = report.class_leaks.size() == report.class_rates.size() && !report.class_leaks.empty();
  std::vector<HtmlColumn> columns = {
      {"Class"}, {"Failure rate", true}, {"Interval", true}, {"Failures", true}, {"Samples", true}};
  if (leaks) columns.push_back({"Not valid", true});
  HtmlTable table(columns);
  const std::vector<std::int64_t> classes = shown_classes(report);
  if (classes.size() < report.class_rates.size())
    out += "<p>Shown are the " + std::to_string(classes.size()) + " of " + std::to_string(report.class_rates.size()) +
           " classes that fail most; report.json has all.</p>\n";
  for (const std::int64_t label : classes) {
    const Rate& rate = report.class_rates[static_cast<std::size_t>(label)];
    std::vector<std::string> cells = {html(class_name(report, label)), rate.n > 0 ? percent(rate.estimate, 1) : "—",
                                      rate.n > 0 ? percent(rate.lower, 1) + " to " + percent(rate.upper, 1) : "—",
                                      count(rate.failures), count(rate.n)};
    if (leaks) cells.push_back(percent(report.class_leaks[static_cast<std::size_t>(label)].estimate, 1));
    table.row(cells);
  }
  out +=
      "<div class=\"pair\">" +
      chart_figure(class_chart(report),
                   "Dots: failure rate; bars: 95 % intervals that hold for all classes together; dashed: all classes "
                   "taken together.") +
      "<div>" + std::move(table).finish() + confusion_table(report) + "</div></div>\n";
  const bool ranked = std::any_of(report.class_rankings.begin(), report.class_rankings.end(),
                                  [](const analysis::ClassRanking& r) { return !r.skipped; });
  if (ranked && report.class_rankings.size() > 1) {
    HtmlTable channels(
        {{"Class"}, {"First"}, {"Second"}, {"Third"}},
        "The single channels of the generator in which failures of each class differ most from its passes, with the "
        "difference in standard deviations; some channel always comes first (no error control). report.json has ten "
        "per "
        "class.");
    for (const std::int64_t label : classes) {
      if (label >= static_cast<std::int64_t>(report.class_rankings.size())) continue;
      const analysis::ClassRanking& ranking = report.class_rankings[static_cast<std::size_t>(label)];
      std::vector<std::string> cells = {html(class_name(report, label))};
      for (std::size_t i = 0; i < 3; ++i)
        cells.push_back(i < ranking.top.size()
                            ? html(channel_name(report, ranking.top[i].channel)) + " <span class=\"quiet\">" +
                                  signed_shown(ranking.top[i].effect, 2) + "</span>"
                        : i == 0 && ranking.skipped ? "skipped: fewer than two failures or passes"
                                                    : "—");
      channels.row(cells);
    }
    out += "<h4>Channels per class</h4>\n" + std::move(channels).finish();
  }
  return out +
         picture_figure(
             pictures, "failures",
             "What failures look like: the first ones of the samples that conditions are tested on, as they came.") +
         "</section>\n";
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
