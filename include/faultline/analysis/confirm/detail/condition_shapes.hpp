// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The shapes in which conditions act, from the splines that were fitted to them.

#include <faultline/analysis/conditions/residual_directions.hpp>
#include <faultline/analysis/confirm/condition_edits.hpp>
#include <faultline/statistics/logistic_regression.hpp>
#include <faultline/statistics/natural_spline.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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

inline void set_shape(ConditionEdit& edit, const Condition& condition, std::span<const double> coefficients,
                      std::span<const double> intercepts) {
  constexpr double end = 1.6448536269514722;  // the .95 quantile
  if (condition.kind == ConditionKind::pair) {
    edit.shape = ConditionShape::pair;
    std::size_t first = 0;
    for (const Term& term : condition.terms) {
      if (term.kind == TermKind::pair) {
        edit.sign = coefficients[first] >= 0.0 ? 1 : -1;
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
    if (effect > most) most = effect, edit.worst = score;
    if (effect < least) least = effect, edit.best = score;
  }
  edit.sign = high >= low ? 1 : -1;
  const double ends = std::max(effect_at(condition, coefficients, -2.0), effect_at(condition, coefficients, 2.0));
  if (condition.kind == ConditionKind::direction && condition.terms.front().directions.rows() > 1) {
    edit.shape = ConditionShape::subspace;
  } else if (std::abs(edit.worst) < end && most - ends > 0.25 * (most - least)) {
    edit.shape = ConditionShape::band;
  } else if (0.5 * (low + high) - middle > std::abs(high - low)) {
    edit.shape = ConditionShape::two_sided;
  }
}

/// The leading eigenvector of Σ m_i w̃_i w̃_iᵀ of a property that no linear rule reads, where it stands out of
/// permutations.
[[nodiscard]] inline std::optional<Matrix<double>> curved_direction(const ConditionSample& sample,
                                                                    std::int64_t property, std::int64_t seed) {
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

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
