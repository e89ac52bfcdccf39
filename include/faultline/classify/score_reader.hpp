// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Reads what a user's function returns, whatever array library it comes from, into a ScoreMatrix. No array library is
// included here.

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>

#include <concepts>
#include <cstdint>
#include <ranges>
#include <string>
#include <type_traits>

namespace faultline {
inline namespace v1 {

/// A matrix that knows `rows()` and `cols()` and is read as (row, column): `Matrix`, an Eigen matrix or array of either
/// storage order.
template <class T>
concept ReadableMatrix = requires(const T& t, std::int64_t i) {
  { t.rows() } -> std::convertible_to<std::int64_t>;
  { t.cols() } -> std::convertible_to<std::int64_t>;
  { t(i, i) } -> std::convertible_to<float>;
};

/// An n-dimensional array that knows `dimension()` and `shape(axis)` and is read as (row, column): an xtensor of either
/// layout.
template <class T>
concept ReadableArray = !ReadableMatrix<T> && requires(const T& t, std::size_t i) {
  { t.dimension() } -> std::convertible_to<std::size_t>;
  { t.shape(i) } -> std::convertible_to<std::size_t>;
  { t(i) } -> std::convertible_to<float>;
  { t(i, i) } -> std::convertible_to<float>;
};

/// Row-major values in one range: `std::vector<float>`.
template <class T>
concept ReadableValues = !ReadableMatrix<T> && !ReadableArray<T> && std::ranges::forward_range<const T> &&
                         std::ranges::sized_range<const T> && std::floating_point<std::ranges::range_value_t<const T>>;

/// One range per row: `std::vector<std::vector<float>>`, `std::vector<std::array<float, 10>>`.
template <class T>
concept ReadableRows = !ReadableMatrix<T> && !ReadableArray<T> && std::ranges::forward_range<const T> &&
                       std::ranges::sized_range<const T> && ReadableValues<std::ranges::range_value_t<const T>>;

/// How values of type T are read as scores. Specialise it for an array type of your own: `static void read(const T&
/// result, std::int64_t images, ScoreMatrix& scores)` gives `scores` the shape it finds; shape and values are judged
/// later.
template <class T>
struct ScoreReader;

template <ReadableMatrix T>
struct ScoreReader<T> {
  static void read(const T& result, std::int64_t, ScoreMatrix& scores) {
    const auto rows = static_cast<std::int64_t>(result.rows());
    const auto cols = static_cast<std::int64_t>(result.cols());
    scores.resize(rows, cols);
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t k = 0; k < cols; ++k) scores(i, k) = static_cast<float>(result(i, k));
  }
};

template <ReadableArray T>
struct ScoreReader<T> {
  static void read(const T& result, std::int64_t, ScoreMatrix& scores) {
    if (static_cast<std::size_t>(result.dimension()) == 1) {  // one value per image: judged as one column
      const auto size = static_cast<std::int64_t>(result.shape(std::size_t{0}));
      scores.resize(size, 1);
      for (std::int64_t i = 0; i < size; ++i) scores(i, 0) = static_cast<float>(result(static_cast<std::size_t>(i)));
      return;
    }
    if (static_cast<std::size_t>(result.dimension()) != 2) {
      throw Error(ErrorCode::wrong_score_shape, "ScoreReader",
                  "classifier returned an array with " + std::to_string(result.dimension()) +
                      " axes, expected 2: images and classes");
    }
    const auto rows = static_cast<std::size_t>(result.shape(std::size_t{0}));
    const auto cols = static_cast<std::size_t>(result.shape(std::size_t{1}));
    scores.resize(static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols));
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < cols; ++k)
        scores(static_cast<std::int64_t>(i), static_cast<std::int64_t>(k)) = static_cast<float>(result(i, k));
  }
};

template <ReadableValues T>
struct ScoreReader<T> {
  static void read(const T& result, std::int64_t images, ScoreMatrix& scores) {
    const auto size = static_cast<std::int64_t>(std::ranges::size(result));
    if (images <= 0 || size % images != 0) {
      throw Error(ErrorCode::wrong_score_shape, "ScoreReader",
                  "classifier returned " + std::to_string(size) + " values for " + std::to_string(images) +
                      " images, expected one per image and class, row-major");
    }
    scores.resize(images, size / images);
    float* out = scores.data();
    for (const auto value : result) *out++ = static_cast<float>(value);
  }
};

template <ReadableRows T>
struct ScoreReader<T> {
  static void read(const T& result, std::int64_t, ScoreMatrix& scores) {
    const auto rows = static_cast<std::int64_t>(std::ranges::size(result));
    const auto cols =
        rows == 0 ? std::int64_t{0} : static_cast<std::int64_t>(std::ranges::size(*std::ranges::begin(result)));
    scores.resize(rows, cols);
    float* out = scores.data();
    for (const auto& row : result) {
      if (static_cast<std::int64_t>(std::ranges::size(row)) != cols) {
        throw Error(ErrorCode::wrong_score_shape, "ScoreReader",
                    "classifier returned rows of " + std::to_string(cols) + " and of " +
                        std::to_string(std::ranges::size(row)) + " scores, expected one score per class in each");
      }
      for (const auto value : row) *out++ = static_cast<float>(value);
    }
  }
};

/// Anything a score function may return.
template <class T>
concept ReadableScores = requires(const std::remove_cvref_t<T>& result, ScoreMatrix& scores) {
  ScoreReader<std::remove_cvref_t<T>>::read(result, std::int64_t{1}, scores);
};

}  // namespace v1
}  // namespace faultline
