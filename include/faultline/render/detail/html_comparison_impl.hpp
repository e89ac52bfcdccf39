// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The page of a comparison, section by section.

#include <faultline/analysis/replay.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/render/comparison_report.hpp>
#include <faultline/render/detail/comparison_sections.hpp>
#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/detail/html_report_impl.hpp>
#include <faultline/render/detail/html_words.hpp>
#include <faultline/render/detail/text.hpp>
#include <faultline/render/html_report.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// What the pair comes to, in one or two sentences.
inline std::string pair_words(const ComparisonReport& report, const analysis::PairComparison& pair) {
  const std::string &first = compared_name(report, pair.first), &second = compared_name(report, pair.second);
  const statistics::PairedTest& test = pair.test;
  if (test.counts.only_first_fails + test.counts.only_second_fails == 0)
    return first + " and " + second + " are right and wrong on exactly the same samples.";
  const analysis::Share difference{test.difference, test.lower, test.upper};
  if (pair.p_adjusted > 0.05)
    return "That " + first + " and " + second +
           " fail equally often is compatible with what was seen; that does not show that they do: the failure rate "
           "of " +
           first + " may lie from " + signed_shown(100.0 * test.lower, 2) + " to " +
           signed_shown(100.0 * test.upper, 2) + " percentage points beside that of " + second + ".";
  const bool worse = test.difference > 0.0;
  return (worse ? first : second) + " fails more often than " + (worse ? second : first) + ", by " +
         points_text(difference, worse ? 1.0 : -1.0) + " percentage points.";
}

/// The first screen: who fails how often, which of two fails more often, and on what one is right and the other wrong.
inline std::string comparison_summary(const ComparisonReport& report) {
  std::string out = "<section class=\"verdict\" id=\"verdict\">\n<h2>In short</h2>\n<div class=\"tiles\">";
  for (const ComparedClassifier& classifier : report.classifiers) {
    const Rate& rate = classifier.failure_rate;
    out +=
        tile(classifier.name, percent(rate.estimate, 2),
             "fail; " + percent(rate.confidence, 0) + " interval " + percent(rate.lower, 2) + " to " +
                 percent(rate.upper, 2) + "; " + count(rate.failures) + " of " + count(rate.n) + " generated images" +
                 (classifier.blame ? "; " + percent(classifier.blame->classifier.estimate, 0) +
                                         " of these failures are on images that the judge reads"
                                   : std::string()));
  }
  out += "</div>\n<ul>";
  for (const analysis::PairComparison& pair : report.pairs) {
    out += "<li><b>" + html(pair_words(report, pair)) + "</b><ul>";
    std::string found, nothing;  // what was found first
    for (const analysis::OrderedComparison& order : pair.orders) {
      constexpr std::size_t most = 3;
      for (std::size_t k = 0; k < std::min(most, order.conditions.size()); ++k)
        found += "<li>" + html(order.conditions[k].finding.headline) + "</li>";
      if (order.conditions.size() > most)
        found += "<li>" + html("… and " + std::to_string(order.conditions.size() - most) + " more.") + "</li>";
      if (order.conditions.empty()) nothing += "<li class=\"quiet\">" + html(order.reason) + "</li>";
    }
    out += found + nothing;
    out += "</ul></li>";
  }
  return out + "</ul></section>\n";
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
  page +=
      "<header><div class=\"bar\"><h1>" + html(title) +
      "</h1>\n<p class=\"quiet\">The same generated images for all: who fails, on what they differ, and how much each "
      "withstands. Found by Faultline " +
      html(report.provenance.library_version) + ".</p>\n<nav>";
  const auto link = [&](const char* id, const char* name) {
    page += std::string("<a href=\"#") + id + "\">" + name + "</a>\n";
  };
  link("verdict", "In short");
  link("rates", "Rates");
  link("pairs", "Pairs");
  link("conditions", "One right, the other wrong");
  if (!report.fractions.empty()) link("fractions", "Without a cause");
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
  page += rates_section(report) + pairs_section(report) + orders_section(report) + fractions_section(report) +
          distances_section(report) + accuracy_section(report) + comparison_repeat(report) +
          words_section(WordPage::comparison);
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
