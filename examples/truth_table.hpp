// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What runs in a world whose truth is known say, put together: one row for each world, and whether it is as method
// section 13 demands.

#include "truth_baselines.hpp"
#include "worlds.hpp"

#include <faultline/analysis/report.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace truth {

namespace fl = faultline;

/// What one report says, in the names of the worlds.
struct Run {
  std::vector<std::string> causes, others;  ///< others: conditions that are confirmed and no causes
  std::vector<std::optional<fl::analysis::ConditionShape>> shapes;  ///< of the causes
  std::vector<std::string> generators, class_findings;
  bool verdict_fits = true;         ///< the verdict is what the lists amount to, and no title or headline occurs twice
  std::optional<double> fraction;   ///< attributable to all causes together
  std::optional<double> threshold;  ///< of the first cause's property, where the decision flips
  double share = 0.0;               ///< of the null deviance that the conditions explain
  double seconds = 0.0;
  std::array<std::set<std::string>, baselines::count> baselines;
};

/// The name of a condition as the worlds write it.
inline std::string named(const fl::analysis::ConditionSummary& condition) {
  std::string text;
  const char* between = condition.kind == fl::ConditionKind::pair ? " x " : " + ";
  for (const std::string& property : condition.properties) text += (text.empty() ? "" : between) + property;
  if (text.empty()) text = "direction";
  if (condition.class_label) text += " in class " + std::to_string(*condition.class_label);
  return text;
}

inline Run run_of(const fl::FailureReport& report) {
  Run run;
  run.share = report.explained ? report.explained->estimate : 0.0;
  run.fraction = report.attributable_together.fraction;
  std::multiset<std::string> said;
  const auto names = [&](const std::vector<fl::Finding>& list, std::vector<std::string>& to) {
    for (const fl::Finding& finding : list) {
      to.push_back(named(finding.condition));
      said.insert(finding.title);
      said.insert(finding.headline);
    }
  };
  names(report.findings, run.causes);
  for (const auto* list : {&report.associated, &report.undecided, &report.not_movable}) names(*list, run.others);
  names(report.generators, run.generators);
  for (const fl::Finding& cause : report.findings) run.shapes.push_back(cause.condition.shape);
  for (const auto& finding : report.class_findings) run.class_findings.push_back(worlds::name_of(finding));
  const bool other = !run.others.empty() || !run.class_findings.empty();
  run.verdict_fits = !run.causes.empty() ? report.verdict == fl::Verdict::systematic_causes
                     : other
                         ? report.verdict == fl::Verdict::systematic_without_cause
                         : report.verdict == fl::Verdict::none_found || report.verdict == fl::Verdict::too_few_failures;
  for (const std::string& text : said) run.verdict_fits = run.verdict_fits && !text.empty() && said.count(text) == 1;
  if (!report.findings.empty() && !report.findings.front().threshold.at_flip.empty())
    run.threshold = report.findings.front().threshold.at_flip.front().median;
  return run;
}

inline bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The properties in a condition's name: "u0 x u1 in class 3" has u0 and u1.
inline std::vector<std::string> members(std::string name) {
  name = name.substr(0, name.find(" in class "));
  std::vector<std::string> parts;
  for (std::size_t first = 0;;) {
    const std::size_t end = std::min(name.find(" x ", first), name.find(" + ", first));
    parts.push_back(name.substr(first, end == std::string::npos ? end : end - first));
    if (end == std::string::npos) return parts;
    first = end + 3;
  }
}

/// How a baseline did. It can say neither pairs nor classes nor directions: it has heard a cause when it names every
/// property in it.
struct Hearing {
  double heard = 0.0;  ///< share of planted causes
  double wrong = 0.0;  ///< names per run that are in no planted or allowed one
};

/// One world's row; rates are per run.
struct Row {
  const worlds::World* world = nullptr;
  std::int64_t runs = 0;
  std::vector<double> heard_each = {};     ///< of each planted cause the share of runs in which it is rightly named
  std::vector<double> findings_each = {};  ///< ... and the causes of the report that are it, per run
  double heard = 1.0;                      ///< share of planted causes that are heard
  double missed = 0.0;                     ///< planted causes not heard per run
  double per_planted = 0.0;                ///< causes of the report per planted one
  double misnamed = 0.0;                   ///< causes per run that are neither planted nor allowed
  double alarms = 0.0;                     ///< share of runs with a confirmed condition where there is nothing to find
  std::optional<double> fraction = std::nullopt;         ///< mean headline; a run without one counts as 0
  std::optional<double> threshold_error = std::nullopt;  ///< relative, of the median of the runs
  /// Share of runs with a verdict that fits, the class findings of the world and no other, its condition among the
  /// generator's, and its first cause, where it is heard, in the right shape
  double rightly_said = 1.0;
  double share = 0.0, seconds = 0.0;
  std::map<std::string, int> names = {};  ///< what was named, in so many runs; in parentheses what is no cause
  std::array<Hearing, baselines::count> baselines = {};

