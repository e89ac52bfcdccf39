// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What properties do along the reading vectors of conditions, and the edits that are made of that.

#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/statistics/decompositions.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Means of every property at −2 and +2 along directions, `[directions, P]` of the difference.
[[nodiscard]] inline Matrix<double> property_changes(const Problem& problem, const ConditionSample& sample,
                                                     const Matrix<double>& steps, std::span<const double> deviations,
                                                     std::int64_t latents) {
  const auto count = static_cast<std::int64_t>(problem.property_names.size());
  Matrix<double> changes(steps.rows(), count);
  const std::int64_t n = std::min(latents, sample.size());
  if (count == 0 || n == 0) return changes;
  classify::ScoreRequest request(problem.deferred);  // never ended: properties need no scores
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
    answer_in_blocks(problem, edits, {.properties = true}, [&](std::size_t first, const EditAnswers& answers) {
      for (std::int64_t i = 0; i < answers.properties.rows(); ++i)
        for (std::int64_t p = 0; p < count; ++p)
          changes(k, p) += ((first + static_cast<std::size_t>(i)) % 2 == 0 ? 1.0 : -1.0) *
                           static_cast<double>(answers.properties(i, p)) / static_cast<double>(n);
    });
    for (std::int64_t p = 0; p < count; ++p)
      changes(k, p) =
          deviations[static_cast<std::size_t>(p)] > 0.0 ? changes(k, p) / deviations[static_cast<std::size_t>(p)] : 0.0;
  }
  return changes;
}

/// A coordinate of w̃ that a condition is, and what measures whether it moved.
struct Coordinate {
  std::size_t condition = 0;
  Eigen::VectorXd vector;      // unit reading vector
  std::int64_t property = -1;  // −1: nothing measures it
  bool is_linear = true;       // may take part in the dual basis
  double length = 1.0;         // of the vector in deviations of the property
};

/// (G Gᵀ)⁻¹ G of some coordinates, rows of unit length.
[[nodiscard]] inline Matrix<double> dual_directions(const std::vector<Coordinate>& coordinates,
                                                    std::span<const std::size_t> of) {
  Matrix<double> g(static_cast<Eigen::Index>(of.size()), coordinates[of.front()].vector.size());
  for (std::size_t i = 0; i < of.size(); ++i)
    core::as_vector(g.row_span(static_cast<std::int64_t>(i))) = coordinates[of[i]].vector;
  Matrix<double> dual = statistics::detail::dual_rows(g);
  for (std::int64_t i = 0; i < dual.rows(); ++i) core::as_vector(dual.row_span(i)).normalize();
  return dual;
}

/// What moving along the reading vector of each linear coordinate does, measured once: every other edit is a
/// combination of these.
class Responses {
 public:
  Responses(const Problem& problem, const statistics::Whitening& whitening, const ReadingVectors& reading_vectors,
            const ConditionSample& discovery, const std::vector<Coordinate>& coordinates, std::int64_t latents)
      : coordinates_(coordinates), position_(coordinates.size(), -1) {
    std::vector<std::size_t> linear;
    for (std::size_t c = 0; c < coordinates.size(); ++c)
      if (coordinates[c].is_linear) position_[c] = static_cast<Eigen::Index>(linear.size()), linear.push_back(c);
    const auto count = static_cast<std::int64_t>(linear.size());
    units_.resize(count, whitening.rank());
    for (std::size_t i = 0; i < linear.size(); ++i)
      core::as_vector(units_.row_span(static_cast<std::int64_t>(i))) = coordinates[linear[i]].vector;
    changes_ = property_changes(problem, discovery, statistics::unwhiten_directions(whitening, units_),
                                reading_vectors.deviations, latents);
  }

