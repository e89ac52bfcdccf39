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
    case Verdict::systematic_causes:
      return plural(report.findings.size(), "systematic cause of failure", "systematic causes of failure");
    case Verdict::none_found:
      if (!report.generator_suspect.empty()) return "Every cause that was found may be the generator's fault";
      return report.omnibus.significant ? "Failures are systematic, but no direction was shown to cause them"
                                        : "No systematic cause of failure found";
    case Verdict::too_few_failures: return "Too few failures to look for causes";
  }
  return "Unknown verdict";
}

inline std::string tiles(const FailureReport& report) {
  const Rate& rate = report.failure_rate;
  std::string out = "<div class=\"tiles\">" + tile("Failure rate", percent(rate.estimate, 1),
                                                   percent(rate.confidence, 0) + " interval " + percent(rate.lower, 1) +
                                                       " to " + percent(rate.upper, 1) + "; " + count(rate.failures) +
                                                       " of " + count(rate.n) + " generated images");
  if (report.verdict == Verdict::too_few_failures) {
    out +=
        tile("Effective failures",
             fixed(report.effective_failures_discovery, 1) + " and " + fixed(report.effective_failures_confirmation, 1),
             "in the two halves: failures that have successes of their class to be compared with");
    if (report.samples_needed > 0)
      out += tile("Would be enough", count(report.samples_needed),
                  "samples per half, at this failure rate; this run had " + count(report.provenance.samples_per_split));
    return out + "</div>\n";
  }
  out += tile("Predictable from w", "AUC " + shown(report.omnibus.auc, 2),
              "95 % interval " + shown(report.omnibus.lower, 2) + " to " + shown(report.omnibus.upper, 2) + ", p " +
                  p_value(report.omnibus.p) +
                  ": how well one linear rule tells failures on fresh samples (.5 = not at all)");
  if (!report.findings.empty()) {
    out += tile("Explained", percent(report.explained_share, 0),
                "of what a linear rule can explain is carried by the causes together");
    const Finding* nearest = nullptr;
    for (const Finding& f : report.findings)
      if (f.threshold.flip && std::isfinite(f.threshold.flip->sigmas) &&
          (!nearest || f.threshold.flip->sigmas < nearest->threshold.flip->sigmas))
        nearest = &f;
    if (nearest)
      out += tile("Nearest failure", distance(nearest->threshold.flip->sigmas),
                  "along " + title_of(report, *nearest) + ", median over well-classified images");
  } else {
    out += tile("Would have been confirmed", "AUC ≥ " + shown(report.smallest_detectable.auc, 2),
                "the smallest effect that this run confirms on fresh samples with 80 % power, before any intervention "
                "(a shift of " +
                    shown(report.smallest_detectable.effect, 2) + " sd)");
  }
  return out + "</div>\n";
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
      out += "<li>" + html(f.headline.empty() ? title_of(report, f) : f.headline) + "</li>";
    out += "</ol>\n";
  }
  return out + "</section>\n";
}

inline std::string warnings_section(const FailureReport& report) {
  if (report.warnings.empty()) return {};
  std::string out = "<section class=\"warnings\" id=\"warnings\">\n<h2>Warnings</h2>\n<ul>";
  for (const std::string& warning : report.warnings) out += "<li>" + html(warning) + "</li>";
  return out + "</ul></section>\n";
}