  [[nodiscard]] std::optional<double> headline_error() const {
    if (!fraction || !world->fraction) return std::nullopt;
    return std::abs(*fraction - *world->fraction);
  }
};

inline Hearing hearing_of(const worlds::World& world, const std::vector<Run>& runs, std::size_t baseline) {
  std::set<std::string> right;
  const auto add = [&](const std::string& name) {
    for (const std::string& part : members(name)) right.insert(part);
  };
  for (const worlds::Planted& planted : world.planted) std::for_each(planted.names.begin(), planted.names.end(), add);
  std::for_each(world.allowed.begin(), world.allowed.end(), add);
  Hearing result;
  const auto n = static_cast<double>(runs.size());
  for (const Run& run : runs) {
    const std::set<std::string>& said = run.baselines[baseline];
    for (const std::string& name : said) result.wrong += right.count(name) != 0 ? 0.0 : 1.0 / n;
    for (const worlds::Planted& planted : world.planted) {
      const bool heard = std::any_of(planted.names.begin(), planted.names.end(), [&](const std::string& name) {
        const std::vector<std::string> parts = members(name);
        return std::all_of(parts.begin(), parts.end(), [&](const std::string& part) { return said.count(part) != 0; });
      });
      result.heard += heard ? 1.0 / (n * static_cast<double>(world.planted.size())) : 0.0;
    }
  }
  return result;
}

/// Whether a report says the rest rightly: see `Row::rightly_said`.
inline bool is_rightly_said(const worlds::World& world, const Run& run) {
  if (!run.verdict_fits || run.class_findings != world.class_findings) return false;
  if (world.generators && !contains(run.generators, *world.generators)) return false;
  for (std::size_t k = 0; k < run.causes.size() && world.shape; ++k)
    if (contains(world.planted.front().names, run.causes[k])) return run.shapes[k] == world.shape;
  return true;
}

inline Row row_of(const worlds::World& world, const std::vector<Run>& runs) {
  Row row{.world = &world, .runs = static_cast<std::int64_t>(runs.size())};
  const auto n = static_cast<double>(runs.size());
  row.heard_each.assign(world.planted.size(), 0.0);
  row.findings_each.assign(world.planted.size(), 0.0);
  double fraction = 0.0, rightly = 0.0;
  std::vector<double> thresholds;
  for (const Run& run : runs) {
    for (std::size_t k = 0; k < world.planted.size(); ++k) {
      const auto found =
          static_cast<double>(std::count_if(run.causes.begin(), run.causes.end(), [&](const std::string& cause) {
            return contains(world.planted[k].names, cause);
          }));
      row.heard_each[k] += found > 0.0 ? 1.0 / n : 0.0;
      row.findings_each[k] += found / n;
      row.missed += found > 0.0 ? 0.0 : 1.0 / n;
    }
    for (const std::string& cause : run.causes) {
      const bool right = contains(world.allowed, cause) ||
                         std::any_of(world.planted.begin(), world.planted.end(),
                                     [&](const worlds::Planted& planted) { return contains(planted.names, cause); });
      row.misnamed += right ? 0.0 : 1.0 / n;
      row.per_planted += 1.0 / (n * std::max(1.0, static_cast<double>(world.planted.size())));
      ++row.names[cause];
    }
    for (const std::string& other : run.others) ++row.names["(" + other + ")"];
    fraction += run.fraction.value_or(0.0) / n;
    if (run.threshold) thresholds.push_back(*run.threshold);
    if (world.planted.empty()) row.alarms += run.causes.empty() && run.others.empty() ? 0.0 : 1.0 / n;
    rightly += is_rightly_said(world, run) ? 1.0 / n : 0.0;
    row.share += run.share / n;
    row.seconds += run.seconds / n;
  }
  row.rightly_said = rightly;
  if (!world.planted.empty()) {
    row.heard = 1.0 - row.missed / static_cast<double>(world.planted.size());
    row.fraction = fraction;
  }
  if (world.threshold && !thresholds.empty()) {
    std::sort(thresholds.begin(), thresholds.end());
    row.threshold_error = std::abs(thresholds[thresholds.size() / 2] / *world.threshold - 1.0);
  }
  for (std::size_t b = 0; b < baselines::count; ++b) row.baselines[b] = hearing_of(world, runs, b);
  return row;
}

/// Whether a row is as the method demands, as far as so many runs can say: one run in twenty may err by bad luck, and
/// the allowance is two more than expected.
inline bool is_good(const Row& row) {
  const double slack = 2.0 / static_cast<double>(row.runs);
  if (row.rightly_said < 0.9) return false;
  if (row.world->planted.empty()) return row.alarms <= 0.05 + slack;
  return row.heard >= 0.9 && row.per_planted <= 1.1 + slack && row.misnamed <= 0.05 + slack &&
         row.headline_error().value_or(0.0) <= 0.1 &&
         (!row.world->threshold || row.threshold_error.value_or(1.0) <= 0.1);
}

}  // namespace truth
