// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/natural_spline.hpp.

#include <faultline/statistics/natural_spline.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

/// The basis before it is made orthonormal: x itself, and the even and odd parts of truncated cubics that are linear
/// beyond the knots.
class RawSpline {
 public:
  RawSpline() {
    constexpr std::array<double, 5> levels{0.05, 0.275, 0.5, 0.725, 0.95};
    for (std::size_t k = 0; k < knots_.size(); ++k) knots_[k] = normal_quantile(levels[k]);
  }
  [[nodiscard]] SplineRow values(double x) const noexcept {
    const auto cubic = [](double t) { return t > 0.0 ? t * t * t : 0.0; };
    const auto at = curves(x, cubic), mirrored = curves(-x, cubic);
    return {x, at[0] + mirrored[0], at[0] - mirrored[0], at[1] + mirrored[1]};
  }
  [[nodiscard]] SplineRow slopes(double x) const noexcept {
    const auto square = [](double t) { return t > 0.0 ? 3.0 * t * t : 0.0; };
    const auto at = curves(x, square), mirrored = curves(-x, square);
    return {1.0, at[0] - mirrored[0], at[0] + mirrored[0], at[1] - mirrored[1]};
  }

 private:
  template <class Power>
  [[nodiscard]] std::array<double, 2> curves(double x, const Power& power) const noexcept {
    const auto d = [&](std::size_t k) {
      return (power(x - knots_[k]) - power(x - knots_[4])) / (knots_[4] - knots_[k]);
    };
    const double last = d(3);
    return {d(0) - last, d(2) - last};
  }
  std::array<double, 5> knots_{};
};

/// The raw basis, and what makes it orthonormal: value_j = Σ_{k ≤ j} combination[j][k] (raw_k − mean_k).
struct SplineBasis {
  RawSpline raw;
  SplineRow mean{};
  std::array<SplineRow, 4> combination{};

  SplineBasis() {
    // The trapezoidal rule on a function that vanishes with all its derivatives at both ends is exact to rounding.
    constexpr int points = 6400;
    constexpr double edge = 10.0, step = 2.0 * edge / points;
    std::array<SplineRow, 4> moment{};
    for (int i = 0; i <= points; ++i) {
      const double x = -edge + step * i;
      const double density = step * std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
      const SplineRow v = raw.values(x);
      for (std::size_t j = 0; j < 4; ++j) {
        mean[j] += density * v[j];
        for (std::size_t k = 0; k < 4; ++k) moment[j][k] += density * v[j] * v[k];
      }
    }
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 4; ++k) moment[j][k] -= mean[j] * mean[k];
    for (std::size_t j = 0; j < 4; ++j) {
      SplineRow row{};
      row[j] = 1.0;
      for (std::size_t k = 0; k < j; ++k) {
        const double overlap = product(moment, row, combination[k]);
        for (std::size_t i = 0; i < 4; ++i) row[i] -= overlap * combination[k][i];
      }
      const double length = std::sqrt(product(moment, row, row));
      for (double& value : row) value /= length;
      combination[j] = row;
    }
  }
  [[nodiscard]] static double product(const std::array<SplineRow, 4>& moment, const SplineRow& a, const SplineRow& b) {
    double sum = 0.0;
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 4; ++k) sum += a[j] * moment[j][k] * b[k];
    return sum;
  }
  [[nodiscard]] SplineRow combine(const SplineRow& v) const noexcept {
    SplineRow out{};
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 4; ++k) out[j] += combination[j][k] * v[k];
    return out;
  }
};

FAULTLINE_INLINE const SplineBasis& spline_basis() {
  static const SplineBasis basis;
  return basis;
}

}  // namespace detail

FAULTLINE_INLINE SplineRow natural_spline(double score) noexcept {
  const detail::SplineBasis& basis = detail::spline_basis();
  SplineRow v = basis.raw.values(score);
  for (std::size_t j = 0; j < 4; ++j) v[j] -= basis.mean[j];
  return basis.combine(v);
}

FAULTLINE_INLINE SplineRow natural_spline_slope(double score) noexcept {
  const detail::SplineBasis& basis = detail::spline_basis();
  return basis.combine(basis.raw.slopes(score));
}

FAULTLINE_INLINE Matrix<double> natural_spline_columns(std::span<const double> scores) {
  Matrix<double> columns(static_cast<std::int64_t>(scores.size()), spline_columns);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i]))
      throw Error(ErrorCode::invalid_argument, "natural_spline_columns", "expected finite scores");
    const SplineRow row = natural_spline(scores[i]);
    for (std::size_t j = 0; j < 4; ++j) columns(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)) = row[j];
  }
  return columns;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
