// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The symmetric eigenproblem: Householder's tridiagonal form, then the QL iteration with implicit shifts (Bowdler,
// Martin, Reinsch and Wilkinson 1968; Golub and Van Loan, Matrix Computations, 8.3). Eigen's solver does the same;
// instantiating it would cost every user of the library more than two seconds of compile time.

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/detail/dense.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Eigenvalues, descending, and unit eigenvectors as rows, each with its largest entry positive so that the same matrix
/// always gives the same signs.
struct SymmetricEigen {
  std::vector<double> values;  ///< `[n]`
  Matrix<double> vectors;      ///< `[n, n]`, row i belongs to values[i]
};

/// A = Qᵀ T Q with T tridiagonal.
struct Tridiagonal {
  std::vector<double> diagonal, below;  ///< `[n]`; below[i] couples i and i + 1, the last is 0
  Matrix<double> rotation;              ///< Q, orthogonal rows
};

[[nodiscard]] inline Tridiagonal tridiagonalise(Matrix<double> a) {
  const std::int64_t n = a.rows();
  Tridiagonal t{std::vector<double>(static_cast<std::size_t>(n)), std::vector<double>(static_cast<std::size_t>(n), 0.0),
                Matrix<double>(n, n)};
  for (std::int64_t i = 0; i < n; ++i) t.rotation(i, i) = 1.0;
  std::vector<double> v(static_cast<std::size_t>(n));
  std::vector<double> p(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k + 1 < n; ++k) {
    // The reflection I - 2 v vᵀ turns column k below the diagonal into a multiple of the first unit vector.
    double square = 0.0;
    for (std::int64_t i = k + 1; i < n; ++i) square += a(i, k) * a(i, k);
    const double head = a(k + 1, k);
    const double target = head > 0.0 ? -std::sqrt(square) : std::sqrt(square);
    t.below[static_cast<std::size_t>(k)] = target;
    // Of v before scaling; target has the sign that avoids cancellation
    const double length = std::sqrt(2.0 * (square - head * target));
    if (!(length > 0.0)) continue;
    for (std::int64_t i = k + 1; i < n; ++i)
      v[static_cast<std::size_t>(i)] = (a(i, k) - (i == k + 1 ? target : 0.0)) / length;
    double curvature = 0.0;
    for (std::int64_t i = k + 1; i < n; ++i) {
      double sum = 0.0;
      for (std::int64_t j = k + 1; j < n; ++j) sum += a(i, j) * v[static_cast<std::size_t>(j)];
      p[static_cast<std::size_t>(i)] = sum;
      curvature += sum * v[static_cast<std::size_t>(i)];
    }
    for (std::int64_t i = k + 1; i < n; ++i)
      p[static_cast<std::size_t>(i)] -= curvature * v[static_cast<std::size_t>(i)];
    for (std::int64_t i = k + 1; i < n; ++i) {
      const double vi = 2.0 * v[static_cast<std::size_t>(i)];
      const double pi = 2.0 * p[static_cast<std::size_t>(i)];
      for (std::int64_t j = k + 1; j < n; ++j)
        a(i, j) -= vi * p[static_cast<std::size_t>(j)] + pi * v[static_cast<std::size_t>(j)];
    }
    // Q <- (I - 2 v vᵀ) Q
    std::fill(p.begin(), p.end(), 0.0);
    for (std::int64_t i = k + 1; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j)
        p[static_cast<std::size_t>(j)] += v[static_cast<std::size_t>(i)] * t.rotation(i, j);
    }
    for (std::int64_t i = k + 1; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j)
        t.rotation(i, j) -= 2.0 * v[static_cast<std::size_t>(i)] * p[static_cast<std::size_t>(j)];
    }
  }
  for (std::int64_t i = 0; i < n; ++i) t.diagonal[static_cast<std::size_t>(i)] = a(i, i);
  return t;
}

