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

/// What moving along the reading of each linear coordinate does, measured once: every other move is a combination of
/// these.
class Responses {
 public:
  Responses(const Problem& problem, const statistics::Whitening& whitening, const PropertyReadings& readings,
            const ConditionSample& discovery, const std::vector<Coordinate>& coordinates)
      : coordinates_(coordinates), position_(coordinates.size(), -1) {
    std::vector<std::size_t> linear;
    for (std::size_t c = 0; c < coordinates.size(); ++c)
      if (coordinates[c].is_linear) position_[c] = static_cast<Eigen::Index>(linear.size()), linear.push_back(c);
    const auto count = static_cast<std::int64_t>(linear.size());
    units_.resize(count, whitening.rank());
    for (std::size_t i = 0; i < linear.size(); ++i)
      units_.row(static_cast<Eigen::Index>(i)) = coordinates[linear[i]].reading;
    moves_ =
        property_moves(problem, discovery, statistics::unwhiten_directions(whitening, units_), readings.deviations);
  }

  /// The unit direction that moves one coordinate and leaves the held ones where they are, and how far it goes: the
  /// change of its property from −2 to +2, in deviations (of its reading, where nothing measures it).
  struct Move {
    Eigen::RowVectorXd direction;
    Eigen::RowVectorXd properties;  // predicted change of every property
    double own = 0.0;
  };
  [[nodiscard]] Move move(std::size_t coordinate, std::span<const std::size_t> held) const {
    const std::vector<std::size_t> all = concerned(coordinate, held);
    Eigen::VectorXd wanted = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(all.size()));
    wanted[0] = 1.0;
    return combined(all, solve(all, wanted));
  }
  /// The same move, corrected by what it really did: properties bend, and what a held one still moved is taken back.
  [[nodiscard]] Move corrected(std::size_t coordinate, std::span<const std::size_t> held, const Move& before,
                               const Eigen::RowVectorXd& measured) const {
    const std::vector<std::size_t> all = concerned(coordinate, held);
    Eigen::VectorXd missing = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(all.size()));
    for (std::size_t i = 1; i < all.size(); ++i)
      if (const Coordinate& own = coordinates_[all[i]]; own.property >= 0)
        missing[static_cast<Eigen::Index>(i)] = -measured[own.property];
    const Eigen::VectorXd weights = solve(all, missing);
    Move result = before;
    for (std::size_t i = 0; i < all.size(); ++i)
      result.direction += weights[static_cast<Eigen::Index>(i)] * units_.row(position_[all[i]]);
    result.direction.normalize();
    return result;
  }

 private:
  [[nodiscard]] double response(std::size_t coordinate, const Move& move) const {
    const Coordinate& own = coordinates_[coordinate];
    return own.property >= 0 ? move.properties[own.property] : 4.0 * move.direction.dot(own.reading);
  }
  [[nodiscard]] static std::vector<std::size_t> concerned(std::size_t coordinate, std::span<const std::size_t> held) {
    std::vector<std::size_t> all = {coordinate};
    all.insert(all.end(), held.begin(), held.end());
    return all;
  }
  [[nodiscard]] Move combined(const std::vector<std::size_t>& all, const Eigen::VectorXd& weights) const {
    Move result;
    result.direction = Eigen::RowVectorXd::Zero(units_.cols());
    result.properties = Eigen::RowVectorXd::Zero(moves_.cols());
    for (std::size_t i = 0; i < all.size(); ++i) {
      result.direction += weights[static_cast<Eigen::Index>(i)] * units_.row(position_[all[i]]);
      result.properties += weights[static_cast<Eigen::Index>(i)] * moves_.row(position_[all[i]]);
    }
    const double norm = result.direction.norm();
    result.direction /= norm;
    result.properties /= norm;
    result.own = response(all.front(), result);
    return result;
  }
  /// Weights of the readings such that the coordinates move as wanted, by what was measured, or by the readings alone
  /// where the measured moves say nearly the same.
  [[nodiscard]] Eigen::VectorXd solve(const std::vector<std::size_t>& all, const Eigen::VectorXd& wanted) const {
    const auto n = static_cast<Eigen::Index>(all.size());
    Eigen::MatrixXd measured(n, n), readings(n, n);
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) {
        const Coordinate& of = coordinates_[all[static_cast<std::size_t>(j)]];
        const Eigen::Index along = position_[all[static_cast<std::size_t>(i)]];
        readings(j, i) = 4.0 * of.length * units_.row(along).dot(of.reading);
        measured(j, i) = of.property >= 0 ? moves_(along, of.property) : readings(j, i);
      }
    const bool usable = Eigen::FullPivLU<Eigen::MatrixXd>(measured).rcond() >= 0.02;
    return (usable ? measured : readings).completeOrthogonalDecomposition().solve(wanted);
  }

  const std::vector<Coordinate>& coordinates_;
  std::vector<Eigen::Index> position_;  // row of a coordinate below
  Matrix<double> units_;                // [linear, r]
  Matrix<double> moves_;                // [linear, P]
};

