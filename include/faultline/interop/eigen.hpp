// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Zero-copy Eigen views of the library's plain results other than `Matrix`, which is an Eigen matrix itself. Eigen
// matrices as scores need no adapter: they are readable as (row, column).

#include <faultline/core/eigen.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Row-major dynamic matrix, the layout of `Matrix<T>`. A default Eigen matrix would show the transpose.
template <class T>
using EigenMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The matrix as a view `[rows, cols]`, which it is already; valid as long as the matrix is neither destroyed nor
/// resized.
///
/// Example: `Eigen::VectorXf mean = as_eigen(population.w).colwise().mean();`
template <class T>
[[nodiscard]] Eigen::Map<const EigenMatrix<T>> as_eigen(const Matrix<T>& matrix) {
  return {matrix.data(), matrix.rows(), matrix.cols()};
}
template <class T>
[[nodiscard]] Eigen::Map<EigenMatrix<T>> as_eigen(Matrix<T>& matrix) {
  return matrix;
}
template <class T>
void as_eigen(const Matrix<T>&&) = delete;

/// View of a list of numbers (`Direction::w`, `Population::probability`) as a column vector.
template <class T>
[[nodiscard]] Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>> as_eigen(const std::vector<T>& values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}
template <class T>
[[nodiscard]] Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>> as_eigen(std::vector<T>& values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}
template <class T>
void as_eigen(const std::vector<T>&&) = delete;

/// Images as `[N, C H W]`, one row per image: what a linear model or a library of dense layers wants.
[[nodiscard]] inline Eigen::Map<const EigenMatrix<float>> as_eigen(ImageView images) {
  return {images.data(), static_cast<Eigen::Index>(images.count()),
          static_cast<Eigen::Index>(images.shape().elements())};
}

/// A copy of any Eigen matrix or expression as a `Matrix`.
template <class Derived>
[[nodiscard]] Matrix<typename Derived::Scalar> from_eigen(const Eigen::DenseBase<Derived>& values) {
  return values;
}

}  // namespace v1
}  // namespace faultline
