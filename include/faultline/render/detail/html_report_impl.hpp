// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The page as a whole; what is about directions lies in html_findings.hpp.

#include <faultline/render/html_report.hpp>

#include <faultline/analysis/replay.hpp>
#include <faultline/render/charts.hpp>
#include <faultline/render/detail/html_findings.hpp>
#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/titles.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline std::string plural(std::size_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

inline std::string verdict_words(const FailureReport& report) {
  switch (report.verdict) {
    case Verdict::systematic_causes: return plural(report.findings.size(), "cause of failure", "causes of failure");
    case Verdict::systematic_without_cause: return "Failures are systematic, but no cause is known";
    case Verdict::none_found: return "No condition of failure found";
    case Verdict::too_few_failures: return "Too few failures to look for conditions";
  }
  return "Unknown verdict";
}

/// How often, whose fault, how much is explained, how far.
inline std::string tiles(const FailureReport& report) {
  const Rate& rate = report.failure_rate;
  std::string out = "<div class=\"tiles\">" + tile("How often it fails", percent(rate.estimate, 1),
                                                   percent(rate.confidence, 0) + " interval " + percent(rate.lower, 1) +
                                                       " to " + percent(rate.upper, 1) + "; " + count(rate.failures) +
                                                       " of " + count(rate.n) + " generated images");
  if (report.blame)
    out += tile("Whose failures", percent(report.blame->classifier.estimate, 0) + " its own",
                percent(report.blame->classifier.lower, 0) + " to " + percent(report.blame->classifier.upper, 0) +
                    "; on " + percent(report.blame->generator.estimate, 0) +
                    " the judge cannot read the image either: the generator's");
  else if (!report.validity_checked)
    out += tile("Whose failures", "not checked", "without a judge every image counts as valid");
  if (report.verdict == Verdict::too_few_failures || !report.ceiling) {
    if (report.samples_needed > 0)
      out +=
          tile("Would be enough", count(report.samples_needed),
               "samples per split, at this failure rate; this run had " + count(report.provenance.samples_per_split));
    return out + "</div>\n";
  }
  if (report.attributable_together.fraction)
    out += tile("On what", percent(*report.attributable_together.fraction, 0) + " by the causes",
                percent(report.attributable_together.lower.value_or(0.0), 0) + " to " +
                    percent(report.attributable_together.upper.value_or(0.0), 0) +
                    " of the failures would not occur with all causes at their usual level");
  out += tile("Explained", report.explained ? percent(std::max(0.0, report.explained->estimate), 0) : "nothing",
              "of the deviance by the conditions, on fresh samples; all properties and a quadratic rule in w reach " +
                  percent(std::max(0.0, report.ceiling->estimate), 0) + ": so much is systematic at all");
  if (report.findings.empty() && report.smallest_detectable)
    out += tile("Would have been found", signed_shown(report.smallest_detectable->effect, 2),
                "change of the failure rate between −2 and +2 standard deviations of one property: reported with "
                "probability " +
                    shown(report.smallest_detectable->power, 1));
  return out + "</div>\n";
}

/// What a reader must not take for known.
inline std::string unknowns(const FailureReport& report) {
  std::vector<std::string> list;
  const auto titles = [&](const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& finding : findings) text += (text.empty() ? "" : ", ") + title_of(report, finding);
    return text;
  };
  if (!report.undecided.empty()) list.push_back("whether these are causes is undecided: " + titles(report.undecided));
  if (!report.not_movable.empty())
    list.push_back("whether these are causes cannot be tried with this generator: " + titles(report.not_movable));
  if (report.ceiling && report.explained && report.ceiling->estimate - report.explained->estimate > 0.1)
    list.push_back("a further " + percent(report.ceiling->estimate - report.explained->estimate, 0) +
                   " of the deviance is systematic, and no condition says what it goes with");
  if (!report.validity_checked && report.failure_rate.failures > 0)
    list.push_back("whether the images that fail still show their class: no judge was given");
  if (!report.generators.empty()) list.push_back("images are no longer valid with " + titles(report.generators));
  if (list.empty()) return {};
  std::string out = "<h4>What is not known</h4>\n<ul>";
  for (const std::string& text : list) out += "<li>" + html(text) + "</li>";
  return out + "</ul>\n";
}