/// Makes the tridiagonal matrix diagonal by plane rotations, which it applies to the rows of Q as well.
inline void diagonalise(Tridiagonal& t) {
  const auto n = static_cast<std::int64_t>(t.diagonal.size());
  const auto d = [&](std::int64_t i) -> double& { return t.diagonal[static_cast<std::size_t>(i)]; };
  const auto e = [&](std::int64_t i) -> double& { return t.below[static_cast<std::size_t>(i)]; };
  // A coupling below the rounding of the whole matrix is none: among equal eigenvalues nothing smaller is ever reached.
  double size = 0.0;
  for (std::int64_t i = 0; i < n; ++i) size = std::max(size, std::abs(d(i)) + std::abs(e(i)));
  const double negligible = std::numeric_limits<double>::epsilon() * size;
  for (std::int64_t first = 0; first < n; ++first) {
    for (int iteration = 0;; ++iteration) {
      std::int64_t last = first;  // the block first .. last is coupled
      while (last + 1 < n && std::abs(e(last)) > negligible) ++last;
      if (last == first) break;
      if (iteration == 60)
        throw Error(ErrorCode::not_converged, "symmetric_eigen",
                    "the eigenvalue iteration did not converge; are all entries finite?");
      // The shift is the eigenvalue of the leading 2 x 2 block that is nearer to its corner; rotations chase the bulge
      // from the end of the block to its start.
      const double half = (d(first + 1) - d(first)) / (2.0 * e(first));
      double g = d(last) - d(first) + e(first) / (half + std::copysign(std::hypot(half, 1.0), half));
      double sine = 1.0;
      double cosine = 1.0;
      double moved = 0.0;
      bool split = false;
      for (std::int64_t i = last - 1; i >= first; --i) {
        const double f = sine * e(i);
        const double b = cosine * e(i);
        const double r = std::hypot(f, g);
        e(i + 1) = r;
        if (r == 0.0) {  // the block falls apart here
          d(i + 1) -= moved;
          e(last) = 0.0;
          split = true;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d(i + 1) - moved;
        const double s = (d(i) - g) * sine + 2.0 * cosine * b;
        moved = sine * s;
        d(i + 1) = g + moved;
        g = cosine * s - b;
        double* upper = t.rotation.row_span(i).data();
        double* lower = t.rotation.row_span(i + 1).data();
        for (std::int64_t j = 0; j < n; ++j) {
          const double x = lower[j];
          lower[j] = sine * upper[j] + cosine * x;
          upper[j] = cosine * upper[j] - sine * x;
        }
      }
      if (split) continue;
      d(first) -= moved;
      e(first) = g;
      e(last) = 0.0;
    }
  }
}

/// **Throws** not_converged when an entry is not finite. **Cost**: about 5 n³ multiplications.
[[nodiscard]] inline SymmetricEigen symmetric_eigen(const Matrix<double>& symmetric) {
  for (const double value : symmetric.values()) {
    if (!std::isfinite(value))
      throw Error(ErrorCode::not_converged, "symmetric_eigen", "the matrix has an entry that is not finite");
  }
  const std::int64_t n = symmetric.rows();
  Tridiagonal t = tridiagonalise(symmetric);
  diagonalise(t);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return t.diagonal[static_cast<std::size_t>(a)] > t.diagonal[static_cast<std::size_t>(b)];
  });
  SymmetricEigen result{std::vector<double>(static_cast<std::size_t>(n)), Matrix<double>(n, n)};
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t from = order[static_cast<std::size_t>(i)];
    result.values[static_cast<std::size_t>(i)] = t.diagonal[static_cast<std::size_t>(from)];
    std::copy(t.rotation.row_span(from).begin(), t.rotation.row_span(from).end(), result.vectors.row_span(i).begin());
    fix_sign(result.vectors.row_span(i));
  }
  return result;
}

/// Σ f(λ_i) u_i u_iᵀ over the eigenvalues above `floor` times the largest: the inverse for f = 1/λ, the inverse root
/// for f = λ^-½.
template <class Function>
[[nodiscard]] Matrix<double> spectral_function(const SymmetricEigen& eigen, double floor, Function f) {
  const std::int64_t n = eigen.vectors.rows();
  Matrix<double> scaled(n, n);
  Matrix<double> kept(n, n);
  for (std::int64_t i = 0; i < n; ++i) {
    const double value = eigen.values[static_cast<std::size_t>(i)];
    if (!(value > floor * eigen.values.front()) || !(value > 0.0)) break;
    for (std::int64_t j = 0; j < n; ++j) {
      kept(i, j) = eigen.vectors(i, j);
      scaled(i, j) = f(value) * eigen.vectors(i, j);
    }
  }
  return transposed_multiply(kept, scaled);
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
