// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Solves one symmetric positive definite system (Cholesky): a tenth of what an eigenproblem of the same size costs.

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/detail/dense.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// x of a x = b. **Throws** degenerate_statistics when `a` is not positive definite. **Cost**: n³ / 3 multiplications.
[[nodiscard]] inline std::vector<double> solve_positive(Matrix<double> a, std::span<const double> b) {
  const std::int64_t n = a.rows();
  // Columns done together, so that the rest of the matrix is passed over once for all of them
  constexpr std::int64_t block = 64;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t end = std::min(first + block, n);
    for (std::int64_t j = first; j < end; ++j) {
      const auto own = [&](std::int64_t i) {
        return std::span<const double>(a.row_span(i))
            .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(j - first));
      };
      const double pivot = a(j, j) - dot(own(j), own(j));
      if (!(pivot > 0.0) || !std::isfinite(pivot))
        throw Error(ErrorCode::degenerate_statistics, "solve_positive", "the matrix is not positive definite");
      a(j, j) = std::sqrt(pivot);
      for (std::int64_t i = j + 1; i < n; ++i) a(i, j) = (a(i, j) - dot(own(i), own(j))) / a(j, j);
    }
    if (end == n) break;
    Matrix<double> panel(n - end, end - first), negative(n - end, end - first), rest(n - end, n - end);
    for (std::int64_t i = end; i < n; ++i)
      for (std::int64_t j = first; j < end; ++j) {
        panel(i - end, j - first) = a(i, j);
        negative(i - end, j - first) = -a(i, j);
      }
    add_product<double>(panel, negative, rest.data());
    for (std::int64_t i = end; i < n; ++i)
      for (std::int64_t j = end; j <= i; ++j) a(i, j) += rest(i - end, j - end);
  }
  std::vector<double> x(b.begin(), b.end());
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) x[static_cast<std::size_t>(i)] -= a(i, j) * x[static_cast<std::size_t>(j)];
    x[static_cast<std::size_t>(i)] /= a(i, i);
  }
  for (std::int64_t i = n - 1; i >= 0; --i) {
    x[static_cast<std::size_t>(i)] /= a(i, i);
    for (std::int64_t j = 0; j < i; ++j) x[static_cast<std::size_t>(j)] -= a(i, j) * x[static_cast<std::size_t>(i)];
  }
  return x;
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
