// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The page of render/conditions_report.hpp.

#include <faultline/render/html_report.hpp>  // first: its own definitions need the parts below

#include <faultline/core/atomic_file.hpp>
#include <faultline/error.hpp>
#include <faultline/render/conditions_report.hpp>
#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/detail/html_words.hpp>
#include <faultline/render/detail/text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline std::string labelled_class(const LabelledConditions& result, std::int64_t label) {
  const auto at = static_cast<std::size_t>(label);
  return at < result.class_names.size() ? result.class_names[at] : std::to_string(label);
}

inline std::string share_text(double share, double lower, double upper) {
  return percent(share, 1) + " (" + percent(lower, 1) + " to " + percent(upper, 1) + ")";
}

inline std::string conditions_summary(const LabelledConditions& result) {
  using analysis::ConditionsVerdict;
  const std::size_t found = result.conditions.size();
  const char* kind = result.verdict == ConditionsVerdict::conditions_found   ? "verdict causes"
                     : result.verdict == ConditionsVerdict::too_few_failures ? "verdict few"
                                                                             : "verdict";
  const std::string heading = result.verdict == ConditionsVerdict::too_few_failures ? "Too few failures to compare"
                              : found == 0                                          ? "No condition held"
                              : found == 1                                          ? "Failures go with one condition"
                                           : "Failures go with " + std::to_string(found) + " conditions";
  std::string out = std::string("<section class=\"") + kind + "\" id=\"verdict\">\n<h2>" + html(heading) +
                    "</h2>\n<p>" + html(result.reason) + "</p>\n<div class=\"tiles\">";
  const Rate& rate = result.failure_rate;
  out += tile("Failure rate", percent(rate.estimate, 2),
              "95 % interval " + percent(rate.lower, 2) + " to " + percent(rate.upper, 2) + "; " +
                  count(rate.failures) + " of " + count(rate.n) + " images");
  if (found + result.not_confirmed.size() > 0)
    out += tile("Explained together", percent(result.share, 0),
                "of the deviance of the test images, by everything that was tested; 95 % interval " +
                    percent(result.share_lower, 0) + " to " + percent(result.share_upper, 0));
  if (result.images_needed > 0)
    out += tile("Images that would be enough", "about " + count(result.images_needed), "at these failure rates");
  out += "</div>\n";
  if (found > 0) {
    out += "<ol>";
    for (const auto& own : result.conditions) out += "<li>" + html(own.sentence) + "</li>";
    out +=
        "</ol>\n<p class=\"quiet\">These are what failures go with. What makes the classifier fail may be something "
        "else that comes along with it: nothing was changed on purpose here.</p>\n";
  }
  return out + "</section>\n";
}

inline std::string condition_section(const LabelledConditions& result, const analysis::LabelledCondition& own,
                                     std::size_t number) {
  std::string out = "<section class=\"finding\" id=\"condition-" + std::to_string(number) + "\">\n<h3>" +
                    std::to_string(number) + ". " + html(own.name) + "</h3>\n<p>" + html(own.sentence) + "</p>\n";
  if (!own.curves.empty()) {
    const double confidence = own.curves.front().bins.front().rate.confidence;
    std::string caption =
        "Points: failure rate of the images in a bin, at its median; bars: intervals that hold "
        "together with probability " +
        exact(confidence) + ".";
    if (own.curves.front().bins.front().adjusted)
      caption +=
          " Images alike in the other conditions: the failure rate that a model of all conditions gives to the "
          "images at this value, the other conditions of each as they are.";
    if (own.class_label) caption += " Images of class " + labelled_class(result, *own.class_label) + ".";
    const std::size_t drawn = std::min<std::size_t>(own.curves.size(), 4);
    out += chart_figure(response_figure(std::span(own.curves).first(drawn)), caption);
  }
  std::vector<std::pair<std::string, std::string>> list = {
      {"Share of the deviance", share_text(own.share, own.share_lower, own.share_upper)},
      {"p, adjusted", p_value(own.p_adjusted)}};
  if (result.run.half_samples > 0)
    list.emplace_back("Found again in", percent(own.stability, 0) + " of half-samples of the discovery split");
  return out + facts(list) + "</section>\n";
}

inline std::string other_conditions(const LabelledConditions& result) {
  std::string out;
  if (!result.not_confirmed.empty()) {
    HtmlTable table({{"Condition"}, {"Share of the deviance", true}, {"p, adjusted", true}},
                    "Chosen on one split of the images, and not confirmed on the other.");
    for (const auto& own : result.not_confirmed)
      table.row({html(own.name), html(share_text(own.share, own.share_lower, own.share_upper)),
                 html(p_value(own.p_adjusted))});
    out += "<h3>Did not hold</h3>\n" + std::move(table).finish();
  }
  if (!result.interactions.empty()) {
    HtmlTable table({{"Conditions"}, {"Share of the deviance", true}, {"p, adjusted", true}, {"Held"}},
                    "Two conditions that matter together more, or less, than one by one.");
    for (const auto& own : result.interactions)
      table.row({html(own.first + " and " + own.second), html(share_text(own.share, own.share_lower, own.share_upper)),
                 html(p_value(own.p_adjusted)), own.confirmed ? "yes" : "no"});
    out += "<h3>Together</h3>\n" + std::move(table).finish();
  }
  return out.empty() ? out : "<section id=\"others\">\n" + out + "</section>\n";
}

