// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/score_tail.hpp.

#include <faultline/statistics/score_tail.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

/// One outcome that can go either way: q · weight with probability p, −p · weight with probability q.
struct ScoreTerm {
  double weight = 0.0;  ///< positive
  double p = 0.0;
  double q = 0.0;  ///< 1 − p, kept apart because p may round to 1
};

/// Cumulant generating function at t ≥ 0 with its first three derivatives.
struct ScoreCumulants {
  double value = 0.0, first = 0.0, second = 0.0, third = 0.0;
};

/// Independent two-valued terms of mean 0, scaled to a sum of variance 1.
class ScoreSum {
 public:
  explicit ScoreSum(std::vector<ScoreTerm> terms) : terms_(std::move(terms)) {}

  /// Divides the weights by the standard deviation of the sum; returns `value` in the same unit, nothing where the sum
  /// does not vary.
  [[nodiscard]] std::optional<double> normalize(double value) {
    double largest = 0.0;  // first by the largest weight: squares of tiny weights would vanish
    for (const ScoreTerm& term : terms_) largest = std::max(largest, term.weight);
    double variance = 0.0;
    for (ScoreTerm& term : terms_) {
      term.weight /= largest;
      variance += term.weight * term.weight * term.p * term.q;
    }
    if (!(variance > 0.0)) return std::nullopt;
    for (ScoreTerm& term : terms_) term.weight /= std::sqrt(variance);
    return value / largest / std::sqrt(variance);
  }

  /// The sum with its sign changed.
  [[nodiscard]] ScoreSum negated() const {
    ScoreSum other = *this;
    for (ScoreTerm& term : other.terms_) std::swap(term.p, term.q);
    return other;
  }

  [[nodiscard]] double largest() const noexcept {
    double sum = 0.0;
    for (const ScoreTerm& term : terms_) sum += term.weight * term.q;
    return sum;
  }

  [[nodiscard]] double largest_weight() const noexcept {
    double largest = 0.0;
    for (const ScoreTerm& term : terms_) largest = std::max(largest, term.weight);
    return largest;
  }

  [[nodiscard]] double probability_of_largest() const noexcept {
    double sum = 0.0;
    for (const ScoreTerm& term : terms_) sum += std::log(term.p);
    return std::exp(sum);
  }

  [[nodiscard]] ScoreCumulants at(double t) const noexcept {
    ScoreCumulants k;
    for (const ScoreTerm& term : terms_) {
      const double y = t * term.weight;
      const double lost = -std::expm1(-y);                  // 1 − exp(−y)
      const double total = term.p + term.q * (1.0 - lost);  // E exp(y (f − 1))
      const double tilted = term.p / total;                 // P(f = 1) under the tilt
      const double spread = tilted * (term.q * (1.0 - lost) / total);
      // Of three equal forms the one that keeps its digits
      if (term.q <= 0.5) k.value += y * term.q + std::log1p(-term.q * lost);
      else if (y < 500.0) k.value += std::log1p(term.p * std::expm1(y)) - y * term.p;
      else k.value += y * term.q + std::log(total);
      k.first += term.weight * tilted * term.q * lost;
      k.second += term.weight * term.weight * spread;
      k.third += term.weight * term.weight * term.weight * spread * (1.0 - 2.0 * tilted);
    }
    return k;
  }

  /// Third and fourth cumulants at 0.
  [[nodiscard]] std::pair<double, double> shape() const noexcept {
    double third = 0.0;
    double fourth = 0.0;
    for (const ScoreTerm& term : terms_) {
      const double spread = term.p * term.q;
      const double square = term.weight * term.weight;
      third += square * term.weight * spread * (term.q - term.p);
      fourth += square * square * spread * (1.0 - 6.0 * spread);
    }
    return {third, fourth};
  }

  /// The t ≥ 0 at which the tilted mean is `value`, 0 ≤ value < largest(): Newton's method inside a bracket.
  [[nodiscard]] double tilt(double value) const {
    double low = 0.0;
    double high = std::numeric_limits<double>::infinity();
    double t = value;  // the solution of a normal sum of variance 1
    for (int i = 0; i < 200; ++i) {
      const ScoreCumulants k = at(t);
      const double miss = k.first - value;
      (miss < 0.0 ? low : high) = t;
      if (std::abs(miss) <= 1e-13 * value || (std::isfinite(high) && high - low <= 1e-13 * high)) break;
      double next = t - miss / k.second;
      // Beyond the bracket, or doubling while there is none above: near the end of the support Newton overshoots
      if (!(next > low && next < high)) next = std::isfinite(high) ? 0.5 * (low + high) : 2.0 * t;
      if (!std::isfinite(high)) next = std::min(next, 4.0 * t);
      t = next;
    }
    return t;
  }

 private:
  std::vector<ScoreTerm> terms_;
};

/// Lugannani and Rice's formula at a tilt t > 0, at most Chernoff's bound, and whether it falls there.
struct SaddlepointTail {
  double tail = 0.0;
  double chernoff = 0.0;
  bool falls = true;
};

