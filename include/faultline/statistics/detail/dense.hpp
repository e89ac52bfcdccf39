// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The linear algebra the statistics need, on plain matrices: one matrix product, by Eigen, and what can be made of it.
// Every form of Eigen expression costs every user a third of a second of compile time, so there is exactly one here.

#include <faultline/core/eigen.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Rows of a matrix, `stride` elements from one to the next.
template <class T>
struct Rows {
  const T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;

  Rows(const T* first, std::int64_t row_count, std::int64_t col_count, std::int64_t row_stride)
      : data(first), rows(row_count), cols(col_count), stride(row_stride) {}
  Rows(const Matrix<T>& m)
      : data(m.data()),
        rows(m.rows()),
        cols(m.cols()),
        stride(m.cols()) {}  // NOLINT(google-explicit-constructor): a matrix is all its rows
  /// Rows first .. first + count - 1 of m.
  Rows(const Matrix<T>& m, std::int64_t first, std::int64_t count)
      : data(m.data() + first * m.cols()), rows(count), cols(m.cols()), stride(m.cols()) {}
};

/// out += a bᵀ: `[n, k]` and `[m, k]`, added to `[n, m]` contiguous values.
template <class T>
void add_product(const Rows<T>& a, const Rows<T>& b, T* out) {
  if (a.rows == 0 || b.rows == 0 || a.cols == 0) return;
  using Values = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Strided = Eigen::Map<const Values, 0, Eigen::OuterStride<>>;
  Eigen::Map<Values>(out, a.rows, b.rows).noalias() +=
      Strided(a.data, a.rows, a.cols, Eigen::OuterStride<>(a.stride)) *
      Strided(b.data, b.rows, b.cols, Eigen::OuterStride<>(b.stride)).transpose();
}

template <class T>
[[nodiscard]] Matrix<T> transposed(const Matrix<T>& m) {
  Matrix<T> out(m.cols(), m.rows());
  constexpr std::int64_t block = 32;  // keeps both sides in the cache
  for (std::int64_t first = 0; first < m.rows(); first += block) {
    const std::int64_t end = std::min(first + block, m.rows());
    for (std::int64_t j = 0; j < m.cols(); ++j) {
      for (std::int64_t i = first; i < end; ++i) out(j, i) = m(i, j);
    }
  }
  return out;
}

/// a bᵀ: `[n, k]` and `[m, k]` -> `[n, m]`.
template <class T>
[[nodiscard]] Matrix<T> multiply_transposed(const Matrix<T>& a, const Matrix<T>& b) {
  Matrix<T> out(a.rows(), b.rows());
  add_product<T>(a, b, out.data());
  return out;
}

/// a b: `[n, k]` and `[k, m]` -> `[n, m]`.
template <class T>
[[nodiscard]] Matrix<T> multiply(const Matrix<T>& a, const Matrix<T>& b) {
  return multiply_transposed(a, transposed(b));
}

/// aᵀ b: `[n, k]` and `[n, m]` -> `[k, m]`.
template <class T>
[[nodiscard]] Matrix<T> transposed_multiply(const Matrix<T>& a, const Matrix<T>& b) {
  return multiply_transposed(transposed(a), transposed(b));
}

/// out += aᵀ a: `[n, k]`, added to `[k, k]`.
inline void add_gram(const Matrix<double>& a, Matrix<double>& out) {
  const Matrix<double> columns = transposed(a);
  add_product<double>(columns, columns, out.data());
}

template <class To, class From>
[[nodiscard]] Matrix<To> converted(const Matrix<From>& m) {
  Matrix<To> out(m.rows(), m.cols());
  std::transform(m.values().begin(), m.values().end(), out.values().begin(),
                 [](From value) { return static_cast<To>(value); });
  return out;
}

[[nodiscard]] inline double dot(std::span<const double> a, std::span<const double> b) noexcept {
  double sum = 0.0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

/// m x: `[n, k]` and `[k]` -> `[n]`.
[[nodiscard]] inline std::vector<double> matrix_vector(const Matrix<double>& m, std::span<const double> x) {
  std::vector<double> out(static_cast<std::size_t>(m.rows()));
  for (std::int64_t i = 0; i < m.rows(); ++i) out[static_cast<std::size_t>(i)] = dot(m.row_span(i), x);
  return out;
}

/// a_i Σ a_iᵀ for every row of a: the variances of linear readings.
[[nodiscard]] inline std::vector<double> quadratic_forms(const Matrix<double>& a, const Matrix<double>& symmetric) {
  const Matrix<double> product = multiply_transposed(a, symmetric);
  std::vector<double> out(static_cast<std::size_t>(a.rows()));
  for (std::int64_t i = 0; i < a.rows(); ++i)
    out[static_cast<std::size_t>(i)] = dot(product.row_span(i), a.row_span(i));
  return out;
}

/// Cuts the largest-magnitude entry of a direction positive: ± v are the same direction, and this makes the choice
/// reproducible.
inline void fix_sign(std::span<double> direction) {
  std::size_t largest = 0;
  for (std::size_t j = 1; j < direction.size(); ++j) {
    if (std::abs(direction[j]) > std::abs(direction[largest])) largest = j;
  }
  if (!direction.empty() && direction[largest] < 0.0) {
    for (double& value : direction) value = -value;
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
