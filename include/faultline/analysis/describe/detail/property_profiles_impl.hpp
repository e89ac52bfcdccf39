// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/property_profiles.hpp.

#include <faultline/analysis/describe/property_profiles.hpp>

#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE PropertyEffect name_direction(std::span<const PropertyEffect> strongest_first) {
  if (strongest_first.empty()) return {};
  PropertyEffect named = strongest_first[0];
  if (!(std::abs(named.strength) >= naming_strength)) {
    named.name.clear();
  } else if (strongest_first.size() > 1 &&
             std::abs(named.strength) < naming_lead * std::abs(strongest_first[1].strength)) {
    named.name = "mixed: " + strongest_first[0].name + " + " + strongest_first[1].name;
  }
  return named;
}

FAULTLINE_INLINE std::vector<double> property_deviations(const Population& population, std::int64_t classes) {
  const Matrix<float>& properties = population.properties;
  const statistics::GroupMeans means =
      statistics::group_means("property_deviations", properties, population.label, classes);
  if (!(means.freedom() > 0.0)) return std::vector<double>(static_cast<std::size_t>(properties.cols()), 0.0);
  return statistics::within_deviations(properties, population.label, means, means.freedom(), 1e-6);
}

FAULTLINE_INLINE void measure_profiles(const FindingContext& context, std::span<Finding> findings,
                                       std::span<const double> sigmas) {
  const Problem& problem = context.problem;
  const Population& codes = context.codes;
  const std::size_t property_count = problem.property_names.size();
  const std::size_t points = sigmas.size();

  // Codes by class wanted; the unmoved images are the same for all findings that share them.
  std::map<std::optional<std::int64_t>, std::vector<std::int64_t>> positions;
  for (const Finding& finding : findings) {
    const auto [entry, is_new] = positions.try_emplace(finding.direction.class_label);
    for (std::int64_t i = 0; is_new && i < codes.size() &&
                             static_cast<std::int64_t>(entry->second.size()) < context.options.threshold_codes;
         ++i)
      if (!entry->first || codes.label[static_cast<std::size_t>(i)] == *entry->first) entry->second.push_back(i);
  }

  struct Place {
    std::size_t finding, point;
  };
  std::vector<EditedLatent> edits;
  std::vector<Place> places;
  // The finding that carries the unmoved images of these codes
  std::map<std::optional<std::int64_t>, std::size_t> unmoved;
  for (std::size_t f = 0; f < findings.size(); ++f) {
    const Direction& direction = findings[f].direction;
    const bool first = unmoved.try_emplace(direction.class_label, f).second;
    const Edit edit = Edit::in_w(direction.w);
    for (const std::int64_t i : positions[direction.class_label]) {
      for (std::size_t g = 0; g < points; ++g) {
        if (sigmas[g] == 0.0 && !first) continue;
        edits.push_back({{codes.w.row_span(i), codes.label[static_cast<std::size_t>(i)]}, edit.at(sigmas[g])});
        places.push_back({f, g});
      }
    }
  }

  std::vector<std::vector<ProfilePoint>> sums(findings.size(), std::vector<ProfilePoint>(points));
  for (auto& finding : sums)
    for (ProfilePoint& point : finding) point.properties.assign(property_count, 0.0);
  const EditAnswers answers =
      problem.answer_edits(edits, {.properties = property_count > 0, .judge = problem.has_judge});
  for (std::size_t k = 0; k < edits.size(); ++k) {
    ProfilePoint& point = sums[places[k].finding][places[k].point];
    point.probability += static_cast<double>(answers.first().probability[k]);
    point.failed += answers.first().failed[k] != 0 ? 1.0 : 0.0;
    if (problem.has_judge) point.agreed += answers.judge_agrees[k] != 0 ? 1.0 : 0.0;
    for (std::size_t p = 0; p < property_count; ++p)
      point.properties[p] +=
          static_cast<double>(answers.properties(static_cast<std::int64_t>(k), static_cast<std::int64_t>(p)));
  }

  const std::vector<double> deviation = property_deviations(problem.confirmation, problem.classes);
  const auto at = [&](double move) {
    return static_cast<std::size_t>(std::find(sigmas.begin(), sigmas.end(), move) - sigmas.begin());
  };
  for (std::size_t f = 0; f < findings.size(); ++f) {
    Finding& finding = findings[f];
    finding.profile = {};
    finding.property = {};
    finding.side_effects.clear();
    const auto n = static_cast<double>(positions[finding.direction.class_label].size());
    if (n == 0.0) continue;
    Profile& profile = finding.profile;
    profile.sigmas.assign(sigmas.begin(), sigmas.end());
    profile.properties.assign(property_count, {});
    for (std::size_t g = 0; g < points; ++g) {
      const ProfilePoint& point = sums[sigmas[g] == 0.0 ? unmoved[finding.direction.class_label] : f][g];
      profile.probability.push_back(point.probability / n);
      profile.failure_share.push_back(point.failed / n);
      if (problem.has_judge) profile.judge_agreement.push_back(point.agreed / n);
      for (std::size_t p = 0; p < property_count; ++p) profile.properties[p].push_back(point.properties[p] / n);
    }
    for (std::size_t p = 0; p < property_count; ++p) {
      const double change = profile.properties[p][at(2.0)] - profile.properties[p][at(-2.0)];
      const double unit = p < deviation.size() ? deviation[p] : 0.0;
      finding.side_effects.push_back({problem.property_names[p], unit > 0.0 ? change / unit : 0.0});
    }
    std::stable_sort(
        finding.side_effects.begin(), finding.side_effects.end(),
        [](const PropertyEffect& a, const PropertyEffect& b) { return std::abs(a.strength) > std::abs(b.strength); });
    finding.property = name_direction(finding.side_effects);
  }
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
