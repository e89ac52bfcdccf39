// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/condition_moves.hpp.

#include <faultline/analysis/confirm/condition_moves.hpp>

#include <faultline/analysis/conditions/residual_directions.hpp>
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
namespace detail {

/// The fitted effect of a condition at a score of its coordinate m, on the logit scale; of a pair at a score of one of
/// its properties, whose own terms count: the product of both is nothing on average. Terms of one class count where the
/// condition is that class's.
[[nodiscard]] inline double effect_at(const Condition& condition, std::span<const double> coefficients, double score,
                                      std::int64_t m = 0, std::int64_t property = -1) {
  const statistics::SplineRow basis = statistics::natural_spline(score);
  double sum = 0.0;
  std::size_t first = 0;
  for (const Term& term : condition.terms) {
    const std::size_t at = first + (term.kind == TermKind::subspace ? static_cast<std::size_t>(m) * basis.size() : 0);
    const bool concerned = (condition.kind != ConditionKind::pair || term.property == property) &&
                           (!term.class_label || term.class_label == condition.class_label);
    if (term.kind != TermKind::pair && concerned)
      for (std::size_t j = 0; j < basis.size(); ++j) sum += basis[j] * coefficients[at + j];
    first += static_cast<std::size_t>(column_count(term));
  }
  return sum;
}

/// The conditions with one spline each, so that their shapes are not shared out among
/// terms that say nearly the same.
[[nodiscard]] inline Conditions one_spline_each(const Conditions& found) {
  Conditions simple{found.conditions, {}};
  for (Condition& condition : simple.conditions) {
    if (condition.kind != ConditionKind::property || condition.properties.size() != 1) continue;
    // the first that was accepted says most
    Term term = condition.terms.front();
    term.class_label = condition.class_label;
    condition.terms = {term};
  }
  return simple;
}

/// The failure rate that the fitted effect predicts when the scores of all samples, which are standard normal, are
/// moved by `shift`: a mean over the classes concerned.
[[nodiscard]] inline double moved_rate(const Condition& condition, std::span<const double> coefficients,
                                       std::span<const double> intercepts, double shift) {
  if (condition.class_label) intercepts = intercepts.subspan(static_cast<std::size_t>(*condition.class_label), 1);
  double sum = 0.0, total = 0.0;
  for (int step = -40; step <= 40; ++step) {
    const double z = 0.1 * step, density = std::exp(-0.5 * z * z);
    const double effect = effect_at(condition, coefficients, z + shift);
    for (const double intercept : intercepts) {
      sum += density / (1.0 + std::exp(-std::clamp(intercept + effect, -15.0, 15.0)));
      total += density;
    }
  }
  return sum / total;
}

inline void set_shape(ConditionMove& move, const Condition& condition, std::span<const double> coefficients,
                      std::span<const double> intercepts) {
  constexpr double end = 1.6448536269514722;  // the .95 quantile
  if (condition.kind == ConditionKind::pair) {
    move.shape = ConditionShape::pair;
    std::size_t first = 0;
    for (const Term& term : condition.terms) {
      if (term.kind == TermKind::pair) {
        move.sign = coefficients[first] >= 0.0 ? 1 : -1;
        break;
      }
      first += static_cast<std::size_t>(column_count(term));
    }
    return;
  }
  // on the scale of what is measured: where failures separate, the logit wiggles far below and beyond what anybody sees
  const double low = moved_rate(condition, coefficients, intercepts, -2.0),
               middle = moved_rate(condition, coefficients, intercepts, 0.0),
               high = moved_rate(condition, coefficients, intercepts, 2.0);
  double most = -1e300, least = 1e300;
  for (int step = -20; step <= 20; ++step) {
    const double score = 0.1 * step, effect = effect_at(condition, coefficients, score);
    if (effect > most) most = effect, move.worst = score;
    if (effect < least) least = effect, move.best = score;
  }
  move.sign = high >= low ? 1 : -1;
  const double ends = std::max(effect_at(condition, coefficients, -2.0), effect_at(condition, coefficients, 2.0));
  if (condition.kind == ConditionKind::direction && condition.terms.front().directions.rows() > 1) {
    move.shape = ConditionShape::subspace;
  } else if (std::abs(move.worst) < end && most - ends > 0.25 * (most - least)) {
    move.shape = ConditionShape::band;
  } else if (0.5 * (low + high) - middle > std::abs(high - low)) {
    move.shape = ConditionShape::two_sided;
  }
}

/// The leading eigenvector of Σ m_i w̃_i w̃_iᵀ of a property that no linear rule reads, where it stands out of
/// permutations.
[[nodiscard]] inline std::optional<Matrix<double>> curved_reading(const ConditionSample& sample, std::int64_t property,
                                                                  std::int64_t seed) {
  if (sample.whitened.cols() == 0) return std::nullopt;
  // the same search as for residuals, with the property in their place
  statistics::LogisticFit as_residual;
  as_residual.probability.resize(sample.failed.size());
  for (std::size_t i = 0; i < sample.failed.size(); ++i)
    as_residual.probability[i] =
        (sample.failed[i] != 0 ? 1.0 : 0.0) - sample.scores(property, static_cast<std::int64_t>(i));
  const auto term = residual_subspace(sample, as_residual, Matrix<double>(0, sample.whitened.cols()), seed);
  if (!term) return std::nullopt;
  return Matrix<double>(term->directions.topRows(1));
}

/// Means of every property at −2 and +2 along directions, `[directions, P]` of the difference.
[[nodiscard]] inline Matrix<double> property_moves(const Problem& problem, const ConditionSample& sample,
                                                   const Matrix<double>& steps, std::span<const double> deviations) {
  const auto count = static_cast<std::int64_t>(problem.property_names.size());
  Matrix<double> moves(steps.rows(), count);
  const std::int64_t n = std::min<std::int64_t>(calibration_latents, sample.size());
  if (count == 0 || n == 0) return moves;
  for (std::int64_t k = 0; k < steps.rows(); ++k) {
    const Edit step = Edit::in_w(steps.row_span(k));
    std::vector<EditedLatent> edits;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t row = sample.row[static_cast<std::size_t>(i * sample.size() / n)];  // all classes alike
      const StartLatent start{problem.discovery.w.row_span(row),
                              problem.discovery.label[static_cast<std::size_t>(row)]};
      edits.push_back({start, step.at(2.0)});
      edits.push_back({start, step.at(-2.0)});
    }
    answer_in_blocks(problem.answer_edits, edits, {.properties = true},
                     [&](std::size_t first, const EditAnswers& answers) {
                       for (std::int64_t i = 0; i < answers.properties.rows(); ++i)
                         moves.row(k) += ((first + static_cast<std::size_t>(i)) % 2 == 0 ? 1.0 : -1.0) *
                                         answers.properties.row(i).cast<double>() / static_cast<double>(n);
                     });
    for (std::int64_t p = 0; p < count; ++p)
      moves(k, p) =
          deviations[static_cast<std::size_t>(p)] > 0.0 ? moves(k, p) / deviations[static_cast<std::size_t>(p)] : 0.0;
  }
  return moves;
}

