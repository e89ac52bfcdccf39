// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Arrays as NPY files (NumPy's format, version 1.0), written by xtensor. Nothing here reads one: that parser is not fit
// for files of unknown origin.

#include <faultline/core/atomic_file.hpp>
#include <faultline/error.hpp>

#if __has_include(<xtensor/xnpy.hpp>)
#include <xtensor/xadapt.hpp>
#include <xtensor/xnpy.hpp>
#else
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/io/xnpy.hpp>
#endif

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// Element types that `write_npy` stores: NumPy sees float32, float64, int64, uint8.
template <class T>
concept NpyElement =
    std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> || std::same_as<T, std::uint8_t>;

/// Writes a row-major array as `.npy`, all or nothing.
///
/// **Shapes**: `values` has as many elements as `shape` says; an empty shape is a single number.
/// **Throws** `shape_mismatch` when it has not; `cannot_write`, `not_durable`.
/// **Cost**: one copy of the array in memory.
/// Example: `write_npy("w.npy", {population.count, w_dim}, std::span<const float>(w));   // numpy.load("w.npy")`
template <NpyElement T>
void write_npy(const std::filesystem::path& path, const std::vector<std::int64_t>& shape, std::span<const T> values) {
  std::size_t elements = 1;
  std::vector<std::size_t> extents;
  for (const std::int64_t extent : shape) {
    const auto unsigned_extent = static_cast<std::size_t>(extent);
    if (extent < 0 || (extent > 0 && elements > std::numeric_limits<std::size_t>::max() / unsigned_extent)) {
      throw Error(ErrorCode::shape_mismatch, "write_npy",
                  "dimension " + std::to_string(extent) + " is negative or too large");
    }
    extents.push_back(unsigned_extent);
    elements *= unsigned_extent;
  }
  if (elements != values.size()) {
    throw Error(ErrorCode::shape_mismatch, "write_npy",
                "the shape has " + std::to_string(elements) + " elements, got " + std::to_string(values.size()));
  }
  const auto array = xt::adapt(values.data(), values.size(), xt::no_ownership(), extents);
  core::write_file_atomically(path, xt::dump_npy(array));
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
