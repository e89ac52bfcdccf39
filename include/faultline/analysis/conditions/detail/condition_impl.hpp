// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/condition.hpp.

#include <faultline/analysis/conditions/condition.hpp>

#include <faultline/analysis/conditions/residual_directions.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/linear_algebra.hpp>
#include <faultline/statistics/natural_spline.hpp>

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
  // a light ridge: with the usual one, two splines can be steeper together than one, where failures separate
  return statistics::fit_logistic(x, sample.label, sample.failed, sample.classes, {.ridge = 0.002}).deviance +
         2.0 * static_cast<double>(x.cols());
}

/// One term along a single direction in the span of the reading vectors of some properties, fitted next to `others`.
[[nodiscard]] inline std::optional<Term> single_index(const ConditionSample& sample,
                                                      const ReadingVectors& reading_vectors,
                                                      std::span<const Term> others,
                                                      std::span<const std::int64_t> properties) {
  // the same search as for residual directions, in coordinates of the span of the reading vectors
  std::vector<Term> members;
  for (const std::int64_t k : properties) members.push_back({.kind = TermKind::projection, .property = k});
  const Matrix<double> basis = spanned_by(members, reading_vectors);
  if (basis.rows() < 2) return std::nullopt;
  ConditionSample inside = sample;
  inside.whitened = statistics::detail::product_transposed(sample.whitened, basis);
  const Matrix<double> x = design(others, sample);
  const statistics::LogisticFit fit = statistics::fit_logistic(x, sample.label, sample.failed, sample.classes);
  std::optional<Term> term = residual_direction(inside, x, fit, Matrix<double>(0, basis.rows()));
  if (term) term->directions = statistics::detail::product(term->directions, basis);
  return term;
}

/// Whether a condition may be merged: one property, all classes, with a reading vector.
[[nodiscard]] inline bool may_merge(const Condition& condition, const ReadingVectors& reading_vectors,
                                    const Conditions& found, std::size_t position) {
  if (condition.kind != ConditionKind::property || condition.class_label) return false;
  for (const Interaction& interaction : found.interactions)
    if (static_cast<std::size_t>(interaction.first) == position ||
        static_cast<std::size_t>(interaction.second) == position)
      return false;
  return std::all_of(condition.properties.begin(), condition.properties.end(), [&](std::int64_t k) {
    return reading_vectors.vectors.cols() > 0 &&
           reading_vectors.r_squared[static_cast<std::size_t>(k)] >= least_r_squared;
  });
}

