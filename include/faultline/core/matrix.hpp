// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A dense row-major matrix: the form in which latents, styles and properties travel between stages, and an Eigen matrix
// to calculate with.

#include <faultline/core/eigen.hpp>
#include <faultline/core/ranges.hpp>

#include <algorithm>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace detail {

/// What a `Matrix<T>` is to Eigen: a row-major view that assumes no alignment.
template <class T>
using MatrixMap = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// An Eigen matrix, array or decomposition of the same scalar type that is not a `Matrix` itself.
template <class Expression, class T>
concept ExpressionOf = std::is_base_of_v<Eigen::EigenBase<Expression>, Expression> &&
    std::is_same_v<typename Eigen::internal::traits<Expression>::Scalar, T>;

}  // namespace detail

/// Row-major `[rows, cols]` values that own their memory, and an Eigen matrix: every expression of Eigen can be formed
/// from it, and assigned to it.
///
/// Assignment takes the shape of what is assigned and may name the matrix itself (`m = m.transpose()`); what has the
/// shape already and does not name it saves a copy by `m.noalias() = a * b`. Scalars are not converted silently:
/// `Matrix<double> x = f.cast<double>()`. An expression, like `row_span`, looks into the matrix: it is valid until the
/// matrix is resized, assigned to or destroyed, so results of functions are stored as `Matrix`, not as `auto`.
///
/// The values lie in a std::vector and no alignment is assumed, so that a matrix may be made, resized and destroyed by
/// code that was compiled for different instruction sets; an Eigen::Matrix may not.
/// Element access is unchecked. Shapes in Eigen's expressions are checked by Eigen, which means: not with NDEBUG.
///
/// Example: `Matrix<float> w(100, 64); w(3, 5) = 1.0f; Matrix<float> centred = w.rowwise() - w.colwise().mean();`
template <class T>
class Matrix : public detail::MatrixMap<T> {
  static_assert(!std::is_same_v<T, bool>, "Matrix<bool>: a vector of bool is no array; use std::uint8_t");
  using Base = detail::MatrixMap<T>;

 public:
  using value_type = T;

  Matrix() noexcept : Base(nullptr, 0, 0) {}
  Matrix(std::int64_t rows, std::int64_t cols, T value = T{}) : Matrix() { resize(rows, cols, value); }
  Matrix(const Matrix& other) : Base(nullptr, 0, 0), values_(other.values_) { show(other.rows(), other.cols()); }
  /// Leaves `other` empty, `[0, 0]`.
  Matrix(Matrix&& other) noexcept : Matrix() { take(other); }
  /// The value of an Eigen expression.
  template <detail::ExpressionOf<T> Expression>
  Matrix(const Eigen::EigenBase<Expression>& expression)  // NOLINT(google-explicit-constructor): as Eigen's matrices
      : Matrix(expression.rows(), expression.cols()) {
    if constexpr (std::is_base_of_v<Eigen::MatrixBase<Expression>, Expression>) this->noalias() = expression.derived();
    else if constexpr (std::is_base_of_v<Eigen::ArrayBase<Expression>, Expression>)
      this->noalias() = expression.derived().matrix();
    else Base::operator=(expression.derived());
  }
  ~Matrix() = default;

  Matrix& operator=(const Matrix& other) {
    if (this == &other) return *this;
    values_ = other.values_;
    show(other.rows(), other.cols());
    return *this;
  }
  /// Leaves `other` empty, `[0, 0]`.
  Matrix& operator=(Matrix&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  /// The value of an Eigen expression, which may look into this matrix; the shape becomes the expression's.
  template <detail::ExpressionOf<T> Expression>
  Matrix& operator=(const Eigen::EigenBase<Expression>& expression) {
    return *this = Matrix(expression);
  }

  /// Sets the shape and fills every element with `value`; earlier contents are lost. A matrix without rows keeps its
  /// columns, and the other way round. Throws invalid_argument for a negative size or more than 2^48 elements.
  void resize(std::int64_t rows, std::int64_t cols, T value = T{}) {
    core::require_elements("Matrix", {rows, cols});
    values_.assign(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols), value);
    show(rows, cols);
  }

  /// Exchanges shapes and values; Eigen's own would exchange values of one shape.
  void swap(Matrix& other) noexcept { std::swap(*this, other); }
  /// Any shape; Eigen's own would need a square.
  void transposeInPlace() { *this = Matrix(this->transpose()); }
  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }

  using Base::operator();  // m(Eigen::all, columns) and the like
  [[nodiscard]] T& operator()(std::int64_t row, std::int64_t col) noexcept {
    return this->data()[row * this->cols() + col];
  }
  [[nodiscard]] const T& operator()(std::int64_t row, std::int64_t col) const noexcept {
    return this->data()[row * this->cols() + col];
  }

  /// The contiguous values of a row; `row(i)` is Eigen's expression.
  [[nodiscard]] std::span<T> row_span(std::int64_t i) noexcept {
    return {this->data() + i * this->cols(), static_cast<std::size_t>(this->cols())};
  }
  [[nodiscard]] std::span<const T> row_span(std::int64_t i) const noexcept {
    return {this->data() + i * this->cols(), static_cast<std::size_t>(this->cols())};
  }

  [[nodiscard]] std::span<T> values() noexcept { return values_; }
  [[nodiscard]] std::span<const T> values() const noexcept { return values_; }

  /// The same shape and equal values; false, not an error, for other shapes.
  [[nodiscard]] friend bool operator==(const Matrix& a, const Matrix& b) noexcept {
    return a.rows() == b.rows() && a.cols() == b.cols() && a.values_ == b.values_;
  }
  template <class Expression>
  [[nodiscard]] friend bool operator==(const Matrix& a, const Eigen::MatrixBase<Expression>& b) {
    return a.rows() == b.rows() && a.cols() == b.cols() && a.cwiseEqual(b).all();
  }

 private:
  /// Points the map at the values, as Eigen documents it for a map that changes its array.
  void show(Eigen::Index rows, Eigen::Index cols) noexcept {
    ::new (static_cast<void*>(static_cast<Base*>(this))) Base(values_.data(), rows, cols);
  }
  void take(Matrix& other) noexcept {
    values_ = std::move(other.values_);
    show(other.rows(), other.cols());
    other.values_.clear();
    other.show(0, 0);
  }

  std::vector<T> values_;
};

/// Scores of a batch, `[N, K]`: what a classifier fills. `resize(N, K)` first, then `scores(i, k) = ...`.
using ScoreMatrix = Matrix<float>;

}  // namespace v1
}  // namespace faultline