/// A coordinate of w̃ that a condition is, and what measures whether it moved.
struct Coordinate {
  std::size_t condition = 0;
  Eigen::RowVectorXd reading;  // unit
  std::int64_t property = -1;  // −1: nothing measures it
  bool is_linear = true;       // may take part in the dual basis
  double length = 1.0;         // of the reading in deviations of the property
};

/// (G Gᵀ)⁻¹ G of some coordinates, rows of unit length.
[[nodiscard]] inline Matrix<double> dual_directions(const std::vector<Coordinate>& coordinates,
                                                    std::span<const std::size_t> of) {
  Matrix<double> g(static_cast<Eigen::Index>(of.size()), coordinates[of.front()].reading.size());
  for (std::size_t i = 0; i < of.size(); ++i) g.row(static_cast<Eigen::Index>(i)) = coordinates[of[i]].reading;
  const auto inverse = [](double value) { return 1.0 / value; };
  Matrix<double> dual = statistics::detail::spectral_function(Matrix<double>(g * g.transpose()), 1e-6, inverse) * g;
  dual.rowwise().normalize();
  return dual;
}

/// Which coordinates are held while others move: in the order of the conditions, each unless it would leave one of them
/// less than a whole deviation between −2 and +2. Two readings that say nearly the same cannot be moved apart.
[[nodiscard]] inline std::vector<std::size_t> choose_held(const std::vector<Coordinate>& coordinates,
                                                          std::span<const ConditionMove> moves) {
  std::vector<std::size_t> held;
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    if (!coordinates[c].is_linear || moves[coordinates[c].condition].movability != Movability::movable) continue;
    std::vector<std::size_t> trial = held;
    trial.push_back(c);
    const Matrix<double> dual = dual_directions(coordinates, trial);
    bool room = true;
    for (std::size_t i = 0; i < trial.size(); ++i)
      room = room && 4.0 * coordinates[trial[i]].length *
                             std::abs(dual.row(static_cast<Eigen::Index>(i)).dot(coordinates[trial[i]].reading)) >=
                         1.0;
    if (room || held.empty()) held = std::move(trial);
  }
  return held;
}