inline std::string labelled_classes(const LabelledConditions& result) {
  constexpr std::size_t most = 50;
  HtmlTable table({{"Class"}, {"Failure rate", true}, {"Interval", true}, {"Failures", true}, {"Images", true}},
                  "95 % intervals that hold together, so that classes can be compared.");
  std::vector<std::int64_t> order;
  for (std::int64_t c = 0; c < result.classes; ++c)
    if (result.class_rates[static_cast<std::size_t>(c)].n > 0) order.push_back(c);
  const auto rate_of = [&](std::int64_t c) -> const Rate& { return result.class_rates[static_cast<std::size_t>(c)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return rate_of(a).estimate > rate_of(b).estimate; });
  for (std::size_t i = 0; i < std::min(order.size(), most); ++i) {
    const Rate& rate = rate_of(order[i]);
    table.row({html(labelled_class(result, order[i])), percent(rate.estimate, 1),
               percent(rate.lower, 1) + " to " + percent(rate.upper, 1), count(rate.failures), count(rate.n)});
  }
  std::string out = "<section id=\"classes\">\n<h2>Per class</h2>\n" + std::move(table).finish();
  std::vector<analysis::ConfusionCount> wrong;
  for (const auto& cell : result.confusion)
    if (cell.label != cell.answer) wrong.push_back(cell);
  if (!wrong.empty()) {
    std::stable_sort(wrong.begin(), wrong.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
    HtmlTable answers({{"Class"}, {"Answered as"}, {"Images", true}},
                      "The most frequent wrong answers; conditions.json has all.");
    for (std::size_t i = 0; i < std::min<std::size_t>(wrong.size(), 20); ++i)
      answers.row({html(labelled_class(result, wrong[i].label)), html(labelled_class(result, wrong[i].answer)),
                   count(wrong[i].count)});
    out += "<h3>Wrong answers</h3>\n" + std::move(answers).finish();
  }
  return out + "</section>\n";
}

inline std::string labelled_run(const LabelledConditions& result) {
  const analysis::LabelledRun& run = result.run;
  std::vector<std::pair<std::string, std::string>> list;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) list.emplace_back(name, value);
  };
  add("Images", run.images);
  add("Answers", run.answers);
  add("Classifier, digest", run.digest);
  add("Corruption", run.corruption);
  std::string names;
  for (const std::string& name : result.property_names) names += (names.empty() ? "" : ", ") + name;
  add("Properties", names);
  add("Sought in", count(result.discovery.images) + " images, " + count(result.discovery.failures) + " failures");
  add("Tested on", count(result.confirmation.images) + " images, " + count(result.confirmation.failures) + " failures");
  add("Compared", count(result.candidates) + " terms at the first step");
  add("Seed", std::to_string(run.seed));
  add("Family-wise error rate", exact(run.alpha));
  add("Permutations", count(run.permutations));
  add("Faultline", run.library_version);
  std::string out = "<section id=\"repeat\">\n<h2>How to repeat this</h2>\n";
  if (!run.command.empty()) out += "<pre>" + html(run.command) + "</pre>\n";
  return out + facts(list) + "</section>\n";
}

}  // namespace detail

FAULTLINE_INLINE std::string html_conditions(const LabelledConditions& result, const std::string& title) {
  using namespace detail;
  const std::string heading = title.empty() ? "Conditions of failure" : title;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      html(heading) + "</title>\n<style>" + std::string(page_style) + "</style></head>\n<body>\n";
  page += "<header><div class=\"bar\"><h1>" + html(heading) +
          "</h1>\n<p class=\"quiet\">What a classifier's failures on labelled images go with. Found by Faultline " +
          html(result.run.library_version) + ".</p>\n<nav>";
  const auto link = [&](const std::string& id, const std::string& name) {
    page += "<a href=\"#" + id + "\">" + html(name) + "</a>\n";
  };
  link("verdict", "In short");
  for (std::size_t i = 0; i < result.conditions.size(); ++i)
    link("condition-" + std::to_string(i + 1), result.conditions[i].name);
  link("classes", "Per class");
  link("repeat", "How to repeat");
  link("words", "What the words mean");
  page += "</nav></div></header>\n<main>\n" + conditions_summary(result);
  for (std::size_t i = 0; i < result.conditions.size(); ++i)
    page += condition_section(result, result.conditions[i], i + 1);
  page += other_conditions(result) + labelled_classes(result);
  if (!result.notes.empty()) {
    page += "<section class=\"warnings\" id=\"notes\">\n<h2>Notes</h2>\n<ul>";
    for (const std::string& note : result.notes) page += "<li>" + html(note) + "</li>";
    page += "</ul></section>\n";
  }
  page += labelled_run(result) + words_section(WordPage::conditions);
  return page + "<footer>Format " + html(result.schema) +
         ". Numbers in full: conditions.json beside this page.</footer>\n</main>\n</body></html>\n";
}

FAULTLINE_INLINE void write_conditions(const LabelledConditions& result, const std::filesystem::path& directory,
                                       const std::string& title) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed)
    throw Error(ErrorCode::cannot_write, "write_conditions",
                "could not make the folder '" + directory.string() + "': " + failed.message() +
                    "; choose a folder that can be written to");
  core::write_file_atomically(directory / "conditions.json", to_json(result));
  core::write_file_atomically(directory / "conditions.csv", conditions_csv(result));
  core::write_file_atomically(directory / "conditions.html", html_conditions(result, title));
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
