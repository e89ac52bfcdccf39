// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/make_finding.hpp.

#include <faultline/analysis/describe/make_finding.hpp>

#include <faultline/core/matrix.hpp>
#include <faultline/statistics/linear_algebra.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The edit towards failure: against the first direction where less of it fails, along the failing diagonal of a pair.
[[nodiscard]] inline Direction failing_direction(const statistics::Whitening& whitening, const ConditionEdit& edit,
                                                 std::optional<std::int64_t> class_label) {
  Direction direction;
  direction.class_label = class_label;
  if (edit.directions.rows() == 0) return direction;
  Eigen::VectorXd v = core::as_vector(edit.directions.row_span(0));
  if (edit.shape == ConditionShape::pair && edit.directions.rows() == 2)
    v += static_cast<double>(edit.sign) * core::as_vector(edit.directions.row_span(1));
  else if (edit.shape == ConditionShape::band) v *= edit.worst >= edit.best ? 1.0 : -1.0;
  else if (edit.shape != ConditionShape::pair && edit.shape != ConditionShape::subspace)
    v *= static_cast<double>(edit.sign);
  v.normalize();
  direction.whitened = core::to_list(v);
  direction.w = core::to_list(statistics::detail::transposed_product(whitening.from_white, v));
  if (edit.steps.rows() > 1)
    for (std::int64_t m = 0; m < edit.steps.rows(); ++m)
      direction.parts.push_back(core::to_list(core::as_vector(edit.steps.row_span(m))));
  return direction;
}

[[nodiscard]] inline Share share_of(const statistics::DevianceGain& gain) {
  return {gain.share, gain.interval.lower, gain.interval.upper};
}

/// Shares of the gain that classes have, largest first.
[[nodiscard]] inline std::vector<ClassShare> class_shares(std::span<const double> gains) {
  std::vector<ClassShare> shares;
  const double total = std::accumulate(gains.begin(), gains.end(), 0.0);
  if (!(total > 0.0) || gains.size() < 2) return shares;
  for (std::size_t c = 0; c < gains.size(); ++c)
    if (gains[c] > 0.0) shares.push_back({static_cast<std::int64_t>(c), gains[c] / total});
  std::stable_sort(shares.begin(), shares.end(),
                   [](const ClassShare& a, const ClassShare& b) { return a.share > b.share; });
  if (shares.size() > 5) shares.resize(5);
  return shares;
}

}  // namespace detail

FAULTLINE_INLINE Finding make_finding(const Problem& problem, const statistics::Whitening& whitening,
                                      const ChainedCondition& condition, const CauseFractions& fractions) {
  Finding finding;
  const ConditionEdit& edit = condition.edit;
  ConditionSummary& summary = finding.condition;
  summary.kind = condition.condition.kind;
  for (const std::int64_t k : condition.condition.properties)
    summary.properties.push_back(problem.property_names[static_cast<std::size_t>(k)]);
  summary.class_label = condition.condition.class_label;
  summary.deviance_share = detail::share_of(condition.test.gain);
  summary.stability = condition.stability;
  summary.classes = detail::class_shares(condition.test.class_gains);
  finding.confirmation = {condition.test.p, condition.test.p_adjusted};
  if (condition.minor) {  // not moved, so that its shape and its direction are not known either
    summary.is_minor = true;
    return finding;
  }
  summary.shape = edit.shape;
  summary.sign = edit.shape == ConditionShape::band ? (edit.worst >= edit.best ? 1 : -1) : edit.sign;
  summary.movability = edit.movability;
  if (edit.held_back) summary.moves_along = problem.property_names[static_cast<std::size_t>(*edit.held_back)];
  finding.direction = detail::failing_direction(whitening, edit, summary.class_label);
  if (edit.movability != Movability::movable) return finding;

  const ConditionEffect& effect = condition.effect;
  Intervention& moved = finding.intervention;
  moved.decision = effect.decision;
  moved.latents = effect.latents;
  moved.needed = effect.needed;
  if (effect.latents > 0) {
    moved.effect = effect.effect;
    moved.lower = effect.lower;
    moved.upper = effect.upper;
    moved.min_effect = effect.min_effect;
    if (problem.has_judge) {
      const bool turned = edit.shape == ConditionShape::one_sided && edit.sign < 0;
      moved.invalid_high = turned ? effect.invalid_low : effect.invalid_high;
      moved.invalid_low = turned ? effect.invalid_high : effect.invalid_low;
    }
  }
  if (condition.fraction)
    finding.attributable = {condition.fraction->value, condition.fraction->interval.lower,
                            condition.fraction->interval.upper, fractions.latents, fractions.failures};
  return finding;
}

FAULTLINE_INLINE SortedFindings sort_findings(const Problem& problem, const statistics::Whitening& whitening,
                                              const ConditionChain& chain) {
  SortedFindings sorted;
  for (const ChainedCondition& condition : chain.conditions) {
    if (!condition.confirmed) continue;
    Finding finding = make_finding(problem, whitening, condition, chain.fractions);
    std::vector<Finding>* list = &sorted.undecided;
    if (condition.minor) list = &sorted.undecided;
    else if (condition.edit.movability != Movability::movable) list = &sorted.not_movable;
    else if (condition.cause) list = &sorted.causes;
    else if (condition.effect.decision == Decision::does_not) list = &sorted.associated;
    list->push_back(std::move(finding));
  }
  std::stable_sort(sorted.causes.begin(), sorted.causes.end(), [](const Finding& a, const Finding& b) {
    return a.attributable.lower.value_or(-2.0) > b.attributable.lower.value_or(-2.0);
  });
  return sorted;
}

namespace detail {

[[nodiscard]] inline std::string plain_title(const Finding& finding) {
  const std::vector<std::string>& properties = finding.condition.properties;
  std::string text;
  if (!properties.empty()) {
    const char* between = finding.condition.kind == ConditionKind::pair ? " with " : " + ";
    for (const std::string& name : properties) text += (text.empty() ? "" : between) + name;
    if (finding.condition.kind != ConditionKind::pair && properties.size() > 1) text += " together";
    return text;
  }
  const std::vector<PropertyEffect>& effects = finding.side_effects;
  constexpr double least_change = 0.5;  // a property moves from half a deviation on
  if (effects.empty() || std::abs(effects[0].strength) < least_change) return {};
  const double second = effects.size() > 1 ? std::abs(effects[1].strength) : 0.0;
  if (std::abs(effects[0].strength) > 2.0 * second) return effects[0].name + ", as w tells it";
  return effects[0].name + " + " + effects[1].name;
}

}  // namespace detail

FAULTLINE_INLINE void name_findings(std::span<std::vector<Finding>* const> lists) {
  std::set<std::string> used;
  std::int64_t unnamed = 0;
  for (std::vector<Finding>* list : lists)
    for (Finding& finding : *list) {
      std::string title = detail::plain_title(finding);
      if (title.empty()) title = "unnamed direction " + std::to_string(++unnamed);
      if (finding.condition.class_label) title += " in class " + std::to_string(*finding.condition.class_label);
      std::string name = title;
      for (int number = 2; !used.insert(name).second; ++number) name = title + " (" + std::to_string(number) + ")";
      finding.title = name;
      finding.direction.name = std::move(name);
    }
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
