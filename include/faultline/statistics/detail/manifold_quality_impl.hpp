// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/manifold_quality.hpp: brute force over blocks of distances.

#include <faultline/statistics/manifold_quality.hpp>

#include <faultline/core/parallel_for.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/statistics/linear_algebra.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

/// Squared distances between the rows of two matrices, fast and with a bound on their error, or exact.
class PairDistances {
 public:
  PairDistances(const Matrix<double>& a, const Matrix<double>& b)
      : a_(a), b_(b), a_norms_(norms(a)), b_norms_(norms(b)) {}

  /// Scalar products of rows first .. last - 1 of a with rows b_first .. b_last - 1 of b.
  void products(std::int64_t first, std::int64_t last, std::int64_t b_first, std::int64_t b_last,
                Matrix<double>& out) const {
    out = product_transposed(rows_of(a_, first, last - first), rows_of(b_, b_first, b_last - b_first));
  }
  /// |a_i - b_j|² from their scalar product.
  [[nodiscard]] double fast(std::int64_t i, std::int64_t j, double product) const { return both(i, j) - 2.0 * product; }
  /// More than `fast` can be wrong by: each of the three sums of F terms is off by at most F u times the sum of its
  /// magnitudes, u the unit roundoff.
  [[nodiscard]] double slack(std::int64_t i, std::int64_t j) const {
    return 2.0 * static_cast<double>(a_.cols() + 4) * std::numeric_limits<double>::epsilon() * both(i, j);
  }
  [[nodiscard]] double exact(std::int64_t i, std::int64_t j) const {
    return (core::as_vector(a_.row_span(i)) - core::as_vector(b_.row_span(j))).squaredNorm();
  }
  /// |a_i - b_j|² <= radius, decided exactly.
  [[nodiscard]] bool within(std::int64_t i, std::int64_t j, double product, double radius) const {
    const double distance = fast(i, j, product), error = slack(i, j);
    return distance + error <= radius || (distance - error <= radius && exact(i, j) <= radius);
  }

 private:
  static std::vector<double> norms(const Matrix<double>& m) {
    std::vector<double> squared;
    for (std::int64_t i = 0; i < m.rows(); ++i) squared.push_back(core::dot(m.row_span(i), m.row_span(i)));
    return squared;
  }
  [[nodiscard]] double both(std::int64_t i, std::int64_t j) const {
    return a_norms_[static_cast<std::size_t>(i)] + b_norms_[static_cast<std::size_t>(j)];
  }

  const Matrix<double>& a_;
  const Matrix<double>& b_;
  std::vector<double> a_norms_;
  std::vector<double> b_norms_;
};

inline constexpr std::int64_t distance_rows = 128;
inline constexpr std::int64_t distance_columns = 2048;

inline void require_points(const char* where, const Matrix<double>& points, std::int64_t neighbours) {
  if (neighbours < 1)
    throw Error(ErrorCode::invalid_argument, where,
                "expected at least one neighbour, got " + std::to_string(neighbours));
  if (points.rows() <= neighbours)
    throw Error(ErrorCode::empty_input, where,
                "expected more than " + std::to_string(neighbours) + " vectors for as many neighbours, got " +
                    std::to_string(points.rows()));
  for (const double value : points.values())
    if (!std::isfinite(value)) throw Error(ErrorCode::invalid_argument, where, "a feature is not finite");
}

}  // namespace detail

