// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What `characterize` prints of a report: a short table, and under it, where a terminal ends, the answer in three
// lines.

#include <faultline/analysis/report.hpp>
#include <faultline/render/report_labels.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace program {

namespace fl = faultline;

inline std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// A share as a whole per cent, "-" where it was not measured.
inline std::string whole_percent(const std::optional<double>& share) {
  return share ? formatted("%.0f %%", 100 * *share) : "-";
}

/// "2 more conditions", "1 more condition".
inline std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// "62 % (55 to 68)": the share of the failures that would not occur.
inline std::string share_of(const fl::analysis::Attributable& share) {
  if (!share.fraction) return "-";
  return whole_percent(share.fraction) + formatted(" (%.0f", 100 * share.lower.value_or(0.0)) +
         formatted(" to %.0f)", 100 * share.upper.value_or(0.0));
}

/// "1.4 (1.0 to 2.6)": the distance to failure with its interval, in standard deviations.
inline std::string distance_of(const std::optional<fl::Crossing>& crossing) {
  if (!crossing || !std::isfinite(crossing->sigmas)) return "beyond range";
  if (!std::isfinite(crossing->upper))
    return formatted("%.1f", crossing->sigmas) + formatted(" (from %.1f)", crossing->lower);
  return formatted("%.1f", crossing->sigmas) + formatted(" (%.1f", crossing->lower) +
         formatted(" to %.1f)", crossing->upper);
}

/// "3.4 px": the condition's own property on the images that flip.
inline std::string flips_at(const fl::Finding& finding) {
  if (finding.threshold.at_flip.empty()) return "-";
  const fl::analysis::PropertyAtFlip& at = finding.threshold.at_flip.front();
  return formatted("%.3g", at.median) + (at.unit.empty() ? "" : " " + at.unit);
}

/// At most five rows of each list; the report has all of them, and everything else.
inline std::string table_of(const fl::FailureReport& report) {
  constexpr std::size_t shown = 5;
  std::string text;
  const auto line = [&text](const std::string& share, const std::string& stable, const std::string& distance,
                            const std::string& value, const std::string& what) {
    char row[128];
    std::snprintf(row, sizeof row, "%16s %8s   %-19s %9s   ", share.c_str(), stable.c_str(), distance.c_str(),
                  value.c_str());
    text += row + what + "\n";
  };
  if (!report.findings.empty()) {
    line("failures gone", "stable", "distance, sd", "flips at", "cause");
    for (std::size_t i = 0; i < std::min(shown, report.findings.size()); ++i) {
      const fl::Finding& finding = report.findings[i];
      line(share_of(finding.attributable), whole_percent(finding.condition.stability),
           distance_of(finding.threshold.flip), flips_at(finding), fl::render::title_of(report, finding));
    }
    if (report.findings.size() > shown)
      line("", "", "", "", "and " + std::to_string(report.findings.size() - shown) + " more in the report");
    text += "\n";
  }
  const auto others = [&](const std::vector<fl::Finding>& list, const std::string& why) {
    for (std::size_t i = 0; i < std::min(shown, list.size()); ++i)
      text += why + ": " + fl::render::title_of(report, list[i]) + "\n";
    if (list.size() > shown) text += why + ": " + counted(list.size() - shown, "more condition") + " in the report\n";
  };
  std::vector<fl::Finding> undecided, minor;
  for (const fl::Finding& finding : report.undecided)
    (finding.condition.is_minor ? minor : undecided).push_back(finding);
  others(undecided, "undecided whether a cause");
  others(report.not_movable, "not movable by this generator");
  others(report.associated, "goes along with a cause");
  others(minor, "matters little, not tried");
  others(report.generators, "the generator's");
  for (const fl::analysis::ClassFinding& finding : report.class_findings) text += finding.headline + "\n";
  for (const fl::RealImageCheck& check : report.real_images)
    text += "on real images: " + check.property + ", rank correlation of predicted and real failure rates " +
            (check.prediction_correlation ? formatted("%.2f", *check.prediction_correlation) : std::string("unknown")) +
            " over " + counted(static_cast<std::size_t>(check.bins), "bin") + "\n";
  if (!report.findings.empty())
    text +=
        "\nfailures gone: the share of the failures that would not occur with this at its usual level (95 % "
        "interval);\n"
        "stable: how often it is chosen again in half-samples; distance: how far an image moves until the\n"
        "classifier fails; flips at: the property itself on the images that fail then\n\n";
  return text;
}

/// Some lines: how often the classifier fails, whose fault, on what, where the report is.
inline std::string answer_of(const fl::FailureReport& report, const std::string& generator,
                             const std::string& classifier, const std::filesystem::path& page) {
  constexpr std::size_t named = 3;
  const fl::Rate& rate = report.failure_rate;
  std::string text = classifier + " fails on " + formatted("%.1f %%", 100 * rate.estimate) + " of what " + generator +
                     " makes (" + std::to_string(rate.failures) + " of " + std::to_string(rate.n) + ", " +
                     formatted("%.0f %%", 100 * rate.confidence) + " interval " + formatted("%.1f", 100 * rate.lower) +
                     formatted(" to %.1f %%", 100 * rate.upper) + ").\n";
  if (report.blame)
    text += formatted("%.0f %%", 100 * report.blame->classifier.estimate) +
            formatted(" (%.0f", 100 * report.blame->classifier.lower) +
            formatted(" to %.0f)", 100 * report.blame->classifier.upper) +
            " of these failures are its own; the rest are on images that the judge cannot read either.\n";
  if (report.findings.empty()) {
    text += report.reason;
  } else {
    text += "It fails because of ";
    for (std::size_t i = 0; i < std::min(named, report.findings.size()); ++i) {
      const fl::Finding& cause = report.findings[i];
      text += (i == 0 ? "" : ", ") + fl::render::title_of(report, cause);
      if (cause.attributable.fraction && *cause.attributable.fraction > 0.0)
        text += (i == 0 ? " (without it " : " (") + whole_percent(cause.attributable.fraction) +
                (i == 0 ? " of the failures would not occur)" : ")");
      else if (cause.attributable.fraction)
        text += i == 0 ? " (no share of the failures is shown to go with it)" : " (no share shown)";
    }
    if (report.findings.size() > named) text += " and " + counted(report.findings.size() - named, "weaker cause");
    if (report.findings.size() > 1 && report.attributable_together.fraction.value_or(0.0) > 0.0)
      text += "; without all of them " + whole_percent(report.attributable_together.fraction);
    text += ".";
  }
  if (report.cut_short) text += "\nThe budget cut this run short; the warnings say what is missing.";
  return text + "\nReport: " + std::filesystem::absolute(page).lexically_normal().string() + "\n";
}

}  // namespace program
