// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/condition_edits.hpp.

#include <faultline/analysis/confirm/condition_edits.hpp>

#include <faultline/analysis/confirm/detail/condition_responses.hpp>
#include <faultline/analysis/confirm/detail/condition_shapes.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/natural_spline.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
FAULTLINE_INLINE std::vector<ConditionEdit> plan_edits(const Problem& problem, const statistics::Whitening& whitening,
                                                       const ReadingVectors& reading_vectors,
                                                       const ConditionSample& discovery, const Conditions& conditions,
                                                       std::int64_t latents) {
  const Conditions found = detail::one_spline_each(conditions);
  const FrozenShapes shapes = freeze_shapes(discovery, found);
  std::vector<ConditionEdit> planned(found.conditions.size());
  std::vector<detail::Coordinate> coordinates;
  for (std::size_t k = 0; k < planned.size(); ++k) {
    const Condition& condition = found.conditions[k];
    detail::set_shape(planned[k], condition, shapes.coefficients[k], shapes.intercepts);
    const auto add = [&](std::span<const double> row, std::int64_t property, bool linear) {
      const auto vector = core::as_vector(row);
      coordinates.push_back({k, vector.normalized(), property, linear, property >= 0 ? vector.norm() : 1.0});
    };
    if (condition.kind == ConditionKind::direction) {
      for (std::int64_t m = 0; m < condition.terms.front().directions.rows(); ++m)
        add(condition.terms.front().directions.row_span(m), -1, false);
      continue;
    }
    if (condition.kind == ConditionKind::property && condition.properties.size() > 1) {
      add(condition.terms.front().directions.row_span(0), -1, true);
      continue;
    }
    for (const std::int64_t p : condition.properties) {
      if (whitening.rank() > 0 && reading_vectors.r_squared[static_cast<std::size_t>(p)] >= least_r_squared) {
        add(reading_vectors.vectors.row_span(p), p, true);
      } else if (const auto curved = detail::curved_direction(discovery, p, problem.seed + p)) {
        add(curved->row_span(0), p, false);
        if (planned[k].shape == ConditionShape::one_sided) {  // both ways along it is more, or less, of the property
          const Eigen::VectorXd along =
              statistics::detail::product(discovery.whitened, core::as_vector(curved->row_span(0)));
          const double outwards = core::as_vector(discovery.scores.row_span(p)).dot(along.cwiseAbs2());
          const bool ends_fail = (outwards >= 0.0) == (planned[k].sign > 0);
          planned[k].shape = ends_fail ? ConditionShape::two_sided : ConditionShape::band;
          planned[k].worst = ends_fail ? 2.0 : 0.0;
          planned[k].best = ends_fail ? 0.0 : 2.0;
        }
      } else {
        planned[k].movability = Movability::not_movable;
      }
    }
  }
  const std::int64_t r = whitening.rank();
  const detail::Responses responses(problem, whitening, reading_vectors, discovery, coordinates, latents);
  // what an edit changes in the fitted logit through one condition: towards failure where both act along one side
  const auto logit_change = [&](std::size_t condition, double moved, std::int64_t property, double side) {
    const auto at = [&](double score) {
      return detail::effect_at(found.conditions[condition], shapes.coefficients[condition], score, 0, property);
    };
    const double low = at(-0.5 * moved), middle = at(0.0), high = at(0.5 * moved);
    const bool sided = side != 0.0 && planned[condition].shape == ConditionShape::one_sided;
    return sided ? side * (high - low) : std::max({low, middle, high}) - std::min({low, middle, high});
  };
  // whether one condition may be behind what another does
  const auto competes = [&](std::size_t other, std::size_t k) {
    const auto &its_class = found.conditions[other].class_label, &own_class = found.conditions[k].class_label;
    if (other == k || (its_class && its_class != own_class)) return false;
    return detail::is_specific(problem, found.conditions[other]) || !detail::is_specific(problem, found.conditions[k]);
  };
  struct Companion {
    std::size_t coordinate = 0;
    double share = 0.0;  // of the change of the logit
  };
  // what moves along by more than a quarter, the most of it, among coordinates that `asked` says
  const auto companion = [&](std::size_t c, const Eigen::VectorXd& moved, const auto& asked) {
    std::optional<Companion> most;
    const detail::Coordinate& own = coordinates[c];
    const ConditionEdit& edit = planned[own.condition];
    if (own.property < 0 || edit.shape == ConditionShape::pair) return most;
    const double side = edit.shape == ConditionShape::one_sided ? static_cast<double>(edit.sign) : 0.0;
    const double change = logit_change(own.condition, moved[own.property], own.property, side);
    for (std::size_t o = 0; o < coordinates.size(); ++o) {
      const detail::Coordinate& other = coordinates[o];
      if (other.property < 0 || !competes(other.condition, own.condition) || !asked(o)) continue;
      // a weaker condition with nearly the same reading vector is another name for this one
      const bool alike = std::abs(other.vector.dot(own.vector)) >= 0.9;
      if (alike && found.conditions[other.condition].gain < found.conditions[own.condition].gain) continue;
      const double through = logit_change(other.condition, moved[other.property], other.property, side);
      if (through > 0.25 * change && (!most || through > most->share)) most = Companion{o, through};
    }
    return most;
  };
  constexpr double least_change = 0.5, room = 1.0;  // deviations between −2 and +2
  Matrix<double> directions(static_cast<std::int64_t>(coordinates.size()), r);
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    const detail::Coordinate& own = coordinates[c];
    core::as_vector(directions.row_span(static_cast<std::int64_t>(c))) = own.vector;
    if (!own.is_linear) continue;
    // held: the other property of a pair; then stronger conditions, while there is room; then what moves along
    std::vector<std::size_t> held;
    const auto is_held = [&](std::size_t o) { return std::find(held.begin(), held.end(), o) != held.end(); };
    const auto hold = [&](std::size_t o, bool always) {
      if (o == c || is_held(o) || !coordinates[o].is_linear) return false;
      held.push_back(o);
      if (always || responses.edit(c, held).own >= room) return true;
      held.pop_back();
      return false;
    };
    for (std::size_t o = 0; o < coordinates.size(); ++o)
      if (coordinates[o].condition == own.condition) (void)hold(o, true);
    for (std::size_t o = 0; o < coordinates.size(); ++o)
      if (coordinates[o].condition < own.condition && competes(coordinates[o].condition, own.condition))
        (void)hold(o, false);
    detail::Responses::UnitEdit edit = responses.edit(c, held);
    for (bool grown = true; grown;) {
      const auto along = companion(c, edit.properties, [&](std::size_t o) { return !is_held(o); });
      grown = along && hold(along->coordinate, false);
      if (grown) edit = responses.edit(c, held);
    }
    for (int round = 0; round < 2 && !held.empty(); ++round) {
      const Matrix<double> step =
          statistics::unwhiten_directions(whitening, statistics::detail::as_row(edit.direction));
      edit = responses.corrected(
          c, held, edit,
          detail::property_changes(problem, discovery, step, reading_vectors.deviations, latents).row_span(0));
    }
    core::as_vector(directions.row_span(static_cast<std::int64_t>(c))) = edit.direction;
  }
  const Matrix<double> steps = statistics::unwhiten_directions(whitening, directions);
  const Matrix<double> effects =
      detail::property_changes(problem, discovery, steps, reading_vectors.deviations, latents);
  for (std::size_t k = 0; k < planned.size(); ++k) {
    ConditionEdit& edit = planned[k];
    std::vector<std::size_t> own;
    for (std::size_t c = 0; c < coordinates.size(); ++c)
      if (coordinates[c].condition == k) own.push_back(c);
    if (own.empty()) continue;
    const auto m = static_cast<std::int64_t>(own.size());
    edit.reading_vectors.resize(m, r);
    edit.directions.resize(m, r);
    edit.steps.resize(m, steps.cols());
    for (std::int64_t i = 0; i < m; ++i) {
      const std::size_t c = own[static_cast<std::size_t>(i)];
      core::as_vector(edit.reading_vectors.row_span(i)) = coordinates[c].vector;
      std::ranges::copy(directions.row_span(static_cast<std::int64_t>(c)), edit.directions.row_span(i).begin());
      std::ranges::copy(steps.row_span(static_cast<std::int64_t>(c)), edit.steps.row_span(i).begin());
    }
    const std::span<const double> first_effects = effects.row_span(static_cast<std::int64_t>(own.front()));
    edit.property_effects.assign(first_effects.begin(), first_effects.end());
    if (edit.movability != Movability::movable) continue;
    for (const std::size_t c : own) {
      const detail::Coordinate& coordinate = coordinates[c];
      if (coordinate.property < 0 || !coordinate.is_linear) continue;
      const Eigen::VectorXd moved = core::as_vector(effects.row_span(static_cast<std::int64_t>(c)));
      if (std::abs(moved[coordinate.property]) < least_change) {
        edit.movability = Movability::not_movable;
        break;
      }
      if (const auto along = companion(c, moved, [](std::size_t) { return true; })) {
        edit.movability = Movability::not_separable;
        edit.held_back = coordinates[along->coordinate].property;
      }
    }
  }
  // two conditions that are moved by the same edit are one: the one that says more
  for (std::size_t k = 0; k < planned.size(); ++k)
    for (std::size_t j = 0; j < k; ++j) {
      const bool both = planned[j].movability == Movability::movable && planned[k].movability == Movability::movable &&
                        planned[j].directions.rows() == 1 && planned[k].directions.rows() == 1 &&
                        found.conditions[j].class_label == found.conditions[k].class_label;
      if (!both || std::abs(core::dot(planned[j].directions.row_span(0), planned[k].directions.row_span(0))) < 0.95)
        continue;
      const bool later = found.conditions[k].gain <= found.conditions[j].gain;
      const std::size_t weaker = later ? k : j, stronger = later ? j : k;
      planned[weaker].movability = Movability::not_separable;
      if (!found.conditions[stronger].properties.empty())
        planned[weaker].held_back = found.conditions[stronger].properties.front();
    }
  return planned;
}

