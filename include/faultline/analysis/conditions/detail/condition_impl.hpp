// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/condition.hpp.

#include <faultline/analysis/conditions/condition.hpp>

#include <faultline/analysis/conditions/residual_directions.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The condition, if any, that a property belongs to: by itself, or as a member of a pair.
[[nodiscard]] inline std::optional<std::size_t> holder_of(const Conditions& found, std::int64_t property) {
  for (std::size_t k = 0; k < found.conditions.size(); ++k) {
    const auto& own = found.conditions[k].properties;
    if (std::find(own.begin(), own.end(), property) != own.end()) return k;
  }
  return std::nullopt;
}

inline void gather_term(Conditions& found, const Term& term, double gain) {
  const auto add_to = [&](std::size_t k) {
    found.conditions[k].terms.push_back(term);
    found.conditions[k].gain += gain;
    if (found.conditions[k].class_label != term.class_label) found.conditions[k].class_label.reset();
  };
  const auto add_new = [&](ConditionKind kind, std::vector<std::int64_t> properties) {
    found.conditions.push_back({kind, std::move(properties), term.class_label, {term}, gain});
  };
  if (term.property < 0) return add_new(ConditionKind::direction, {});
  const auto first = holder_of(found, term.property);
  if (term.kind != TermKind::pair) {
    if (first) return add_to(*first);
    return add_new(ConditionKind::property, {term.property});
  }
  const auto second = holder_of(found, term.other);
  if (first && second && *first == *second) return add_to(*first);
  if (first && second) {
    found.interactions.push_back({static_cast<std::int64_t>(*first), static_cast<std::int64_t>(*second), term, gain});
    return;
  }
  add_new(ConditionKind::pair, {term.property, term.other});
}

/// Akaike's criterion of a model of terms.
[[nodiscard]] inline double criterion(const ConditionSample& sample, std::span<const Term> terms) {
  const Matrix<double> x = design(terms, sample);
  return statistics::fit_logistic(x, sample.label, sample.failed, sample.classes).deviance +
         2.0 * static_cast<double>(x.cols());
}

/// One term along a single direction in the span of the readings of some properties, fitted next to `others`; with
/// `steps` = 0 where the search begins.
[[nodiscard]] inline std::optional<Term> single_index(const ConditionSample& sample, const PropertyReadings& readings,
                                                      std::span<const Term> others,
                                                      std::span<const std::int64_t> properties, int steps) {
  // the same search as for residual directions, in coordinates of the span of the readings
  std::vector<Term> members;
  for (const std::int64_t k : properties) members.push_back({.kind = TermKind::reading, .property = k});
  const Matrix<double> basis = spanned_by(members, readings);
  if (basis.rows() < 2) return std::nullopt;
  ConditionSample inside = sample;
  inside.whitened = Matrix<double>(sample.whitened * basis.transpose());
  const Matrix<double> x = design(others, sample);
  const statistics::LogisticFit fit = statistics::fit_logistic(x, sample.label, sample.failed, sample.classes);
  std::optional<Term> term = residual_direction(inside, x, fit, Matrix<double>(0, basis.rows()), std::nullopt, steps);
  if (term) term->directions = Matrix<double>(term->directions * basis);
  return term;
}

/// Whether a condition may be merged: one property, all classes, with a reading.
[[nodiscard]] inline bool may_merge(const Condition& condition, const PropertyReadings& readings,
                                    const Conditions& found, std::size_t position) {
  if (condition.kind != ConditionKind::property || condition.class_label) return false;
  for (const Interaction& interaction : found.interactions)
    if (static_cast<std::size_t>(interaction.first) == position ||
        static_cast<std::size_t>(interaction.second) == position)
      return false;
  return std::all_of(condition.properties.begin(), condition.properties.end(), [&](std::int64_t k) {
    return readings.vectors.cols() > 0 && readings.r_squared[static_cast<std::size_t>(k)] >= least_reading;
  });
}