/// Unit directions of all coordinates `[coordinates, r]`: of the held ones the dual basis of their readings, calibrated
/// by what the properties really do; of other linear ones what is left off the held ones; of the rest their readings.
[[nodiscard]] inline Matrix<double> held_directions(const Problem& problem, const statistics::Whitening& whitening,
                                                    const PropertyReadings& readings, const ConditionSample& discovery,
                                                    const std::vector<Coordinate>& coordinates,
                                                    const std::vector<std::size_t>& held) {
  const std::int64_t r = whitening.rank();
  Matrix<double> directions(static_cast<std::int64_t>(coordinates.size()), r);
  const auto count = static_cast<Eigen::Index>(held.size());
  for (std::size_t i = 0; i < coordinates.size(); ++i) {
    directions.row(static_cast<Eigen::Index>(i)) = coordinates[i].reading;
    if (!coordinates[i].is_linear || held.empty() || std::find(held.begin(), held.end(), i) != held.end()) continue;
    std::vector<std::size_t> with = held;
    with.push_back(i);
    const Matrix<double> dual = dual_directions(coordinates, with);
    if (dual.row(count).norm() > 0.0) directions.row(static_cast<Eigen::Index>(i)) = dual.row(count);
  }
  if (held.empty()) return directions;
  const auto put = [&](const Matrix<double>& rows) {
    for (std::size_t i = 0; i < held.size(); ++i)
      if (const auto row = rows.row(static_cast<Eigen::Index>(i)); row.norm() > 0.0)
        directions.row(static_cast<Eigen::Index>(held[i])) = row.normalized();
  };
  put(dual_directions(coordinates, held));
  // calibrated where every held coordinate is measured by a property of its own
  if (std::any_of(held.begin(), held.end(), [&](std::size_t i) { return coordinates[i].property < 0; }))
    return directions;
  // properties bend: what is left after one round is small, after two nothing
  for (int round = 0; round < 2; ++round) {
    Matrix<double> units(count, r);
    for (std::size_t i = 0; i < held.size(); ++i)
      units.row(static_cast<Eigen::Index>(i)) = directions.row(static_cast<Eigen::Index>(held[i]));
    const Matrix<double> all =
        property_moves(problem, discovery, statistics::unwhiten_directions(whitening, units), readings.deviations);
    Eigen::MatrixXd t(count, count);
    for (Eigen::Index i = 0; i < count; ++i) {
      for (Eigen::Index j = 0; j < count; ++j)
        t(i, j) = all(i, coordinates[held[static_cast<std::size_t>(j)]].property);
      if (const double own = t(i, i); std::abs(own) > 0.5) {  // in units of its own move, where it moves at all
        units.row(i) /= own;
        t.row(i) /= own;
      } else {
        t.row(i).setZero();
        t(i, i) = 1.0;
      }
    }
    if (std::abs(t.determinant()) > 0.05) put(Matrix<double>(t.inverse() * units));
  }
  return directions;
}

}  // namespace detail

