// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What `characterize` prints of a report: a short table, and under it, where a terminal ends, the answer in three
// lines.

#include <faultline/analysis/report.hpp>
#include <faultline/render/titles.hpp>

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

/// "2 more directions", "1 more direction".
inline std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// What a reader can picture, as the finding's headline has it: the property that follows the direction, and which way;
/// a direction that no property follows is called that, by its name in the report.
inline std::string condition_of(const fl::FailureReport& report, const fl::Finding& finding) {
  const fl::analysis::Direction& direction = finding.direction;
  const std::string mixed = "mixed: ", &property = finding.property.name;
  std::string name = "no measured property (" + direction.name + ")";
  if (property.rfind(mixed, 0) == 0) name = property.substr(mixed.size());
  else if (!property.empty()) name = (finding.property.strength < 0.0 ? "low " : "high ") + property;
  return direction.class_label ? name + ", class " + fl::render::class_name(report, *direction.class_label) + " only"
                               : name;
}

/// The share of the failures that disappear when the condition is repaired; empty when there was no failure to repair.
inline std::optional<double> removed_by(const fl::Finding& finding) {
  if (finding.intervention.repaired_failures == 0) return std::nullopt;
  return finding.intervention.repaired_share;
}

/// "1.4 (1.0 to 2.6)": the distance to failure with its interval, in standard deviations.
inline std::string distance_of(const std::optional<fl::Crossing>& crossing) {
  if (!crossing || !std::isfinite(crossing->sigmas)) return "beyond range";
  if (!std::isfinite(crossing->upper))
    return formatted("%.1f", crossing->sigmas) + formatted(" (from %.1f)", crossing->lower);
  return formatted("%.1f", crossing->sigmas) + formatted(" (%.1f", crossing->lower) +
         formatted(" to %.1f)", crossing->upper);
}

/// Those whose repair removes most failures first.
inline std::vector<fl::Finding> strongest_first(std::vector<fl::Finding> findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const fl::Finding& a, const fl::Finding& b) { return removed_by(a) > removed_by(b); });
  return findings;
}

/// At most five rows of each kind; the report has all of them, and everything else.
inline std::string table_of(const fl::FailureReport& report) {
  constexpr std::size_t shown = 5;
  std::string text;
  const auto line = [&text](const std::string& removes, const std::string& random, const std::string& distance,
                            const std::string& what) {
    char row[96];
    std::snprintf(row, sizeof row, "%10s %9s   %-19s ", removes.c_str(), random.c_str(), distance.c_str());
    text += row + what + "\n";
  };
  const auto rows = [&](const std::vector<fl::Finding>& findings, const char* title) {
    if (findings.empty()) return;
    line("removes", "random", "distance, sd", title);
    const auto sorted = strongest_first(findings);
    for (std::size_t i = 0; i < std::min(shown, sorted.size()); ++i)
      line(whole_percent(removed_by(sorted[i])),
           removed_by(sorted[i]) ? whole_percent(sorted[i].intervention.repaired_placebo) : "-",
           distance_of(sorted[i].threshold.flip), condition_of(report, sorted[i]));
    if (sorted.size() > shown) line("", "", "", "and " + std::to_string(sorted.size() - shown) + " more in the report");
    text += "\n";
  };
  rows(report.findings, "cause");
  rows(report.generator_suspect, "perhaps the generator's fault: moved images lose their class");
  if (!text.empty())
    text +=
        "removes: the share of the failures that disappear when this condition is repaired, beside that of random "
        "directions;\n"
        "distance: how far an image moves until the classifier fails, in standard deviations, with its 95 % "
        "interval\n\n";
  return text;
}

/// Three lines: how often the classifier fails, on what, where the report is.
inline std::string answer_of(const fl::FailureReport& report, const std::string& generator,
                             const std::string& classifier, const std::filesystem::path& page) {
  constexpr std::size_t named = 3;
  const fl::Rate& rate = report.failure_rate;
  std::string text = classifier + " fails on " + formatted("%.1f %%", 100 * rate.estimate) + " of what " + generator +
                     " makes (" + std::to_string(rate.failures) + " of " + std::to_string(rate.n) + ", " +
                     formatted("%.0f %%", 100 * rate.confidence) + " interval " + formatted("%.1f", 100 * rate.lower) +
                     formatted(" to %.1f %%", 100 * rate.upper) + ").\n";
  if (report.findings.empty()) {
    text += report.reason;
  } else {
    const auto causes = strongest_first(report.findings);
    text += "It fails because of ";
    for (std::size_t i = 0; i < std::min(named, causes.size()); ++i) {
      text += (i == 0 ? "" : ", ") + condition_of(report, causes[i]);
      if (const auto share = removed_by(causes[i]))
        text += (i == 0 ? " (repairing it removes " + whole_percent(share) + " of the failures)"
                        : " (" + whole_percent(share) + ")");
    }
    if (causes.size() > named) text += " and " + counted(causes.size() - named, "weaker cause");
    text += report.generator_suspect.empty() ? "."
                                             : "; " + counted(report.generator_suspect.size(), "further direction") +
                                                   " may be the generator's fault.";
  }
  return text + "\nReport: " + std::filesystem::absolute(page).lexically_normal().string() + "\n";
}

}  // namespace program