/// Merges the two conditions that lose least by acting through one sum, if they lose nothing; returns whether it did.
inline bool merge_once(const ConditionSample& sample, const PropertyReadings& readings, Conditions& found) {
  std::vector<std::size_t> able;
  for (std::size_t k = 0; k < found.conditions.size(); ++k)
    if (may_merge(found.conditions[k], readings, found, k)) able.push_back(k);
  if (able.size() < 2) return false;
  struct Merge {
    std::size_t a = 0, b = 0;
    double change = 0.0;
    std::optional<Term> term;
  };
  std::vector<Merge> merges;
  for (std::size_t i = 0; i < able.size(); ++i)
    for (std::size_t j = i + 1; j < able.size(); ++j) merges.push_back({able[i], able[j], 0.0, std::nullopt});
  std::vector<Term> everything;
  for (const Condition& condition : found.conditions)
    everything.insert(everything.end(), condition.terms.begin(), condition.terms.end());
  parallel_for(static_cast<std::int64_t>(merges.size()), 0, [&](std::int64_t m) {
    Merge& merge = merges[static_cast<std::size_t>(m)];
    std::vector<Term> others, apart;
    std::vector<std::int64_t> properties;
    for (std::size_t k = 0; k < found.conditions.size(); ++k) {
      const Condition& condition = found.conditions[k];
      if (k != merge.a && k != merge.b) {
        others.insert(others.end(), condition.terms.begin(), condition.terms.end());
        continue;
      }
      properties.insert(properties.end(), condition.properties.begin(), condition.properties.end());
      // on the same footing as the merged term: readings, which measurement error does not blur
      if (condition.properties.size() == 1)
        apart.push_back({.kind = TermKind::reading, .property = condition.properties.front()});
      else apart.insert(apart.end(), condition.terms.begin(), condition.terms.end());
    }
    apart.insert(apart.end(), others.begin(), others.end());
    const double limit = criterion(sample, apart);
    for (const int steps : {0, 6}) {  // what is far from as good is not worth a search
      merge.term = single_index(sample, readings, others, properties, steps);
      if (!merge.term) return;
      std::vector<Term> together = others;
      together.push_back(*merge.term);
      merge.change = criterion(sample, together) - limit;
      if (merge.change > 0.05 * limit) return;
    }
  });
  const auto best = std::min_element(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    return (a.term ? a.change : 1.0) < (b.term ? b.change : 1.0);
  });
  if (!best->term || !(best->change < 0.0)) return false;
  Condition& into = found.conditions[best->a];
  Condition& from = found.conditions[best->b];
  into.properties.insert(into.properties.end(), from.properties.begin(), from.properties.end());
  std::sort(into.properties.begin(), into.properties.end());
  into.terms = {*best->term};
  into.gain += from.gain;
  for (Interaction& interaction : found.interactions)
    for (std::int64_t* end : {&interaction.first, &interaction.second})
      if (*end > static_cast<std::int64_t>(best->b)) --*end;
  found.conditions.erase(found.conditions.begin() + static_cast<std::ptrdiff_t>(best->b));
  return true;
}

}  // namespace detail

FAULTLINE_INLINE Conditions gather_conditions(const ConditionSample& sample, const PropertyReadings& readings,
                                              const Selection& selection) {
  Conditions found;
  for (std::size_t k = 0; k < selection.terms.size(); ++k)
    detail::gather_term(found, selection.terms[k], selection.gains[k]);
  while (detail::merge_once(sample, readings, found)) {}
  return found;
}

FAULTLINE_INLINE std::string condition_name(const Condition& condition, std::span<const std::string> property_names,
                                            std::int64_t unnamed) {
  const auto name = [&](std::size_t i) { return property_names[static_cast<std::size_t>(condition.properties[i])]; };
  std::string text;
  if (condition.kind == ConditionKind::direction) text = "unnamed direction " + std::to_string(unnamed);
  else if (condition.kind == ConditionKind::pair) text = name(0) + " with " + name(1);
  else {
    text = name(0);
    for (std::size_t i = 1; i < condition.properties.size(); ++i) text += " + " + name(i);
    if (condition.properties.size() > 1) text += " together";
  }
  if (condition.class_label) text += " in class " + std::to_string(*condition.class_label);
  return text;
}

FAULTLINE_INLINE std::vector<double> stability(const ConditionSample& sample, const PropertyReadings& readings,
                                               std::span<const std::uint8_t> admitted, const Conditions& found,
                                               const SelectionOptions& options, std::int64_t runs) {
  std::vector<std::vector<std::uint8_t>> chosen(static_cast<std::size_t>(runs));
  parallel_for(runs, 0, [&](std::int64_t b) {
    core::CounterRandom random(options.seed, core::Stream::augmentations, 1 + b);
    std::vector<std::int64_t> half;
    std::int64_t wanted = sample.size() / 2, left = sample.size();
    for (std::int64_t i = 0; i < sample.size(); ++i, --left)  // Knuth's algorithm S: ascending, uniform
      if (random.uniform() * static_cast<double>(left) < static_cast<double>(wanted)) half.push_back(i), --wanted;
    const ConditionSample part = subset(sample, half);
    SelectionOptions light = options;
    light.cross_validate = false;
    const Selection again = select_terms(part, readings, admitted, light);
    std::vector<std::uint8_t>& own = chosen[static_cast<std::size_t>(b)];
    const Matrix<double> span = [&] {
      std::vector<Term> directions;
      for (const Term& term : again.terms)
        if (!term.directions.empty()) directions.push_back(term);
      return spanned_by(directions, readings);
    }();
    for (const Condition& condition : found.conditions) {
      if (condition.kind == ConditionKind::direction) {
        const Matrix<double>& mine = condition.terms.front().directions;
        own.push_back(
            span.rows() > 0 && (mine * span.transpose()).squaredNorm() >= 0.5 * static_cast<double>(mine.rows()) ? 1
                                                                                                                 : 0);
        continue;
      }
      // every property of a sum or a pair must be there, whatever terms say it
      own.push_back(std::all_of(condition.properties.begin(), condition.properties.end(),
                                [&](std::int64_t k) {
                                  return std::any_of(again.terms.begin(), again.terms.end(), [&](const Term& term) {
                                    return (term.property == k || term.other == k) &&
                                           (!condition.class_label || !term.class_label ||
                                            term.class_label == condition.class_label);
                                  });
                                })
                        ? 1
                        : 0);
    }
  });
  std::vector<double> share(found.conditions.size(), 0.0);
  for (const auto& own : chosen)
    for (std::size_t k = 0; k < share.size(); ++k) share[k] += static_cast<double>(own[k]) / static_cast<double>(runs);
  return share;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
