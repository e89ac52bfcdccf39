// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Cuts the padding off a batch, for the array types that allow it.

#include <faultline/concepts/style_generator.hpp>
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

/// Arrays that cut themselves.
template <class T>
concept HasFirstRows = requires(const T& t) {
  { t.first_rows(std::int64_t{1}) } -> std::same_as<T>;
};

template <class T>
concept CutsRows = std::same_as<T, Matrix<float>> || std::same_as<T, ImageBatch> || Narrowable<T> || HasFirstRows<T>;

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
template <HasFirstRows T>
T first_rows(const T& x, std::int64_t count) {
  return x.first_rows(count);
}

/// Whether arrays of a generator's calls can be cut again, so that calls may be padded.
template <StyleGenerator G>
inline constexpr bool can_pad = !BatchInvariantGenerator<G> && CutsRows<typename G::latent_type> &&
                                CutsRows<typename G::style_type> && CutsRows<typename G::image_type>;

/// Whether calls are padded to a fixed batch, because results depend on the number of rows and can be cut again. A type
/// that forgets what it wraps answers `pads_batches()` at run time.
template <StyleGenerator G>
[[nodiscard]] bool pads_batches(const G& generator) {
  if constexpr (!can_pad<G>) return static_cast<void>(generator), false;
  else if constexpr (requires {
                       { generator.pads_batches() } -> std::convertible_to<bool>;
                     })
    return generator.pads_batches();
  else return static_cast<void>(generator), true;
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