inline std::string verdict_section(const FailureReport& report) {
  const char* kind = report.verdict == Verdict::systematic_causes  ? "causes"
                     : report.verdict == Verdict::too_few_failures ? "few"
                                                                   : "none";
  std::string out = "<section class=\"verdict " + std::string(kind) + "\" id=\"verdict\">\n<h2>" +
                    html(verdict_words(report)) + "</h2>\n";
  if (!report.reason.empty()) out += "<p>" + html(report.reason) + "</p>\n";
  out += tiles(report);
  if (!report.findings.empty()) {
    out += "<ol>";
    for (const Finding& f : report.findings)
      out += "<li>" + html(f.headline.empty() ? title_of(report, f) : f.headline) +
             " <span class=\"quiet\">Chosen again in " + percent(f.condition.stability, 0) +
             " of half-samples.</span></li>";
    out += "</ol>\n";
  }
  return out + unknowns(report) + "</section>\n";
}

inline std::string warnings_section(const FailureReport& report) {
  if (report.warnings.empty()) return {};
  std::string out = "<section class=\"warnings\" id=\"warnings\">\n<h2>Warnings</h2>\n<ul>";
  for (const std::string& warning : report.warnings) out += "<li>" + html(warning) + "</li>";
  return out + "</ul></section>\n";
}

/// The most frequent wrong answers; all of them are in report.json.
inline std::string confusion_table(const FailureReport& report) {
  struct Cell {
    std::int64_t label, answer, count;
  };
  std::vector<Cell> cells;
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
    std::int64_t total = 0;
    for (std::int64_t answer = 0; answer < report.confusion.cols(); ++answer)
      total += report.confusion(cell.label, answer);
    table.row({html(class_name(report, cell.label)), html(class_name(report, cell.answer)), count(cell.count),
               percent(static_cast<double>(cell.count) / static_cast<double>(total), 1)});
  }
  return std::move(table).finish();
}