[[nodiscard]] inline SaddlepointTail saddlepoint_tail(const ScoreSum& sum, double t) {
  const ScoreCumulants k = sum.at(t);
  const double w = std::sqrt(std::max(0.0, 2.0 * (t * k.first - k.value)));
  const double u = t * std::sqrt(k.second);
  SaddlepointTail result;
  result.chernoff = std::exp(-0.5 * w * w);
  result.tail = result.chernoff;
  if (!(u > 0.0)) return result;  // the end of the support
  const double density = result.chernoff / std::sqrt(2.0 * std::numbers::pi);
  const double tail = normal_upper_tail(w) + density * (1.0 / u - 1.0 / w);
  if (tail >= result.chernoff) return result;
  result.tail = tail;
  // d tail / dw = φ(w) (1/w² − w/u − u'/u²), with u' = du/dw = w (1 + t K''' / 2K'') / u
  const double slope = w / u * (1.0 + 0.5 * t * k.third / k.second);
  result.falls = 1.0 / (w * w) - w / u - slope / (u * u) < 0.0;
  return result;
}

/// The largest value of the formula at tilts of at least t: where one term outweighs the others it falls too far
/// between two steps of the support and comes back.
[[nodiscard]] inline double largest_tail_from(const ScoreSum& sum, double t) {
  SaddlepointTail here = saddlepoint_tail(sum, t);
  double largest = here.tail;
  const double least_step = 0.05 / std::max(1.0, sum.largest_weight());
  while (here.chernoff > largest) {  // beyond, nothing is larger
    const double next = 1.15 * t + least_step;
    const SaddlepointTail there = saddlepoint_tail(sum, next);
    largest = std::max(largest, there.tail);
    if (!here.falls && there.falls) {
      double rising = t;
      double falling = next;
      for (int i = 0; i < 40; ++i) {
        const double middle = 0.5 * (rising + falling);
        const SaddlepointTail between = saddlepoint_tail(sum, middle);
        (between.falls ? falling : rising) = middle;
        largest = std::max(largest, between.tail);
      }
    }
    here = there;
    t = next;
  }
  return largest;
}

/// P(sum ≥ value) for a sum of variance 1 and 0 ≤ value < largest.
[[nodiscard]] inline double score_tail_above_mean(const ScoreSum& sum, double value) {
  const double t = sum.tilt(value);
  const auto [third, fourth] = sum.shape();
  const double near = 1e-3 / (1.0 + std::abs(third) + std::sqrt(std::abs(fourth)));
  if (t >= near) return largest_tail_from(sum, t);
  const double bracket = -third / 6.0 + (5.0 * third * third / 24.0 - fourth / 8.0) * t;
  const double w = value * (1.0 - third * value / 6.0);
  const double tail = normal_upper_tail(w) + std::exp(-0.5 * w * w) / std::sqrt(2.0 * std::numbers::pi) * bracket;
  return std::max(tail, largest_tail_from(sum, near));
}

}  // namespace detail

FAULTLINE_INLINE double score_upper_tail(std::span<const double> probability, std::span<const double> weight,
                                         double observed) {
  constexpr const char* where = "score_upper_tail";
  if (probability.size() != weight.size()) {
    throw Error(ErrorCode::shape_mismatch, where,
                "expected as many weights as probabilities, got " + std::to_string(weight.size()) + " and " +
                    std::to_string(probability.size()));
  }
  if (!std::isfinite(observed)) throw Error(ErrorCode::invalid_argument, where, "expected a finite score");
  std::vector<detail::ScoreTerm> terms;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double p = probability[i];
    if (!(p >= 0.0 && p <= 1.0) || !std::isfinite(weight[i])) {
      throw Error(ErrorCode::invalid_argument, where,
                  "expected probabilities in [0, 1] and finite weights, got " + std::to_string(p) + " and " +
                      std::to_string(weight[i]) + " at position " + std::to_string(i));
    }
    if (weight[i] == 0.0 || p == 0.0 || p == 1.0) continue;
    // h (f − p) = (−h) ((1 − f) − (1 − p)): every weight is made positive
    if (weight[i] > 0.0) terms.push_back({weight[i], p, 1.0 - p});
    else terms.push_back({-weight[i], 1.0 - p, p});
  }
  if (terms.empty()) return 1.0;
  detail::ScoreSum sum(std::move(terms));
  const std::optional<double> value = sum.normalize(observed);
  if (!value) return 1.0;
  const detail::ScoreSum negated = sum.negated();
  const double largest = sum.largest();
  const double smallest = -negated.largest();
  const double rounding = 1e-10 * (largest - smallest);  // of a score that was summed up elsewhere
  const double at_largest = sum.probability_of_largest();
  const double at_smallest = negated.probability_of_largest();
  if (*value > largest + rounding) return 0.0;
  if (*value >= largest - rounding) return at_largest;
  if (*value <= smallest + rounding) return 1.0;
  const double above = detail::score_tail_above_mean(sum, std::max(0.0, *value));
  const double tail = *value >= 0.0 ? above : std::max(above, 1.0 - detail::score_tail_above_mean(negated, -*value));
  return std::max(at_largest, std::min(tail, 1.0 - at_smallest));
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
