// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/responses.hpp.

#include <faultline/analysis/describe/responses.hpp>

#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/describe/response_curve.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

[[nodiscard]] inline std::optional<std::int64_t> property_position(const Problem& problem, const std::string& name) {
  const auto found = std::find(problem.property_names.begin(), problem.property_names.end(), name);
  if (found == problem.property_names.end()) return std::nullopt;
  return found - problem.property_names.begin();
}

/// Values of a property and outcomes, over both splits.
struct PropertyOutcomes {
  std::vector<double> values;
  std::vector<std::uint8_t> outcomes;
};
/// Failures of valid samples, or with `invalid` the samples that are not valid.
[[nodiscard]] inline PropertyOutcomes property_outcomes(const Problem& problem, std::int64_t property,
                                                        std::optional<std::int64_t> label, bool invalid = false) {
  PropertyOutcomes result;
  for (const Population* split : {&problem.discovery, &problem.confirmation})
    for (std::int64_t i = 0; i < split->size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if ((label && split->label[at] != *label) || (!invalid && !split->is_valid(at))) continue;
      result.values.push_back(static_cast<double>(split->properties(i, property)));
      result.outcomes.push_back(invalid ? (split->is_valid(at) ? 0 : 1) : split->failed[at]);
    }
  return result;
}

inline void attach_responses(const Problem& problem, Finding& finding, bool invalid) {
  finding.response.clear();
  for (const std::string& name : finding.condition.properties) {
    const auto property = property_position(problem, name);
    if (!property) continue;
    const PropertyOutcomes samples = property_outcomes(problem, *property, finding.condition.class_label, invalid);
    if (samples.values.empty()) continue;
    finding.response.push_back(response_curve(name, samples.values, samples.outcomes));
    finding.response.back().class_label = finding.condition.class_label;
    finding.response.back().unit = problem.unit_of(*property);
  }
}

/// Edges of cells with as many values each; equal edges are one.
[[nodiscard]] inline std::vector<double> even_edges(std::vector<double> values, std::int64_t cells) {
  std::sort(values.begin(), values.end());
  std::vector<double> edges;
  for (std::int64_t k = 0; k <= cells; ++k)
    edges.push_back(statistics::quantile(values, static_cast<double>(k) / static_cast<double>(cells)));
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

/// The cell of a value; the last edge belongs to the last cell.
[[nodiscard]] inline std::int64_t cell_of(std::span<const double> edges, double value) {
  const auto above = std::upper_bound(edges.begin() + 1, edges.end() - 1, value) - edges.begin() - 1;
  return std::min<std::int64_t>(above, static_cast<std::int64_t>(edges.size()) - 2);
}

}  // namespace detail

FAULTLINE_INLINE void attach_responses(const Problem& problem, std::span<Finding> findings) {
  for (Finding& finding : findings) detail::attach_responses(problem, finding, false);
}

FAULTLINE_INLINE void fill_property_map(const Problem& problem, InteractionFinding& interaction, std::int64_t cells) {
  if (interaction.properties.size() != 2) return;
  const auto x = detail::property_position(problem, interaction.properties[0]),
             y = detail::property_position(problem, interaction.properties[1]);
  if (!x || !y) return;
  const detail::PropertyOutcomes first = detail::property_outcomes(problem, *x, std::nullopt),
                                 second = detail::property_outcomes(problem, *y, std::nullopt);
  if (first.values.empty()) return;
  interaction.units = {problem.unit_of(*x), problem.unit_of(*y)};
  interaction.first_edges = detail::even_edges(first.values, cells);
  interaction.second_edges = detail::even_edges(second.values, cells);
  if (interaction.first_edges.size() < 2 || interaction.second_edges.size() < 2) return;
  const std::vector<std::int64_t> row(interaction.second_edges.size() - 1, 0);
  interaction.failures.counts.assign(interaction.first_edges.size() - 1, row);
  interaction.samples = interaction.failures;
  for (std::size_t i = 0; i < first.values.size(); ++i) {
    const std::int64_t a = detail::cell_of(interaction.first_edges, first.values[i]),
                       b = detail::cell_of(interaction.second_edges, second.values[i]);
    ++interaction.samples(a, b);
    interaction.failures(a, b) += first.outcomes[i] != 0 ? 1 : 0;
  }
}

FAULTLINE_INLINE std::vector<Finding> generator_conditions(const Problem& problem,
                                                           const Matrix<double>& discovery_whitened,
                                                           const Matrix<double>& confirmation_whitened,
                                                           const ReadingVectors& reading_vectors,
                                                           const ConditionOptions& options) {
  std::vector<Finding> findings;
  if (!problem.has_judge || problem.property_names.empty()) return findings;
  const auto invalid_of = [](const Population& split) {
    Population population;  // what a sample of conditions needs
    population.index = split.index;
    population.label = split.label;
    population.properties = split.properties;
    for (const std::uint8_t valid : split.valid) population.failed.push_back(valid != 0 ? 0 : 1);
    return population;
  };
  const Population first = invalid_of(problem.discovery), second = invalid_of(problem.confirmation);
  if (!enough_failures(valid_outcomes(first, problem.classes), valid_outcomes(second, problem.classes), 20.0))
    return findings;
  const auto sample_of = [&](const Population& population, const Matrix<double>& whitened) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(population.size()));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    return make_condition_sample(population, whitened, rows, reading_vectors, problem.classes);
  };
  ConditionOptions seeking = options;
  seeking.selection.directions = false;  // a direction without a name says nothing about a generator
  const ConditionSample discovery = sample_of(first, discovery_whitened);
  const TestedConditions tested = find_conditions(discovery, sample_of(second, confirmation_whitened), reading_vectors,
                                                  problem.property_candidates, problem.seed, seeking);
  const auto is_one = [&](const TestedCondition& condition) { return condition.confirmed; };
  for (const TestedCondition& condition : tested.conditions) {
    if (!is_one(condition)) continue;
    Finding& finding = findings.emplace_back();
    finding.condition.kind = condition.condition.kind;
    for (const std::int64_t k : condition.condition.properties)
      finding.condition.properties.push_back(problem.property_names[static_cast<std::size_t>(k)]);
    finding.condition.class_label = condition.condition.class_label;
    finding.condition.deviance_share = {condition.test.gain.share, condition.test.gain.interval.lower,
                                        condition.test.gain.interval.upper};
    finding.condition.stability = condition.stability;
    finding.confirmation = {condition.test.p, condition.test.p_adjusted};
    detail::attach_responses(problem, finding, true);
    if (!finding.response.empty() && !finding.response.front().bins.empty()) {
      const auto& bins = finding.response.front().bins;
      finding.condition.sign = bins.back().rate.estimate >= bins.front().rate.estimate ? 1 : -1;
    }
  }
  return findings;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