inline std::string classes_section(const FailureReport& report, const std::vector<ReportPicture>& pictures) {
  std::string out = "<section id=\"classes\">\n<h2>Classes</h2>\n";
  for (const analysis::ClassFinding& finding : report.class_findings)
    out += "<p><b>" + html(finding.headline) + "</b></p>\n";
  if (report.class_leak)
    out += "<p>The judge gives " + percent(report.class_leak->estimate) + " (" + percent(report.class_leak->lower) +
           " to " + percent(report.class_leak->upper) +
           ") of the images another label than the one they were generated for (class leak).</p>\n";
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
  out += "<div class=\"pair\">" +
         chart_figure(class_chart(report),
                      "Dots: rate; bars: intervals that hold for all classes together; dashed: all classes.") +
         "<div>" + std::move(table).finish() + confusion_table(report) + "</div></div>\n";
  const bool ranked = std::any_of(report.class_rankings.begin(), report.class_rankings.end(),
                                  [](const analysis::ClassRanking& r) { return !r.skipped; });
  if (ranked && report.class_rankings.size() > 1) {
    HtmlTable channels(
        {{"Class"}, {"First"}, {"Second"}, {"Third"}},
        "The style channels that set the failures of each class apart most, with the difference in within-class "
        "standard deviations (discovery split, no error control); ten per class are in report.json.");
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
         picture_figure(pictures, "failures", "What failures look like: the first ones of the confirmation split.") +
         "</section>\n";
}

/// The rows that say how a run came about, for the page of a report and of a comparison alike.
inline std::vector<std::pair<std::string, std::string>> run_facts(const Provenance& p) {
  std::string labels(core::enumerator_of(p.labels.kind));
  if (p.labels.kind == LabelPolicy::Kind::fixed) labels += " (class " + std::to_string(p.labels.label) + ")";
  if (!p.labels.labels.empty())
    labels += ", from a list of " + count(static_cast<std::int64_t>(p.labels.labels.size()));
  std::vector<std::pair<std::string, std::string>> list = {
      {"Seed", std::to_string(p.seed)},
      {"Samples", count(p.samples_per_split) + " per split"},
      {"Labels", labels},
      {"Truncation",
       exact(p.truncation) + (p.cutoff ? " in the first " + std::to_string(*p.cutoff) + " layers" : std::string())},
      {"Noise", std::string(core::enumerator_of(p.noise))},
      {"Batch size", std::to_string(p.batch_size)},
      {"Criterion of failure", p.criterion},
      {"Classifier", p.classifier_name},
      {"Classifier, digest", p.classifier_digest.value_or("not stated")}};
  if (p.judge_name)
    list.insert(list.end(), {{"Judge", *p.judge_name}, {"Judge, digest", p.judge_digest.value_or("not stated")}});
  list.insert(list.end(), {{"Generator, digest", p.generator_digest},
                           {"Family-wise error rate", exact(p.alpha)},
                           {"Faultline", p.library_version}});
  if (!p.compiler.empty()) list.emplace_back("Compiler", p.compiler);
  if (!p.torch_version.empty()) list.emplace_back("LibTorch", p.torch_version);
  if (!p.cpu.empty()) list.emplace_back("Processor", p.cpu);
  if (!p.backend.empty()) list.emplace_back("Generator runs on", p.backend);
  return list;
}

inline std::string repeat_section(const FailureReport& report) {
  const Provenance& p = report.provenance;
  std::string out = "<section id=\"repeat\">\n<h2>How to repeat this</h2>\n";
  if (!p.command.empty()) out += "<pre>" + html(p.command) + "</pre>\n";
  out += "<pre>" + html(analysis::replay(report)) + "</pre>\n";
  const auto list = run_facts(p);
  const analysis::CostCounters& c = report.cost;
  out += facts(list) + "<h4 id=\"cost\">Cost</h4>\n";
  std::vector<std::pair<std::string, std::string>> cost = {
      {"Images generated", count(c.generator_images) + " in " + count(c.generator_batches) + " batches"},
      {"Images classified", count(c.classifier_images) + " in " + count(c.classifier_batches) + " batches"},
      {"Gradients", count(c.gradient_images) + " images"},
      {"Properties measured", count(c.property_images) + " images"},
      {"Asked of the judge", count(c.judge_images) + " images"}};
  if (c.generator_macs > 0)
    cost.emplace_back("Work of the generator", count(c.generator_macs) + " multiply-accumulates");
  if (c.generator_bytes > 0) cost.emplace_back("Activations moved", count(c.generator_bytes) + " bytes");
  if (c.generator_launches > 0) cost.emplace_back("Kernels launched", count(c.generator_launches));
  out += facts(cost);
  if (!report.property_names.empty() && report.property_r2.size() == report.property_names.size()) {
    HtmlTable table({{"Image property"}, {"Predicted by w, R²", true}},
                    "How well w predicts each measured property within a class. What w predicts by less than .1 is "
                    "hardly moved by it.");
    for (std::size_t i = 0; i < report.property_names.size(); ++i)
      table.row({html(report.property_names[i]), shown(report.property_r2[i], 2)});
    out += "<h4>Measured properties</h4>\n" + std::move(table).finish();
  }
  return out + "</section>\n";
}

inline constexpr std::string_view definitions = R"html(<section id="words">
<h2>What the words mean</h2>
<dl class="words">
<dt>Failure</dt><dd>An answer that the criterion rejects; unless stated otherwise, the most probable class is not the class the image was generated for.</dd>
<dt>Valid image, judge</dt><dd>A second, stronger classifier, the judge, still gives the image its label. Failures on images that it cannot read either are the generator's. Conditions and causes are about valid images.</dd>
<dt>Condition</dt><dd>What failures go with: a measured property of the image, two of them together, or a direction of the generator that no property explains. Found on one half of the samples (discovery), then frozen and tested on the other (confirmation), corrected for how many were tested.</dd>
<dt>Cause</dt><dd>A condition that changes the failure rate when it is moved on purpose while the other conditions are held, on images that nobody selected by outcome.</dd>
<dt>Would not occur (attributable fraction)</dt><dd>The share of the failures that are gone when every image has the condition at the level that is usual for well-classified images of its class. What the change breaks counts against it.</dd>
<dt>Change of the failure rate</dt><dd>The same images moved two standard deviations both ways (both ends against the middle, where both fail). The bounds hold however often one looks and for all conditions together. From half the failure rate on (at least .5, at most 5 percentage points) a change counts.</dd>
<dt>Explains of the deviance</dt><dd>How much better outcomes are predicted on fresh samples with the condition than without it: 0 % nothing, 100 % everything.</dd>
<dt>Chosen again in half-samples</dt><dd>The search repeated on 20 random halves of the discovery samples: the share in which the condition comes up again.</dd>
<dt>w, direction</dt><dd>The generator draws an image from a list of numbers called w. A direction is a way to change these numbers together. Its unit is one standard deviation (sd) of its coordinate within a class: a move of 1 sd is an everyday difference between two images of a class, a move of 4 sd is a rare one.</dd>
<dt>Distance to failure</dt><dd>How far a well-classified image must be moved until the answer changes (the flip), or until p(y), the probability given to the right class, falls to .5. Medians over start latents; latents that never get there count as infinitely far. Beside it the property itself, as measured on the images that flip.</dd>
<dt>Off the manifold</dt><dd>The crossing lies where fewer than 1 in 1000 generated images lie: such images may not look like anything the classifier will meet.</dd>
<dt>Common to all classes</dt><dd>How much of the (squared) effect of a direction is the same in every class, 95 % interval behind it. Near 100 %: it hurts all classes alike; near 0 %: it belongs to some.</dd>
<dt>p, adjusted</dt><dd>The chance of so clear a relation if the condition had nothing to do with failure, corrected for the number of conditions tested (Holm).</dd>
</dl></section>
)html";

}  // namespace detail