inline std::string classes_section(const FailureReport& report, const std::vector<ReportPicture>& pictures) {
  std::string out = "<section id=\"classes\">\n<h2>Failure rate per class</h2>\n";
  if (report.class_leak)
    out += "<p>The judge gives " + percent(*report.class_leak) +
           " of unmoved images another label than the one they were generated for (class leak): so many failures may "
           "be the generator's.</p>\n";
  HtmlTable table({{"Class"}, {"Failure rate", true}, {"Interval", true}, {"Failures", true}, {"Samples", true}});
  const std::vector<std::int64_t> classes = shown_classes(report);
  if (classes.size() < report.class_rates.size())
    out += "<p>Shown are the " + std::to_string(classes.size()) + " of " + std::to_string(report.class_rates.size()) +
           " classes that fail most; report.json has all.</p>\n";
  for (const std::int64_t label : classes) {
    const Rate& rate = report.class_rates[static_cast<std::size_t>(label)];
    table.row({html(class_name(report, label)), rate.n > 0 ? percent(rate.estimate, 1) : "—",
               rate.n > 0 ? percent(rate.lower, 1) + " to " + percent(rate.upper, 1) : "—", count(rate.failures),
               count(rate.n)});
  }
  out += "<div class=\"pair\">" +
         chart_figure(class_chart(report), "Dots: rate; bars: exact interval; dashed: all classes together.") +
         std::move(table).finish() + "</div>\n";
  const bool ranked = std::any_of(report.class_rankings.begin(), report.class_rankings.end(),
                                  [](const analysis::ClassRanking& r) { return !r.skipped; });
  if (ranked && report.class_rankings.size() > 1) {
    HtmlTable channels(
        {{"Class"}, {"First"}, {"Second"}, {"Third"}},
        "The style channels that set the failures of each class apart most, with the difference in within-class "
        "standard deviations (discovery half, no error control); ten per class are in report.json.");
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
         picture_figure(pictures, "failures", "What failures look like: the first ones of the confirmation half.") +
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
      {"Samples", count(p.samples_per_split) + " per half"},
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
                           {"Permutations", count(p.permutations_discovery) + " discovery, " +
                                                count(p.permutations_confirmation) + " confirmation"},
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
                    "How well the latent code predicts each measured property within a class. Below .1 a property is "
                    "not offered as a direction.");
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
<dt>Latent code (w), direction</dt><dd>The generator draws an image from a list of numbers called w. A direction is a way to change these numbers together. Its unit is one standard deviation (sd) of its coordinate within a class: a move of 1 sd is an everyday difference between two images of a class, a move of 4 sd is a rare one.</dd>
<dt>Kinds of direction</dt><dd><i>property</i>: changes one measured image property while the others are held; <i>component</i>: an independent source of variation, found without looking at properties or labels; <i>channel</i>: the direction belonging to one style channel.</dd>
<dt>Discovery and confirmation</dt><dd>Directions are chosen on one half of the samples and then frozen. Every reported effect, p-value and distance is measured on other samples.</dd>
<dt>Change of failure rate (contrast)</dt><dd>The same fresh images are moved 2 sd towards failure and 2 sd away from it; the contrast is the difference of the two failure rates. The bound holds with 95 % confidence. <i>Random directions</i> is what 95 % of random directions stay below.</dd>
<dt>Cause (finding)</dt><dd>A direction along which failures differ on fresh samples (p, adjusted, at most .05 for all directions together), and whose contrast is clearly above .02 and above that of random directions.</dd>
<dt>Repaired</dt><dd>The share of fresh failures that disappear when the image's coordinate along the direction is set to the median of well-classified images of its class.</dd>
<dt>Distance to failure</dt><dd>How far a well-classified image must be moved until the answer changes (the flip), or until p(y), the probability given to the right class, falls to .5. Medians over start codes; codes that never get there count as infinitely far.</dd>
<dt>Off the manifold</dt><dd>The crossing lies where fewer than 1 in 1000 generated images lie: such images may not look like anything the classifier will meet.</dd>
<dt>Judge</dt><dd>A second, stronger classifier that says whether a moved image still shows its class. Below 90 % agreement a finding is called <i>generator suspect</i>: the generator may have drawn something else.</dd>
<dt>Common to all classes</dt><dd>How much of the (squared) effect of a direction is the same in every class, 95 % interval behind it. Near 100 %: it hurts all classes alike; near 0 %: it belongs to some.</dd>
<dt>AUC</dt><dd>The chance that a failure lies further along the direction than a well-classified image: .5 is no difference, 1 a perfect one.</dd>
<dt>p, adjusted</dt><dd>The chance of so large a difference if the direction had nothing to do with failure, corrected for the number of directions tested (Holm).</dd>
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
  if (!report.findings.empty()) link("causes", "Causes");
  for (std::size_t i = 0; i < report.findings.size(); ++i)
    link("finding-" + std::to_string(i + 1), std::to_string(i + 1) + ". " + title_of(report, report.findings[i]));
  if (!report.generator_suspect.empty()) link("suspects", "Generator suspect");
  if (!report.property_distances.empty()) link("properties", "Properties");
  if (report.verdict != Verdict::too_few_failures) link("associated", "Associated");
  if (!report.paper_top.empty()) link("paper", "The paper's channels");
  link("classes", "Classes");
  link("repeat", "How to repeat");
  link("words", "What the words mean");
  page += "</nav></div></header>\n<main>\n" + verdict_section(report) + warnings_section(report);
  const bool only_suspects = report.findings.empty() && !report.generator_suspect.empty();
  const std::string overview =
      detail::picture_figure(
          pictures, "degradation",
          "From a well-classified image (0 %) to the point where its answer flips (100 %) and beyond. A "
          "thick frame and a cross mark failures; p is the probability of the right class.") +
      detail::chart_figure(
          intervention_chart(report),
          "Moved on purpose: what each direction does to the failure rate of images that were not selected by "
          "outcome.") +
      detail::chart_figure(
          distance_chart(report),
          "How far well-classified images are from failure. Markers: medians; thick bars: 95 % interval of "
          "the median; thin lines: quartiles; an arrow: beyond the axis.");
  if (!report.findings.empty())
    page += "<section id=\"causes\">\n<h2>Causes of failure</h2>\n" +
            detail::findings_table(report, report.findings, "finding") + overview + "</section>\n";
  for (std::size_t i = 0; i < report.findings.size(); ++i)
    page += detail::finding_section(report, report.findings[i], i + 1, "finding", pictures);
  if (!report.generator_suspect.empty()) {
    page +=
        "<section id=\"suspects\">\n<h2>Generator suspect</h2>\n<p>Moving images along these directions makes the "
        "classifier fail, but a stronger judge no longer recognises many of them either: the generator may be at "
        "fault, not the classifier.</p>\n" +
        detail::findings_table(report, report.generator_suspect, "suspect");
    page += (only_suspects ? overview : "") + "</section>\n";
    for (std::size_t i = 0; i < report.generator_suspect.size(); ++i)
      page += detail::finding_section(report, report.generator_suspect[i], i + 1, "suspect", pictures);
  }
  page += detail::property_distances_section(report);
  if (report.verdict != Verdict::too_few_failures) page += detail::associated_section(report);
  if (report.findings.empty() && !only_suspects)
    page += detail::chart_figure(
        intervention_chart(report),
        "What each direction does to the failure rate of images that were not selected by outcome.");
  if (report.findings.empty()) page += classes_section(report, pictures) + detail::paper_section(report, pictures);
  else page += detail::paper_section(report, pictures) + classes_section(report, pictures);
  page += repeat_section(report) + std::string(detail::definitions);
  return page + "<footer>Format " + html(report.schema) +
         ". Numbers in full: report.json and directions.csv beside this page.</footer>\n</main>\n</body></html>\n";
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
