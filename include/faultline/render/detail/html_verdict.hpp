// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The first screen of the page: how often, whose fault, on what, how sure, and what is not known.

#include <faultline/render/detail/html_numbers.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
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

/// How often, whose fault, on what, how much of it is understood, and what a search that found nothing would have
/// found.
inline std::string tiles(const FailureReport& report) {
  const Rate& rate = report.failure_rate;
  std::string out = "<div class=\"tiles\">" + tile("How often it fails", percent(rate.estimate, 1),
                                                   percent(rate.confidence, 0) + " interval " + percent(rate.lower, 1) +
                                                       " to " + percent(rate.upper, 1) + "; " + count(rate.failures) +
                                                       " of " + count(rate.n) + " generated images");
  if (report.blame) {
    const Rate& own = report.blame->classifier;
    out += tile("Whose fault", percent(own.estimate, 0) + " the classifier's",
                percent(own.lower, 0) + " to " + percent(own.upper, 0) +
                    " of the failures: a second classifier (the judge) still reads the image. On the other " +
                    percent(report.blame->generator.estimate, 0) +
                    " it cannot either: the generator's fault, or ambiguous to anybody");
  } else if (!report.validity_checked && rate.failures > 0) {
    out += tile("Whose fault", "not checked", "no second classifier (judge) said which images still show their class");
  }
  if (const analysis::Attributable& all = report.attributable_together; all.fraction && *all.fraction > 0.0)
    out +=
        tile("On what", percent(*all.fraction, 0) + " on " + (report.findings.size() == 1 ? "the cause" : "the causes"),
             (all.lower && all.upper ? percent(*all.lower, 0) + " to " + percent(*all.upper, 0)
                                     : percent(*all.fraction, 0)) +
                 " of the failures would not occur with " + (report.findings.size() == 1 ? "it" : "all of them") +
                 " at the usual level");
  if (report.ceiling)
    out += tile("How much is understood",
                report.explained ? percent(std::max(0.0, report.explained->estimate), 0) : std::string("nothing"),
                "of the way from guessing to knowing which image fails, by the conditions that were found; everything "
                "measured on images and generator together comes " +
                    percent(std::max(0.0, report.ceiling->estimate), 0) + " of the way (deviance, held-out samples)");
  if (report.findings.empty() && report.smallest_detectable)
    out += tile("Would have been found", points(report.smallest_detectable->effect),
                "of failure rate or more, when one property moves from two standard deviations below to two above the "
                "usual: reported as a cause with probability " +
                    shown(report.smallest_detectable->power, 1));
  if (report.samples_needed > 0)
    out += tile("Would be enough", count(report.samples_needed),
                "samples per split, at this failure rate; this run had " + count(report.provenance.samples_per_split));
  return out + "</div>\n";
}

/// "blur, noise level (about 9 200)": with the latents that would decide, where that is known.
inline std::string titles_of(const FailureReport& report, const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += (text.empty() ? "" : ", ") + title_of(report, finding);
    if (finding.intervention.needed) text += " (about " + count(*finding.intervention.needed) + ")";
  }
  return text;
}

/// What a reader must not take for known.
inline std::string unknowns(const FailureReport& report) {
  std::vector<std::string> list;
  std::vector<Finding> undecided, minor;
  for (const Finding& finding : report.undecided) (finding.condition.is_minor ? minor : undecided).push_back(finding);
  if (!undecided.empty())
    list.push_back(
        "Whether these are causes is undecided; more moved images would tell: " + titles_of(report, undecided) + ".");
  if (!minor.empty())
    list.push_back("Failures go with these too, but so little that it was not tried whether they are causes: " +
                   titles_of(report, minor) + ".");
  if (!report.not_movable.empty())
    list.push_back(
        "Whether these are causes cannot be tried, because this generator does not change them by "
        "themselves: " +
        titles_of(report, report.not_movable) + ".");
  for (const Finding& finding : report.findings) {
    const std::string title = title_of(report, finding), read = validity_text(finding.validity);
    if (finding.validity.decision == analysis::ValidityDecision::undecided)
      list.push_back("Whether images still show their class where the answer flips along " + title +
                     ": the judge reads " + read + " of them.");
    if (finding.validity.decision == analysis::ValidityDecision::mostly_invalid)
      list.push_back("How much " + title +
                     " the classifier withstands: where its answer flips, most images no longer show "
                     "their class (the judge reads " +
                     read + ").");
  }
  const double unnamed =
      report.ceiling ? report.ceiling->estimate - (report.explained ? report.explained->estimate : 0.0) : 0.0;
  if (unnamed > 0.1)
    list.push_back("What the failures in a further " + percent(unnamed, 0) +
                   " of the way go with: they can be predicted, but no condition names them.");
  if (!report.validity_checked && report.failure_rate.failures > 0)
    list.push_back("Whether the images that fail still show their class: no judge was given.");
  if (!report.generators.empty())
    list.push_back(
        "What the classifier does with readable images under these conditions, where the generator's become "
        "unreadable: " +
        titles_of(report, report.generators) + ".");
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
  if (report.cut_short)
    out +=
        "<p><b>This run was cut short by its budget.</b> What is stated holds; the <a href=\"#warnings\">warnings</a> "
        "say what is missing.</p>\n";
  out += tiles(report);
  if (!report.findings.empty()) {
    out += "<ol>";
    for (std::size_t i = 0; i < report.findings.size(); ++i) {
      const Finding& f = report.findings[i];
      out += "<li><a href=\"#finding-" + std::to_string(i + 1) + "\"><b>" + html(title_of(report, f)) + "</b></a> " +
             html(headline_of(report, f)) + " <span class=\"quiet\">How sure: found again in " +
             percent(f.condition.stability, 0) + " of the searches on random half-samples; by chance alone p " +
             html(p_value(f.confirmation.p_adjusted)) + ".</span></li>";
    }
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

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
