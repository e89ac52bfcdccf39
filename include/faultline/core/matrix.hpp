// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A dense row-major matrix that is plain data: the form in which latents, styles and properties travel between stages.

#include <faultline/core/ranges.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Row-major `[rows, cols]` values that own their memory; no arithmetic (that is Eigen's, see statistics/).
///
/// Example: `Matrix<float> w(100, 64); w(3, 5) = 1.0f; std::span<float> third = w.row_span(3);`
template <class T>
class Matrix {
 public:
  using value_type = T;

  Matrix() = default;
  Matrix(std::int64_t rows, std::int64_t cols, T value = T{}) { resize(rows, cols, value); }

  /// Sets the shape and fills every element with `value`; earlier contents are lost. A matrix without rows keeps its
  /// columns, and the other way round. Throws invalid_argument for a negative size or more than 2^48 elements.
  void resize(std::int64_t rows, std::int64_t cols, T value = T{}) {
    detail::require_elements("Matrix", {rows, cols});
    values_.assign(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols), value);
    rows_ = rows;
    cols_ = cols;
  }

  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::int64_t cols() const noexcept { return cols_; }
  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }

  [[nodiscard]] T& operator()(std::int64_t row, std::int64_t col) noexcept {
    return values_[static_cast<std::size_t>(row * cols_ + col)];
  }
  [[nodiscard]] const T& operator()(std::int64_t row, std::int64_t col) const noexcept {
    return values_[static_cast<std::size_t>(row * cols_ + col)];
  }

  [[nodiscard]] std::span<T> row_span(std::int64_t i) noexcept {
    return {values_.data() + i * cols_, static_cast<std::size_t>(cols_)};
  }
  [[nodiscard]] std::span<const T> row_span(std::int64_t i) const noexcept {
    return {values_.data() + i * cols_, static_cast<std::size_t>(cols_)};
  }

  [[nodiscard]] T* data() noexcept { return values_.data(); }
  [[nodiscard]] const T* data() const noexcept { return values_.data(); }
  [[nodiscard]] std::span<T> values() noexcept { return values_; }
  [[nodiscard]] std::span<const T> values() const noexcept { return values_; }

 private:
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
  std::vector<T> values_;
};

/// Scores of a batch, `[N, K]`: what a classifier fills. `resize(N, K)` first, then `scores(i, k) = ...`.
using ScoreMatrix = Matrix<float>;

}  // namespace v1
}  // namespace faultline