FAULTLINE_INLINE std::vector<Direction> property_directions(const Problem& problem,
                                                            const statistics::Whitening& whitening,
                                                            const ReadingVectors& reading_vectors) {
  std::vector<detail::Coordinate> coordinates;
  for (std::size_t p = 0; p < reading_vectors.r_squared.size(); ++p) {
    const bool wanted = problem.property_candidates.empty() || problem.property_candidates[p] != 0;
    if (!wanted || reading_vectors.r_squared[p] < least_r_squared) continue;
    const auto vector = core::as_vector(reading_vectors.vectors.row_span(static_cast<std::int64_t>(p)));
    coordinates.push_back({coordinates.size(), vector.normalized(), static_cast<std::int64_t>(p), true, vector.norm()});
  }
  std::vector<Direction> directions;
  if (coordinates.empty()) return directions;
  // held are, in their order, those that leave every held one a whole deviation between −2 and +2
  std::vector<std::size_t> held;
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    std::vector<std::size_t> trial = held;
    trial.push_back(c);
    const Matrix<double> dual = detail::dual_directions(coordinates, trial);
    bool room = true;
    for (std::size_t i = 0; i < trial.size(); ++i)
      room =
          room &&
          4.0 * coordinates[trial[i]].length *
                  std::abs(
                      core::as_vector(dual.row_span(static_cast<std::int64_t>(i))).dot(coordinates[trial[i]].vector)) >=
              1.0;
    if (room || held.empty()) held = std::move(trial);
  }
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    std::vector<std::size_t> with = held;
    const auto found = std::find(with.begin(), with.end(), c);
    const std::int64_t row = found - with.begin();
    if (found == with.end()) with.push_back(c);
    const Matrix<double> dual = detail::dual_directions(coordinates, with);
    const auto v = core::as_vector(dual.row_span(row));
    if (!(v.norm() > 0.5)) continue;  // a zero row: held by the others entirely
    Direction& direction = directions.emplace_back();
    direction.name = problem.property_names[static_cast<std::size_t>(coordinates[c].property)];
    direction.whitened = core::to_list(v);
    direction.w = core::to_list(statistics::detail::transposed_product(whitening.from_white, v));
  }
  return directions;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
