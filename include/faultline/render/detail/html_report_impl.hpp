// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The page as a whole; its sections lie in the html_*.hpp beside it.

#include <faultline/render/html_report.hpp>

#include <faultline/render/charts.hpp>
#include <faultline/render/detail/html_classes.hpp>
#include <faultline/render/detail/html_conditions.hpp>
#include <faultline/render/detail/html_findings.hpp>
#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/detail/html_repeat.hpp>
#include <faultline/render/detail/html_sweep.hpp>
#include <faultline/render/detail/html_verdict.hpp>
#include <faultline/render/detail/html_words.hpp>
#include <faultline/render/report_labels.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string html_report(const FailureReport& report, const std::vector<ReportPicture>& pictures,
                                         const RenderOptions& options, const std::vector<Sweep>& sweeps) {
  using namespace detail;
  const std::string classifier =
      report.provenance.classifier_name.empty() ? "the classifier" : report.provenance.classifier_name;
  const std::string title = options.title.empty() ? "Failure conditions of " + classifier : options.title;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      html(title) + "</title>\n<style>" + std::string(page_style) + (sweeps.empty() ? "" : std::string(sweep_style)) +
      sweep_rules(most_positions(sweeps)) + "</style></head>\n<body>\n";
  page += "<header><div class=\"bar\"><h1>" + html(title) + "</h1>\n<p class=\"quiet\">Under which conditions does " +
          html(classifier) +
          " fail, how far away are they, and what do they look like? Tried on images that a generator makes, by "
          "Faultline " +
          html(report.provenance.library_version) + ".</p>\n<nav>";
  const auto link = [&](const std::string& id, const std::string& name) {
    page += "<a href=\"#" + id + "\">" + html(name) + "</a>\n";
  };
  link("verdict", "Verdict");
  link("classes", "Classes");
  if (!report.findings.empty()) link("causes", "Causes");
  for (std::size_t i = 0; i < report.findings.size(); ++i)
    link("finding-" + std::to_string(i + 1), std::to_string(i + 1) + ". " + title_of(report, report.findings[i]));
  const std::string moved =
      chart_figure(intervention_chart(report),
                   "Moved on purpose: what each condition does to the failure rate of images that nobody selected by "
                   "outcome.");
  const std::string together = interactions_section(report),
                    others = other_conditions_section(report, report.findings.empty() ? moved : std::string()),
                    generators = generators_section(report);
  if (!together.empty()) link("interactions", "Together");
  if (!others.empty()) link("others", "Not known to be causes");
  if (!generators.empty()) link("generators", "The generator's");
  if (!report.real_images.empty()) link("real", "On real images");
  if (!report.property_distances.empty()) link("properties", "Properties");
  if (!report.paper_top.empty()) link("paper", "The paper's channels");
  link("repeat", "How to repeat");
  link("words", "What the words mean");
  page += "</nav></div></header>\n<main>\n" + verdict_section(report) + warnings_section(report) +
          classes_section(report, pictures);
  if (!report.findings.empty()) {
    page +=
        "<section id=\"causes\">\n<h2>Causes of failure</h2>\n" + findings_table(report, report.findings) +
        chart_figure(attributable_chart(report),
                     "How many of the failures would not occur with each cause at its usual level, the others held. "
                     "Where failures need several causes, either takes them away, and the shares add up to more than "
                     "all together.") +
        picture_figure(pictures, "degradation",
                       "From a well-classified image (0 %) to the point where its answer flips (100 %) and beyond. A "
                       "thick frame and a cross mark failures; p is the probability of the right class.") +
        moved +
        chart_figure(distance_chart(report),
                     "How far well-classified images are from failure. Markers: medians; thick bars: 95 % interval of "
                     "the median; thin lines: quartiles; an arrow: beyond the axis.") +
        "</section>\n";
  }
  for (std::size_t i = 0; i < report.findings.size(); ++i)
    page += finding_section(report, report.findings[i], i + 1, pictures, sweeps);
  page += together + real_images_section(report) + others;
  page += generators + property_distances_section(report) + paper_section(report, pictures) + repeat_section(report) +
          words_section(WordPage::report);
  return page + "<footer>Format " + html(report.schema) +
         ". Numbers in full: report.json and directions.csv beside this page.</footer>\n</main>\n</body></html>\n";
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
