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

FAULTLINE_INLINE std::vector<double> property_deviations(const Population& population, std::int64_t classes) {
  const Matrix<float>& properties = population.properties;
  const statistics::GroupMeans means =
      statistics::group_means("property_deviations", properties, population.label, classes);
  if (!(means.freedom() > 0.0)) return std::vector<double>(static_cast<std::size_t>(properties.cols()), 0.0);
  return statistics::within_deviations(properties, population.label, means, means.freedom(), 1e-6);
}

namespace detail {

/// Where a finding fails and what that is compared with, as points of the profile.
struct ProfileEnds {
  std::vector<std::size_t> failing;
  std::size_t other = 0;
};
[[nodiscard]] inline ProfileEnds profile_ends(const Finding& finding, std::size_t low, std::size_t middle,
                                              std::size_t high) {
  const ConditionShape shape = finding.condition.shape.value_or(ConditionShape::one_sided);
  if (shape == ConditionShape::two_sided || shape == ConditionShape::pair) return {{low, high}, middle};
  return {{high}, low};
}

/// Wrong answers that gain, and the change of the failure rate in each class.
inline void compare_ends(Finding& finding, std::span<const ProfilePoint* const> points, const ProfileEnds& ends,
                         const std::map<std::int64_t, std::int64_t>& latents_of_class, double n) {
  const auto change = [&](auto member, double scale) {
    std::map<std::int64_t, double> sums;
    for (const std::size_t end : ends.failing)
      for (const auto& [key, count] : points[end]->*member)
        sums[key] += count / static_cast<double>(ends.failing.size()) / scale;
    for (const auto& [key, count] : points[ends.other]->*member) sums[key] -= count / scale;
    return sums;
  };
  for (const auto& [answer, gain] : change(&ProfilePoint::wrong_answers, n))
    if (gain > 0.0) finding.answers.push_back({answer, gain});
  std::stable_sort(finding.answers.begin(), finding.answers.end(),
                   [](const GainedAnswer& a, const GainedAnswer& b) { return a.gain > b.gain; });
  if (finding.answers.size() > 3) finding.answers.resize(3);
  const std::map<std::int64_t, double> failures = change(&ProfilePoint::failed_in_class, 1.0);
  for (const auto& [label, latents] : latents_of_class) {
    const auto own = failures.find(label);
    finding.intervention.classes.push_back(
        {label, latents, (own == failures.end() ? 0.0 : own->second) / static_cast<double>(latents)});
  }
}

}  // namespace detail

FAULTLINE_INLINE void draw_profile_latents(const Problem& problem, HeldOutLatents& held_out,
                                           std::span<std::vector<Finding>* const> lists, std::int64_t latents) {
  (void)held_out.first(latents, std::nullopt, latents);
  for (const std::vector<Finding>* list : lists)
    for (const Finding& finding : *list)
      if (const auto label = finding.direction.class_label)
        (void)held_out.first(latents, label, 4 * problem.classes * latents);
}

FAULTLINE_INLINE void measure_profiles(const FindingContext& context, std::span<Finding> findings,
                                       std::span<const double> sigmas) {
  const Problem& problem = context.problem;
  const Population& population = context.latents;
  const std::size_t property_count = problem.property_names.size();
  const std::size_t points = sigmas.size();
  const std::int64_t wanted = profile_latents(context.options.intervention_images);

  // Latents by class wanted; the unmoved images are the same for all findings that share them.
  using Positions = std::vector<std::int64_t>;
  std::map<std::optional<std::int64_t>, Positions> positions;
  for (const Finding& finding : findings) {
    const auto [entry, is_new] = positions.try_emplace(finding.direction.class_label);
    for (std::int64_t i = 0;
         is_new && i < population.size() && static_cast<std::int64_t>(entry->second.size()) < wanted; ++i)
      if (!entry->first || population.label[static_cast<std::size_t>(i)] == *entry->first) entry->second.push_back(i);
  }
  struct Place {
    std::size_t finding, point;
  };
  std::vector<EditedLatent> edits;
  std::vector<Place> places;
  // The finding that carries the unmoved images of these latents
  std::map<std::optional<std::int64_t>, std::size_t> unmoved;
  for (std::size_t f = 0; f < findings.size(); ++f) {
    const Direction& direction = findings[f].direction;
    if (direction.w.empty()) continue;
    const bool first = unmoved.try_emplace(direction.class_label, f).second;
    const Edit edit = Edit::in_w(direction.w);
    for (const std::int64_t i : positions[direction.class_label])
      for (std::size_t g = 0; g < points; ++g) {
        if (sigmas[g] == 0.0 && !first) continue;
        edits.push_back(
            {{population.w.row_span(i), population.label[static_cast<std::size_t>(i)]}, edit.at(sigmas[g])});
        places.push_back({f, g});
      }
  }

  std::vector<std::vector<ProfilePoint>> sums(findings.size(), std::vector<ProfilePoint>(points));
  for (auto& finding : sums)
    for (ProfilePoint& point : finding) point.properties.assign(property_count, 0.0);
  answer_in_blocks(problem, edits, {.properties = property_count > 0, .judge = problem.has_judge},
                   [&](std::size_t at, const EditAnswers& answers) {
                     const ClassifierAnswers& said = answers.first();
                     for (std::size_t k = 0; k < said.failed.size(); ++k) {
                       ProfilePoint& point = sums[places[at + k].finding][places[at + k].point];
                       const bool valid = answers.judge_agrees.empty() || answers.judge_agrees[k] != 0;
                       point.probability += static_cast<double>(said.probability[k]);
                       point.failed += said.failed[k] != 0 ? 1.0 : 0.0;
                       point.agreed += valid ? 1.0 : 0.0;
                       const std::int64_t label = edits[at + k].start.label;
                       if (valid && said.failed[k] != 0) {
                         point.failed_in_class[label] += 1.0;
                         if (said.prediction[k] != label) point.wrong_answers[said.prediction[k]] += 1.0;
                       }
                       for (std::size_t p = 0; p < property_count; ++p)
                         point.properties[p] += static_cast<double>(
                             answers.properties(static_cast<std::int64_t>(k), static_cast<std::int64_t>(p)));
                     }
                   });

  const std::vector<double> deviation = property_deviations(problem.confirmation, problem.classes);
  const auto at = [&](double sigma) {
    return static_cast<std::size_t>(std::find(sigmas.begin(), sigmas.end(), sigma) - sigmas.begin());
  };
  for (std::size_t f = 0; f < findings.size(); ++f) {
    Finding& finding = findings[f];
    finding.profile = {};
    finding.side_effects.clear();
    finding.answers.clear();
    finding.intervention.classes.clear();
    const Positions& own = positions[finding.direction.class_label];
    if (own.empty() || finding.direction.w.empty()) continue;
    const auto n = static_cast<double>(own.size());
    Profile& profile = finding.profile;
    profile.sigmas.assign(sigmas.begin(), sigmas.end());
    profile.properties.assign(property_count, {});
    std::vector<const ProfilePoint*> along;
    for (std::size_t g = 0; g < points; ++g) {
      const ProfilePoint& point = sums[sigmas[g] == 0.0 ? unmoved[finding.direction.class_label] : f][g];
      along.push_back(&point);
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
    std::map<std::int64_t, std::int64_t> latents_of_class;
    for (const std::int64_t i : own) ++latents_of_class[population.label[static_cast<std::size_t>(i)]];
    detail::compare_ends(finding, along, detail::profile_ends(finding, at(-2.0), at(0.0), at(2.0)), latents_of_class,
                         n);
  }
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