/// Whether every property of a condition is specific; a direction has none and is.
[[nodiscard]] inline bool is_specific(const Problem& problem, const Condition& condition) {
  return problem.property_specific.empty() ||
         std::all_of(condition.properties.begin(), condition.properties.end(),
                     [&](std::int64_t p) { return problem.property_specific[static_cast<std::size_t>(p)] != 0; });
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
  const detail::Responses responses(problem, whitening, readings, discovery, coordinates);
  // what a move changes in the fitted logit through one condition: towards failure where both act along one side
  const auto logit_change = [&](std::size_t condition, double moved, std::int64_t property, double side) {
    const auto at = [&](double score) {
      return detail::effect_at(found.conditions[condition], shapes.coefficients[condition], score, 0, property);
    };
    const double low = at(-0.5 * moved), middle = at(0.0), high = at(0.5 * moved);
    const bool sided = side != 0.0 && moves[condition].shape == ConditionShape::one_sided;
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
  const auto companion = [&](std::size_t c, const Eigen::RowVectorXd& moved, const auto& asked) {
    std::optional<Companion> most;
    const detail::Coordinate& own = coordinates[c];
    const ConditionMove& move = moves[own.condition];
    if (own.property < 0 || move.shape == ConditionShape::pair) return most;
    const double side = move.shape == ConditionShape::one_sided ? static_cast<double>(move.sign) : 0.0;
    const double change = logit_change(own.condition, moved[own.property], own.property, side);
    for (std::size_t o = 0; o < coordinates.size(); ++o) {
      const detail::Coordinate& other = coordinates[o];
      if (other.property < 0 || !competes(other.condition, own.condition) || !asked(o)) continue;
      const double through = logit_change(other.condition, moved[other.property], other.property, side);
      if (through > 0.25 * change && (!most || through > most->share)) most = Companion{o, through};
    }
    return most;
  };
  constexpr double least_moved = 0.5, room = 1.0;  // deviations between −2 and +2
  Matrix<double> directions(static_cast<std::int64_t>(coordinates.size()), r);
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    const detail::Coordinate& own = coordinates[c];
    directions.row(static_cast<Eigen::Index>(c)) = own.reading;
    if (!own.is_linear) continue;
    // held: the other property of a pair; then stronger conditions, while there is room; then what moves along
    std::vector<std::size_t> held;
    const auto is_held = [&](std::size_t o) { return std::find(held.begin(), held.end(), o) != held.end(); };
    const auto hold = [&](std::size_t o, bool always) {
      if (o == c || is_held(o) || !coordinates[o].is_linear) return false;
      held.push_back(o);
      if (always || responses.move(c, held).own >= room) return true;
      held.pop_back();
      return false;
    };
    for (std::size_t o = 0; o < coordinates.size(); ++o)
      if (coordinates[o].condition == own.condition) (void)hold(o, true);
    for (std::size_t o = 0; o < coordinates.size(); ++o)
      if (coordinates[o].condition < own.condition && competes(coordinates[o].condition, own.condition))
        (void)hold(o, false);
    detail::Responses::Move move = responses.move(c, held);
    for (bool grown = true; grown;) {
      const auto along = companion(c, move.properties, [&](std::size_t o) { return !is_held(o); });
      grown = along && hold(along->coordinate, false);
      if (grown) move = responses.move(c, held);
    }
    for (int round = 0; round < 2 && !held.empty(); ++round) {
      const Matrix<double> step = statistics::unwhiten_directions(whitening, Matrix<double>(move.direction));
      move = responses.corrected(c, held, move,
                                 detail::property_moves(problem, discovery, step, readings.deviations).row(0));
    }
    directions.row(static_cast<Eigen::Index>(c)) = move.direction;
  }
  const Matrix<double> steps = statistics::unwhiten_directions(whitening, directions);
  const Matrix<double> effects = detail::property_moves(problem, discovery, steps, readings.deviations);
  for (std::size_t k = 0; k < moves.size(); ++k) {
    ConditionMove& move = moves[k];
    std::vector<std::size_t> own;
    for (std::size_t c = 0; c < coordinates.size(); ++c)
      if (coordinates[c].condition == k) own.push_back(c);
    if (own.empty()) continue;
    const auto m = static_cast<std::int64_t>(own.size());
    move.readings.resize(m, r);
    move.directions.resize(m, r);
    move.steps.resize(m, steps.cols());
    for (std::int64_t i = 0; i < m; ++i) {
      const std::size_t c = own[static_cast<std::size_t>(i)];
      move.readings.row(i) = coordinates[c].reading;
      move.directions.row(i) = directions.row(static_cast<Eigen::Index>(c));
      move.steps.row(i) = steps.row(static_cast<Eigen::Index>(c));
    }
    move.property_effects = core::to_list(effects.row(static_cast<Eigen::Index>(own.front())));
    if (move.movability != Movability::movable) continue;
    for (const std::size_t c : own) {
      const detail::Coordinate& coordinate = coordinates[c];
      if (coordinate.property < 0 || !coordinate.is_linear) continue;
      const Eigen::RowVectorXd moved = effects.row(static_cast<Eigen::Index>(c));
      if (std::abs(moved[coordinate.property]) < least_moved) {
        move.movability = Movability::not_movable;
        break;
      }
      if (const auto along = companion(c, moved, [](std::size_t) { return true; })) {
        move.movability = Movability::not_separable;
        move.held_back = coordinates[along->coordinate].property;
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
  // held are, in their order, those that leave every held one a whole deviation between −2 and +2
  std::vector<std::size_t> held;
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    std::vector<std::size_t> trial = held;
    trial.push_back(c);
    const Matrix<double> dual = detail::dual_directions(coordinates, trial);
    bool room = true;
    for (std::size_t i = 0; i < trial.size(); ++i)
      room = room && 4.0 * coordinates[trial[i]].length *
                             std::abs(dual.row(static_cast<Eigen::Index>(i)).dot(coordinates[trial[i]].reading)) >=
                         1.0;
    if (room || held.empty()) held = std::move(trial);
  }
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
