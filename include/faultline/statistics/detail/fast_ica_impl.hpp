// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/fast_ica.hpp.

#include <faultline/statistics/fast_ica.hpp>

#include <faultline/core/random.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE std::vector<double> excess_kurtosis(const Matrix<double>& projected) {
  std::vector<double> excess(static_cast<std::size_t>(projected.cols()), 0.0);
  const std::int64_t rows = projected.rows();
  for (std::int64_t j = 0; j < projected.cols(); ++j) {
    double mean = 0.0, second = 0.0, fourth = 0.0;
    for (std::int64_t i = 0; i < rows; ++i) mean += projected(i, j);
    mean /= static_cast<double>(rows);
    for (std::int64_t i = 0; i < rows; ++i) {
      const double square = (projected(i, j) - mean) * (projected(i, j) - mean);
      second += square;
      fourth += square * square;
    }
    if (second > 0.0)
      excess[static_cast<std::size_t>(j)] = fourth / (second * second) * static_cast<double>(rows) - 3.0;
  }
  return excess;
}

FAULTLINE_INLINE float sigmoid(float x) noexcept {
  const float clamped = std::min(4.97F, std::max(-4.97F, x));
  const float s = clamped * clamped;
  return clamped * (135135.0F + s * (17325.0F + s * (378.0F + s))) /
         (135135.0F + s * (62370.0F + s * (3150.0F + s * 28.0F)));
}

FAULTLINE_INLINE Matrix<double> ica_step(const Matrix<float>& x, const Matrix<double>& w) {
  const Matrix<float> current = w.cast<float>();
  const std::int64_t n = x.rows();
  const std::int64_t d = w.cols();
  Matrix<double> moved(w.rows(), d);
  std::vector<double> slope(static_cast<std::size_t>(w.rows()), 0.0);
  constexpr std::int64_t block = 512;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t size = std::min(block, n - first);
    Matrix<float> projected = current * x.middleRows(first, size).transpose();
    for (std::int64_t k = 0; k < w.rows(); ++k) {
      float sum = 0.0F;
      for (float& value : projected.row_span(k)) {
        value = sigmoid(value);
        sum += 1.0F - value * value;
      }
      slope[static_cast<std::size_t>(k)] += static_cast<double>(sum);
    }
    const Matrix<float> moment = projected * x.middleRows(first, size);
    moved += moment.cast<double>();
  }
  for (std::int64_t k = 0; k < w.rows(); ++k) {
    for (std::int64_t j = 0; j < d; ++j)
      moved(k, j) = (moved(k, j) - slope[static_cast<std::size_t>(k)] * w(k, j)) / static_cast<double>(n);
  }
  return nearest_orthonormal(moved);
}

FAULTLINE_INLINE std::vector<double> row_changes(const Matrix<double>& before, const Matrix<double>& after) {
  std::vector<double> change(static_cast<std::size_t>(before.rows()));
  for (std::int64_t i = 0; i < before.rows(); ++i) {
    double cosine = 0.0;
    for (std::int64_t j = 0; j < before.cols(); ++j) cosine += before(i, j) * after(i, j);
    change[static_cast<std::size_t>(i)] = std::max(0.0, 1.0 - std::abs(cosine));
  }
  return change;
}

FAULTLINE_INLINE Matrix<double> take_rows(const Matrix<double>& m, const std::vector<std::int64_t>& rows) {
  Matrix<double> out(static_cast<std::int64_t>(rows.size()), m.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy(m.row_span(rows[i]).begin(), m.row_span(rows[i]).end(),
              out.row_span(static_cast<std::int64_t>(i)).begin());
  return out;
}

FAULTLINE_INLINE std::vector<std::int64_t> by_magnitude(const std::vector<double>& values) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::abs(values[static_cast<std::size_t>(a)]) > std::abs(values[static_cast<std::size_t>(b)]);
  });
  return order;
}

FAULTLINE_INLINE Matrix<double> stack_rows(const Matrix<double>& top, const Matrix<double>& bottom, std::int64_t first,
                                           std::int64_t last) {
  Matrix<double> out(top.rows() + last - first, bottom.cols());
  std::copy(top.values().begin(), top.values().end(), out.values().begin());
  std::copy_n(bottom.data() + first * bottom.cols(), (last - first) * bottom.cols(),
              out.data() + top.rows() * bottom.cols());
  return out;
}

FAULTLINE_INLINE Matrix<double> random_rotation(std::int64_t r, std::int64_t seed, std::int64_t search) {
  Matrix<double> w(r, r);
  for (std::int64_t i = 0; i < r; ++i) {
    core::CounterRandom random(seed, core::Stream::permutations, ica_start_first + (search << 32) + i);
    for (double& value : w.row_span(i)) value = random.normal();
  }
  return nearest_orthonormal(w);
}