/// Merges the two conditions that lose least by acting through one sum, if they lose nothing; returns whether it did.
inline bool merge_once(const ConditionSample& sample, const ReadingVectors& reading_vectors, Conditions& found) {
  const std::size_t count = found.conditions.size();
  std::vector<std::uint8_t> able(count, 0);
  // on one footing with the merged terms: projections, which measurement error does not blur
  std::vector<std::vector<Term>> groups(count);
  for (std::size_t k = 0; k < count; ++k) {
    const Condition& condition = found.conditions[k];
    able[k] = may_merge(condition, reading_vectors, found, k) ? 1 : 0;
    if (able[k] != 0 && condition.properties.size() == 1)
      groups[k] = {{.kind = TermKind::projection, .property = condition.properties.front()}};
    else groups[k] = condition.terms;
  }
  if (std::count(able.begin(), able.end(), 1) < 2) return false;
  const auto all_but = [&](std::size_t a, std::size_t b) {
    std::vector<Term> terms;
    for (std::size_t k = 0; k < count; ++k)
      if (k != a && k != b) terms.insert(terms.end(), groups[k].begin(), groups[k].end());
    return terms;
  };
  const std::vector<Term> apart = all_but(count, count);
  const Matrix<double> x = design(apart, sample);
  const statistics::LogisticFit fit = statistics::fit_logistic(x, sample.label, sample.failed, sample.classes);
  // what a sum has to reach: the projections by themselves, and everything that was accepted
  std::vector<Term> accepted;
  for (const Condition& condition : found.conditions)
    accepted.insert(accepted.end(), condition.terms.begin(), condition.terms.end());
  const double projections_alone = criterion(sample, apart),
               limit = std::min(projections_alone, criterion(sample, accepted));
  // what each property adds to the others: a weak companion of a strong condition is no part of a sum
  std::vector<double> own_part(count, 0.0);
  parallel_for(static_cast<std::int64_t>(count), 0, [&](std::int64_t k) {
    const auto at = static_cast<std::size_t>(k);
    if (able[at] != 0)
      own_part[at] = (criterion(sample, all_but(at, at)) - projections_alone) /
                     static_cast<double>(found.conditions[at].properties.size());
  });

  // Two splines are one spline of a sum where both are straight, or where their product is missed.
  std::vector<std::uint8_t> straight(count, 0);
  std::vector<std::vector<double>> along(count);
  std::size_t first = 0;
  for (std::size_t k = 0; k < count; ++k) {
    if (able[k] != 0) {
      const std::span<const double> own(fit.coefficients.data() + first,
                                        static_cast<std::size_t>(statistics::spline_columns));
      straight[k] = own[1] * own[1] + own[2] * own[2] + own[3] * own[3] < 0.1 * own[0] * own[0] ? 1 : 0;
      const Matrix<double> columns = term_columns(groups[k].front(), sample);
      for (std::int64_t i = 0; i < columns.rows(); ++i) along[k].push_back(columns(i, 0));
    }
    for (const Term& term : groups[k]) first += static_cast<std::size_t>(column_count(term));
  }
  const statistics::ScoreScreen tests(fit, x, sample.label, sample.failed, sample.classes);
  struct Merge {
    std::size_t a = 0, b = 0;
    double change = 1.0;
    std::optional<Term> term;
  };
  std::vector<Merge> merges;
  for (std::size_t a = 0; a < count; ++a)
    for (std::size_t b = a + 1; b < count; ++b) {
      if (able[a] == 0 || able[b] == 0) continue;
      if (std::min(own_part[a], own_part[b]) < 0.15 * std::max(own_part[a], own_part[b])) continue;
      Matrix<double> product(sample.size(), 1);
      for (std::size_t i = 0; i < along[a].size(); ++i) product.values()[i] = along[a][i] * along[b][i];
      if ((straight[a] != 0 && straight[b] != 0) || tests.test(tests.sums(product)).p < 0.01)
        merges.push_back({a, b, 1.0, std::nullopt});
    }
  parallel_for(static_cast<std::int64_t>(merges.size()), 0, [&](std::int64_t m) {
    Merge& merge = merges[static_cast<std::size_t>(m)];
    std::vector<Term> together = all_but(merge.a, merge.b);
    std::vector<std::int64_t> properties = found.conditions[merge.a].properties;
    const auto& more = found.conditions[merge.b].properties;
    properties.insert(properties.end(), more.begin(), more.end());
    merge.term = single_index(sample, reading_vectors, together, properties);
    if (!merge.term) return;
    together.push_back(*merge.term);
    merge.change = criterion(sample, together) - limit;
  });
  const auto best = std::min_element(merges.begin(), merges.end(),
                                     [](const Merge& a, const Merge& b) { return a.change < b.change; });
  if (best == merges.end() || !(best->change < 0.0)) return false;
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

FAULTLINE_INLINE Conditions gather_conditions(const ConditionSample& sample, const ReadingVectors& reading_vectors,
                                              const SelectedTerms& selection) {
  Conditions found;
  for (std::size_t k = 0; k < selection.terms.size(); ++k)
    detail::gather_term(found, selection.terms[k], selection.gains[k]);
  while (detail::merge_once(sample, reading_vectors, found)) {}
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

FAULTLINE_INLINE std::vector<double> stability(const ConditionSample& sample, const ReadingVectors& reading_vectors,
                                               std::span<const std::uint8_t> admitted, const Conditions& found,
                                               const SelectionOptions& options, std::int64_t runs) {
  std::vector<std::vector<std::uint8_t>> chosen(static_cast<std::size_t>(runs));
  SelectionOptions light = options;
  light.comparing = Comparing::score_test;
  // directions are sought again only where there is one to be found again
  light.directions = std::any_of(found.conditions.begin(), found.conditions.end(),
                                 [](const Condition& condition) { return condition.kind == ConditionKind::direction; });
  parallel_for(runs, 0, [&](std::int64_t b) {
    core::CounterRandom random(options.seed, core::Stream::splits, 1 + b);
    std::vector<std::int64_t> half_sample;
    std::int64_t wanted = sample.size() / 2, left = sample.size();
    for (std::int64_t i = 0; i < sample.size(); ++i, --left)  // Knuth's algorithm S: ascending, uniform
      if (random.uniform() * static_cast<double>(left) < static_cast<double>(wanted))
        half_sample.push_back(i), --wanted;
    const ConditionSample part = subset(sample, half_sample);
    const SelectedTerms again = select_terms(part, reading_vectors, admitted, light);
    std::vector<std::uint8_t>& own = chosen[static_cast<std::size_t>(b)];
    const Matrix<double> span = [&] {
      std::vector<Term> directions;
      for (const Term& term : again.terms)
        if (!term.directions.empty()) directions.push_back(term);
      return spanned_by(directions, reading_vectors);
    }();
    for (const Condition& condition : found.conditions) {
      if (condition.kind == ConditionKind::direction) {
        const Matrix<double>& mine = condition.terms.front().directions;
        const Matrix<double> shared = statistics::detail::product_transposed(mine, span);
        own.push_back(span.rows() > 0 &&
                              core::dot(shared.values(), shared.values()) >= 0.5 * static_cast<double>(mine.rows())
                          ? 1
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
  std::vector<double> share;
  for (std::size_t k = 0; k < found.conditions.size(); ++k)
    share.push_back(
        static_cast<double>(std::count_if(chosen.begin(), chosen.end(), [k](const auto& own) { return own[k] != 0; })) /
        static_cast<double>(runs));
  return share;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
