// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Zero-copy xtensor views of the library's plain results and images, and of a user's xtensor as images.

#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#if __has_include(<xtensor/xadapt.hpp>)
#include <xtensor/xadapt.hpp>
#include <xtensor/xtensor.hpp>
#else
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xtensor.hpp>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {

/// View of a `Matrix` as `[rows, cols]`; valid as long as the matrix is neither destroyed nor resized.
///
/// Example: `auto styles = as_xtensor(population.s); xt::xtensor<float, 1> mean = xt::mean(styles, {0});`
template <class T>
[[nodiscard]] auto as_xtensor(const Matrix<T>& matrix) {
  const std::array<std::size_t, 2> shape{static_cast<std::size_t>(matrix.rows()),
                                         static_cast<std::size_t>(matrix.cols())};
  return xt::adapt(matrix.data(), shape[0] * shape[1], xt::no_ownership(), shape);
}
template <class T>
[[nodiscard]] auto as_xtensor(Matrix<T>& matrix) {
  const std::array<std::size_t, 2> shape{static_cast<std::size_t>(matrix.rows()),
                                         static_cast<std::size_t>(matrix.cols())};
  return xt::adapt(matrix.data(), shape[0] * shape[1], xt::no_ownership(), shape);
}
template <class T>
void as_xtensor(const Matrix<T>&&) = delete;

/// View of a list of numbers as `[N]`.
template <class T>
[[nodiscard]] auto as_xtensor(const std::vector<T>& values) {
  const std::array<std::size_t, 1> shape{values.size()};
  return xt::adapt(values.data(), values.size(), xt::no_ownership(), shape);
}
template <class T>
void as_xtensor(const std::vector<T>&&) = delete;

/// View of images as `[N, C, H, W]`.
[[nodiscard]] inline auto as_xtensor(ImageView images) {
  const std::array<std::size_t, 4> shape{
      static_cast<std::size_t>(images.count()), static_cast<std::size_t>(images.channels()),
      static_cast<std::size_t>(images.height()), static_cast<std::size_t>(images.width())};
  return xt::adapt(images.data(), shape[0] * shape[1] * shape[2] * shape[3], xt::no_ownership(), shape);
}

/// A user's row-major array `[N, C, H, W]` as images, without a copy; valid as long as the array is.
template <class Allocator>
[[nodiscard]] ImageView as_images(const xt::xtensor<float, 4, xt::layout_type::row_major, Allocator>& images) {
  const auto axis = [&](std::size_t i) { return static_cast<std::int64_t>(images.shape(i)); };
  return {images.data(), axis(0), ImageShape{axis(1), axis(2), axis(3)}};
}
template <class Allocator>
void as_images(const xt::xtensor<float, 4, xt::layout_type::row_major, Allocator>&&) = delete;

}  // namespace v1
}  // namespace faultline