FAULTLINE_INLINE std::vector<ConditionMove> plan_moves(const Problem& problem, const statistics::Whitening& whitening,
                                                       const PropertyReadings& readings,
                                                       const ConditionSample& discovery, const Conditions& conditions) {
  const Conditions found = detail::one_spline_each(conditions);
  const FrozenShapes shapes = freeze_shapes(discovery, found);
  std::vector<ConditionMove> moves(found.conditions.size());
  std::vector<detail::Coordinate> coordinates;
  for (std::size_t k = 0; k < moves.size(); ++k) {
    const Condition& condition = found.conditions[k];
    detail::set_shape(moves[k], condition, shapes.coefficients[k], shapes.intercepts);
    const auto add = [&](const Eigen::RowVectorXd& reading, std::int64_t property, bool linear) {
      coordinates.push_back({k, reading.normalized(), property, linear, property >= 0 ? reading.norm() : 1.0});
    };
    if (condition.kind == ConditionKind::direction) {
      for (std::int64_t m = 0; m < condition.terms.front().directions.rows(); ++m)
        add(condition.terms.front().directions.row(m), -1, false);
      continue;
    }
    if (condition.kind == ConditionKind::property && condition.properties.size() > 1) {
      add(condition.terms.front().directions.row(0), -1, true);
      continue;
    }
    for (const std::int64_t p : condition.properties) {
      if (whitening.rank() > 0 && readings.r_squared[static_cast<std::size_t>(p)] >= least_reading) {
        add(readings.vectors.row(p), p, true);
      } else if (const auto curved = detail::curved_reading(discovery, p, problem.seed + p)) {
        add(curved->row(0), p, false);
        if (moves[k].shape == ConditionShape::one_sided) {  // both ways along it is more, or less, of the property
          const double outwards =
              discovery.scores.row(p).dot((discovery.whitened * curved->row(0).transpose()).cwiseAbs2().transpose());
          const bool ends_fail = (outwards >= 0.0) == (moves[k].sign > 0);
          moves[k].shape = ends_fail ? ConditionShape::two_sided : ConditionShape::band;
          moves[k].worst = ends_fail ? 2.0 : 0.0;
          moves[k].best = ends_fail ? 0.0 : 2.0;
        }
      } else {
        moves[k].movability = Movability::not_movable;
      }
    }
  }
  const std::int64_t r = whitening.rank();
  const std::vector<std::size_t> held = detail::choose_held(coordinates, moves);
  const Matrix<double> directions = detail::held_directions(problem, whitening, readings, discovery, coordinates, held);
  const Matrix<double> steps = statistics::unwhiten_directions(whitening, directions);
  const Matrix<double> effects = detail::property_moves(problem, discovery, steps, readings.deviations);
  // what a move changes in the fitted logit through one condition
  const auto logit_change = [&](std::size_t condition, double moved, std::int64_t property) {
    const auto at = [&](double score) {
      return detail::effect_at(found.conditions[condition], shapes.coefficients[condition], score, 0, property);
    };
    const double low = at(-0.5 * moved), middle = at(0.0), high = at(0.5 * moved);
    return std::max({low, middle, high}) - std::min({low, middle, high});
  };
  for (std::size_t k = 0; k < moves.size(); ++k) {
    ConditionMove& move = moves[k];
    std::vector<std::int64_t> own;
    for (std::size_t i = 0; i < coordinates.size(); ++i)
      if (coordinates[i].condition == k) own.push_back(static_cast<std::int64_t>(i));
    if (own.empty()) continue;
    const auto m = static_cast<std::int64_t>(own.size());
    move.readings.resize(m, r);
    move.directions.resize(m, r);
    move.steps.resize(m, steps.cols());
    for (std::int64_t i = 0; i < m; ++i) {
      move.readings.row(i) = coordinates[static_cast<std::size_t>(own[static_cast<std::size_t>(i)])].reading;
      move.directions.row(i) = directions.row(own[static_cast<std::size_t>(i)]);
      move.steps.row(i) = steps.row(own[static_cast<std::size_t>(i)]);
    }
    move.property_effects = core::to_list(effects.row(own.front()));
    if (move.movability != Movability::movable) continue;
    for (const std::int64_t i : own) {
      const detail::Coordinate& coordinate = coordinates[static_cast<std::size_t>(i)];
      if (coordinate.property < 0 || !coordinate.is_linear) continue;
      const double moved = effects(i, coordinate.property);
      if (std::abs(moved) < 0.5) {
        move.movability = Movability::not_movable;
        break;
      }
      // a companion that moves along matters as far as the model says that it changes failures by itself
      double worst = 0.25 * logit_change(k, moved, coordinate.property);
      for (const detail::Coordinate& other : coordinates) {
        const auto& its_class = found.conditions[other.condition].class_label;
        if (other.condition == k || other.property < 0) continue;
        if (its_class && its_class != found.conditions[k].class_label) continue;  // one class in many
        const double through = logit_change(other.condition, effects(i, other.property), other.property);
        if (through <= worst || move.shape == ConditionShape::pair) continue;
        worst = through;
        move.movability = Movability::not_separable;
        move.held_back = other.property;
      }
    }
  }
  return moves;
}

FAULTLINE_INLINE std::vector<Direction> property_directions(const Problem& problem,
                                                            const statistics::Whitening& whitening,
                                                            const PropertyReadings& readings) {
  std::vector<detail::Coordinate> coordinates;
  for (std::size_t p = 0; p < readings.r_squared.size(); ++p) {
    const bool wanted = problem.property_candidates.empty() || problem.property_candidates[p] != 0;
    if (!wanted || readings.r_squared[p] < least_reading) continue;
    const Eigen::RowVectorXd reading = readings.vectors.row(static_cast<Eigen::Index>(p));
    coordinates.push_back(
        {coordinates.size(), reading.normalized(), static_cast<std::int64_t>(p), true, reading.norm()});
  }
  std::vector<Direction> directions;
  if (coordinates.empty()) return directions;
  const std::vector<ConditionMove> movable(coordinates.size());
  const std::vector<std::size_t> held = detail::choose_held(coordinates, movable);
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    std::vector<std::size_t> with = held;
    const auto found = std::find(with.begin(), with.end(), c);
    const Eigen::Index row = found - with.begin();
    if (found == with.end()) with.push_back(c);
    const Eigen::RowVectorXd v = detail::dual_directions(coordinates, with).row(row);
    if (!(v.norm() > 0.5)) continue;  // a zero row: held by the others entirely
    Direction& direction = directions.emplace_back();
    direction.name = problem.property_names[static_cast<std::size_t>(coordinates[c].property)];
    direction.whitened = core::to_list(v);
    direction.w = core::to_list(statistics::unwhiten_directions(whitening, Matrix<double>(v)).row(0));
  }
  return directions;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