  /// The unit direction that moves one coordinate and leaves the held ones where they are, and how far it goes: the
  /// change of its property from −2 to +2, in deviations (of its projection, where nothing measures it).
  struct UnitEdit {
    Eigen::VectorXd direction;
    Eigen::VectorXd properties;  // predicted change of every property
    double own = 0.0;
  };
  [[nodiscard]] UnitEdit edit(std::size_t coordinate, std::span<const std::size_t> held) const {
    const std::vector<std::size_t> all = concerned(coordinate, held);
    Eigen::VectorXd wanted = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(all.size()));
    wanted[0] = 1.0;
    return combined(all, solve(all, wanted));
  }
  /// The same edit, corrected by what it really did: properties bend, and what a held one still moved is taken back.
  [[nodiscard]] UnitEdit corrected(std::size_t coordinate, std::span<const std::size_t> held, const UnitEdit& before,
                                   std::span<const double> measured) const {
    const std::vector<std::size_t> all = concerned(coordinate, held);
    Eigen::VectorXd missing = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(all.size()));
    for (std::size_t i = 1; i < all.size(); ++i)
      if (const Coordinate& own = coordinates_[all[i]]; own.property >= 0)
        missing[static_cast<Eigen::Index>(i)] = -measured[static_cast<std::size_t>(own.property)];
    const Eigen::VectorXd weights = solve(all, missing);
    UnitEdit result = before;
    for (std::size_t i = 0; i < all.size(); ++i)
      result.direction += weights[static_cast<Eigen::Index>(i)] * unit(all[i]);
    result.direction.normalize();
    return result;
  }

 private:
  [[nodiscard]] core::VectorMap<const double> unit(std::size_t coordinate) const noexcept {
    return core::as_vector(units_.row_span(position_[coordinate]));
  }
  [[nodiscard]] double response(std::size_t coordinate, const UnitEdit& edit) const {
    const Coordinate& own = coordinates_[coordinate];
    return own.property >= 0 ? edit.properties[own.property] : 4.0 * edit.direction.dot(own.vector);
  }
  [[nodiscard]] static std::vector<std::size_t> concerned(std::size_t coordinate, std::span<const std::size_t> held) {
    std::vector<std::size_t> all = {coordinate};
    all.insert(all.end(), held.begin(), held.end());
    return all;
  }
  [[nodiscard]] UnitEdit combined(const std::vector<std::size_t>& all, const Eigen::VectorXd& weights) const {
    UnitEdit result;
    result.direction = Eigen::VectorXd::Zero(units_.cols());
    result.properties = Eigen::VectorXd::Zero(changes_.cols());
    for (std::size_t i = 0; i < all.size(); ++i) {
      result.direction += weights[static_cast<Eigen::Index>(i)] * unit(all[i]);
      result.properties +=
          weights[static_cast<Eigen::Index>(i)] * core::as_vector(changes_.row_span(position_[all[i]]));
    }
    const double norm = result.direction.norm();
    result.direction /= norm;
    result.properties /= norm;
    result.own = response(all.front(), result);
    return result;
  }
  /// The largest sum of sizes of a column.
  [[nodiscard]] static double one_norm(const Matrix<double>& m) {
    std::vector<double> sums(static_cast<std::size_t>(m.cols()), 0.0);
    for (std::int64_t i = 0; i < m.rows(); ++i)
      for (std::int64_t j = 0; j < m.cols(); ++j) sums[static_cast<std::size_t>(j)] += std::abs(m(i, j));
    return *std::max_element(sums.begin(), sums.end());
  }
  /// Weights of the vectors such that the coordinates move as wanted, by what was measured, or by the vectors alone
  /// where the measured changes say nearly the same.
  [[nodiscard]] Eigen::VectorXd solve(const std::vector<std::size_t>& all, const Eigen::VectorXd& wanted) const {
    const auto n = static_cast<Eigen::Index>(all.size());
    Matrix<double> measured(n, n), projected(n, n);
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) {
        const Coordinate& of = coordinates_[all[static_cast<std::size_t>(j)]];
        const Eigen::Index along = position_[all[static_cast<std::size_t>(i)]];
        projected(j, i) = 4.0 * of.length * unit(all[static_cast<std::size_t>(i)]).dot(of.vector);
        measured(j, i) = of.property >= 0 ? changes_(along, of.property) : projected(j, i);
      }
    // whether the measured changes can be told apart: the reciprocal condition, as the 1-norm has it
    if (measured.allFinite()) {
      const Matrix<double> inverse = statistics::detail::pseudoinverse(measured);
      const double rank = core::dot(statistics::detail::transposed(inverse).values(), measured.values());
      if (rank > static_cast<double>(n) - 0.5 && 0.02 * one_norm(measured) * one_norm(inverse) <= 1.0)
        return statistics::detail::product(inverse, wanted);
    }
    return statistics::detail::product(statistics::detail::pseudoinverse(projected), wanted);
  }

  const std::vector<Coordinate>& coordinates_;
  std::vector<Eigen::Index> position_;  // row of a coordinate below
  Matrix<double> units_;                // [linear, r]
  Matrix<double> changes_;              // [linear, P]
};

/// Whether every property of a condition is specific; a direction has none and is.
[[nodiscard]] inline bool is_specific(const Problem& problem, const Condition& condition) {
  return problem.property_specific.empty() ||
         std::all_of(condition.properties.begin(), condition.properties.end(),
                     [&](std::int64_t p) { return problem.property_specific[static_cast<std::size_t>(p)] != 0; });
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