FAULTLINE_INLINE std::string html_report(const FailureReport& report, const std::vector<ReportPicture>& pictures,
                                         const RenderOptions& options) {
  using namespace detail;
  const std::string classifier =
      report.provenance.classifier_name.empty() ? "the classifier" : report.provenance.classifier_name;
  const std::string title = options.title.empty() ? "Failure conditions of " + classifier : options.title;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      html(title) + "</title>\n<style>" + std::string(detail::page_style) + "</style></head>\n<body>\n";
  page += "<header><div class=\"bar\"><h1>" + html(title) + "</h1>\n<p class=\"quiet\">Under which conditions does " +
          html(classifier) +
          " fail, how far away are they, and what do they look like? Found with generated images by Faultline " +
          html(report.provenance.library_version) + ".</p>\n<nav>";
  const auto link = [&](const std::string& id, const std::string& name) {
    page += "<a href=\"#" + id + "\">" + html(name) + "</a>\n";
  };
  link("verdict", "Verdict");
  link("classes", "Classes");
  if (!report.findings.empty()) link("causes", "Causes");
  for (std::size_t i = 0; i < report.findings.size(); ++i)
    link("finding-" + std::to_string(i + 1), std::to_string(i + 1) + ". " + title_of(report, report.findings[i]));
  const std::string together = detail::interactions_section(report), others = detail::other_conditions_section(report),
                    generators = detail::generators_section(report);
  if (!together.empty()) link("interactions", "Together");
  if (!others.empty()) link("others", "Not known to be causes");
  if (!generators.empty()) link("generators", "The generator's");
  if (!report.property_distances.empty()) link("properties", "Properties");
  if (!report.paper_top.empty()) link("paper", "The paper's channels");
  link("repeat", "How to repeat");
  link("words", "What the words mean");
  page += "</nav></div></header>\n<main>\n" + verdict_section(report) + warnings_section(report) +
          classes_section(report, pictures);
  const std::string moved =
      detail::chart_figure(intervention_chart(report),
                           "Moved on purpose: what each condition does to the failure rate of images that were "
                           "not selected by outcome.");
  if (!report.findings.empty()) {
    page += "<section id=\"causes\">\n<h2>Causes of failure</h2>\n" + detail::findings_table(report, report.findings) +
            detail::chart_figure(attributable_chart(report),
                                 "What would not occur with each cause at its usual level, the others held. Shares of "
                                 "causes that are needed together add up to more than all together.") +
            detail::picture_figure(
                pictures, "degradation",
                "From a well-classified image (0 %) to the point where its answer flips (100 %) and beyond. A "
                "thick frame and a cross mark failures; p is the probability of the right class.") +
            moved +
            detail::chart_figure(
                distance_chart(report),
                "How far well-classified images are from failure. Markers: medians; thick bars: 95 % interval of "
                "the median; thin lines: quartiles; an arrow: beyond the axis.") +
            "</section>\n";
  }
  for (std::size_t i = 0; i < report.findings.size(); ++i)
    page += detail::finding_section(report, report.findings[i], i + 1, pictures);
  page += together + others;
  if (report.findings.empty()) page += moved;
  page += generators + detail::property_distances_section(report) + detail::paper_section(report, pictures) +
          repeat_section(report) + std::string(detail::definitions);
  return page + "<footer>Format " + html(report.schema) +
         ". Numbers in full: report.json and directions.csv beside this page.</footer>\n</main>\n</body></html>\n";
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