FAULTLINE_INLINE std::int64_t search_components(const Matrix<double>& whitened, Matrix<double>& w,
                                                const FastIcaOptions& options, std::int64_t& iterations) {
  const Matrix<float> x = whitened.cast<float>();
  constexpr double hardly = 0.02;  // 1 − cos 11°
  constexpr std::int64_t check_every = 5;
  std::vector<double> excess;
  std::int64_t strong = 0;
  for (std::int64_t i = 1; i <= options.max_iterations; ++i, ++iterations) {
    Matrix<double> next = ica_step(x, w);
    const auto change = row_changes(w, next);
    w = std::move(next);
    if (i % check_every != 0 && i != options.max_iterations) continue;
    excess = excess_kurtosis(whitened * std::as_const(w).transpose());
    std::int64_t count = 0;
    bool moving = false;
    for (std::size_t k = 0; k < excess.size(); ++k) {
      if (!(std::abs(excess[k]) >= options.least_kurtosis)) continue;
      ++count;
      moving = moving || change[k] > hardly;
    }
    const bool emerging = count == 0 || count > strong;
    strong = count;
    if (!emerging && !moving) break;
  }
  w = take_rows(w, by_magnitude(excess));
  return strong;
}

FAULTLINE_INLINE bool settle_components(const Matrix<float>& x, Matrix<double>& w, const FastIcaOptions& options,
                                        std::int64_t& iterations) {
  for (std::int64_t i = 0; i < options.max_iterations; ++i, ++iterations) {
    Matrix<double> next = ica_step(x, w);
    const auto change = row_changes(w, next);
    w = std::move(next);
    if (*std::max_element(change.begin(), change.end()) <= options.tolerance) return true;
  }
  return false;
}

FAULTLINE_INLINE IndependentComponents fast_ica(const Matrix<double>& whitened, const FastIcaOptions& options) {
  const std::int64_t r = whitened.cols();
  if (r == 0 || whitened.rows() <= r) {
    throw Error(
        ErrorCode::degenerate_statistics, "fast_ica",
        "expected more samples than coordinates, got " + std::to_string(whitened.rows()) + " and " + std::to_string(r));
  }
  core::require_in("fast_ica", "max_iterations", options.max_iterations, 1, limits::permutations);
  core::require_in("fast_ica", "searches", options.searches, 0, limits::directions);
  const Matrix<float> x = whitened.cast<float>();
  IndependentComponents result;
  result.converged = true;
  Matrix<double> leading(0, r);                               // at rest
  Matrix<double> rest = random_rotation(r, options.seed, 0);  // an orthonormal basis of what is left
  for (std::int64_t search = 0; search <= options.searches && rest.rows() > 0 && result.converged; ++search) {
    Matrix<double> w = random_rotation(rest.rows(), options.seed, search);
    const std::int64_t found =
        search_components(whitened * std::as_const(rest).transpose(), w, options, result.iterations);
    if (found == 0) break;
    const Matrix<double> turned = w * rest;
    leading = stack_rows(leading, turned, 0, found);
    rest = stack_rows(Matrix<double>(0, r), turned, found, turned.rows());
    // One that never rests keeps the others from resting: the weakest goes back until those left agree.
    while (leading.rows() > 0 && !settle_components(x, leading, options, result.iterations)) {
      result.converged = false;
      const auto order = by_magnitude(excess_kurtosis(whitened * std::as_const(leading).transpose()));
      leading = take_rows(leading, order);
      rest = stack_rows(rest, leading, leading.rows() - 1, leading.rows());
      leading = stack_rows(Matrix<double>(0, r), leading, 0, leading.rows() - 1);
    }
    if (rest.rows() == 0) break;
    if (leading.rows() > 0) {
      const Matrix<double> along = rest * std::as_const(leading).transpose();
      const Matrix<double> inside = along * leading;
      rest -= inside;
    }
    rest = nearest_orthonormal(rest);
  }

  result.directions = stack_rows(leading, rest, 0, rest.rows());
  const auto excess = excess_kurtosis(whitened * std::as_const(result.directions).transpose());
  const auto order = by_magnitude(excess);
  result.directions = take_rows(result.directions, order);
  for (std::int64_t i = 0; i < r; ++i) {
    const auto from = static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
    detail::fix_sign(result.directions.row_span(i));
    result.excess_kurtosis.push_back(excess[from]);
    result.settled.push_back(static_cast<std::int64_t>(from) < leading.rows() ? 1 : 0);
  }
  return result;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
