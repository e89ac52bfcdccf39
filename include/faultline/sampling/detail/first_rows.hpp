// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Cuts the padding off a batch, for the array types that allow it.

#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Arrays with `narrow(axis, first, count)`, as LibTorch's tensors have it.
template <class T>
concept Narrowable = requires(const T& t) {
  { t.narrow(std::int64_t{0}, std::int64_t{0}, std::int64_t{1}) } -> std::convertible_to<T>;
};

template <class T>
concept CutsRows = std::same_as<T, Matrix<float>> || std::same_as<T, ImageBatch> || Narrowable<T>;

inline Matrix<float> first_rows(const Matrix<float>& x, std::int64_t count) {
  Matrix<float> result(count, x.cols());
  std::copy_n(x.data(), count * x.cols(), result.data());
  return result;
}
inline ImageBatch first_rows(const ImageBatch& x, std::int64_t count) {
  ImageBatch result(count, x.shape());
  std::copy_n(x.data(), count * x.shape().elements(), result.data());
  return result;
}
template <Narrowable T>
T first_rows(const T& x, std::int64_t count) {
  return x.narrow(std::int64_t{0}, std::int64_t{0}, count);
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