FAULTLINE_INLINE Matrix<double> neighbour_distances(const Matrix<double>& points,
                                                    const std::vector<std::int64_t>& neighbours, std::int64_t threads) {
  constexpr const char* where = "neighbour_distances";
  if (neighbours.empty()) throw Error(ErrorCode::invalid_argument, where, "expected at least one number of neighbours");
  core::require_in(where, "threads", threads, 0, limits::threads);
  for (const std::int64_t k : neighbours) detail::require_points(where, points, k);
  const std::int64_t n = points.rows();
  const auto most = static_cast<std::size_t>(*std::max_element(neighbours.begin(), neighbours.end()));
  const detail::PairDistances distances(points, points);
  Matrix<double> result(n, static_cast<std::int64_t>(neighbours.size()));
  parallel_for_blocks(n, detail::distance_rows, threads, [&](std::int64_t first, std::int64_t last) {
    Matrix<double> products;
    // Ascending, exact
    std::vector<std::vector<double>> nearest(static_cast<std::size_t>(last - first),
                                             std::vector<double>(most, std::numeric_limits<double>::infinity()));
    for (std::int64_t begin = 0; begin < n; begin += detail::distance_columns) {
      const std::int64_t end = std::min(n, begin + detail::distance_columns);
      distances.products(first, last, begin, end, products);
      const double* product = products.data();
      for (std::int64_t i = first; i < last; ++i) {
        auto& best = nearest[static_cast<std::size_t>(i - first)];
        for (std::int64_t j = begin; j < end; ++j, ++product) {
          if (distances.fast(i, j, *product) - distances.slack(i, j) >= best.back() || i == j) continue;
          const double distance = distances.exact(i, j);
          if (distance >= best.back()) continue;
          best.pop_back();
          best.insert(std::upper_bound(best.begin(), best.end(), distance), distance);
        }
      }
    }
    for (std::int64_t i = first; i < last; ++i)
      for (std::size_t k = 0; k < neighbours.size(); ++k)
        result(i, static_cast<std::int64_t>(k)) =
            nearest[static_cast<std::size_t>(i - first)][static_cast<std::size_t>(neighbours[k] - 1)];
  });
  return result;
}

FAULTLINE_INLINE ManifoldQuality manifold_quality(const Matrix<double>& real, const Matrix<double>& generated,
                                                  const ManifoldOptions& options) {
  constexpr const char* where = "manifold_quality";
  if (real.cols() != generated.cols())
    throw Error(ErrorCode::shape_mismatch, where,
                "real vectors have " + std::to_string(real.cols()) + " features, generated ones " +
                    std::to_string(generated.cols()));
  core::require_in(where, "threads", options.threads, 0, limits::threads);
  for (const std::int64_t k : {options.neighbours, options.coverage_neighbours}) detail::require_points(where, real, k);
  detail::require_points(where, generated, options.neighbours);

  const std::int64_t n = real.rows(), m = generated.rows();
  const Matrix<double> of_real =
      neighbour_distances(real, {options.neighbours, options.coverage_neighbours}, options.threads);
  const Matrix<double> of_generated = neighbour_distances(generated, {options.neighbours}, options.threads);
  const detail::PairDistances distances(real, generated);
  std::vector<std::uint8_t> precise(static_cast<std::size_t>(m), 0);
  std::int64_t recalled = 0, covered = 0, inside = 0;
  std::mutex guard;
  parallel_for_blocks(n, detail::distance_rows, options.threads, [&](std::int64_t first, std::int64_t last) {
    Matrix<double> products;
    std::vector<std::uint8_t> hit(static_cast<std::size_t>(m), 0), reached(static_cast<std::size_t>(last - first), 0);
    std::vector<std::int64_t> within(static_cast<std::size_t>(last - first), 0);
    for (std::int64_t begin = 0; begin < m; begin += detail::distance_columns) {
      const std::int64_t end = std::min(m, begin + detail::distance_columns);
      distances.products(first, last, begin, end, products);
      const double* product = products.data();
      for (std::int64_t i = first; i < last; ++i) {
        const auto row = static_cast<std::size_t>(i - first);
        for (std::int64_t j = begin; j < end; ++j, ++product) {
          const auto column = static_cast<std::size_t>(j);
          if (hit[column] == 0 && distances.within(i, j, *product, of_real(i, 0))) hit[column] = 1;
          if (distances.within(i, j, *product, of_real(i, 1))) ++within[row];
          if (reached[row] == 0 && distances.within(i, j, *product, of_generated(j, 0))) reached[row] = 1;
        }
      }
    }
    const std::lock_guard lock(guard);
    for (std::size_t j = 0; j < hit.size(); ++j) precise[j] |= hit[j];
    for (std::size_t row = 0; row < within.size(); ++row) {
      recalled += reached[row];
      inside += within[row];
      covered += within[row] > 0 ? 1 : 0;
    }
  });
  ManifoldQuality quality;
  quality.precision =
      static_cast<double>(std::count(precise.begin(), precise.end(), std::uint8_t{1})) / static_cast<double>(m);
  quality.recall = static_cast<double>(recalled) / static_cast<double>(n);
  quality.density =
      static_cast<double>(inside) / (static_cast<double>(options.coverage_neighbours) * static_cast<double>(m));
  quality.coverage = static_cast<double>(covered) / static_cast<double>(n);
  return quality;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
