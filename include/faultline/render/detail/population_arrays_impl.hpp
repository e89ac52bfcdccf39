// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/population_arrays.hpp.

#include <faultline/render/population_arrays.hpp>

#include <faultline/data/npy.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// s = A w + b of every row, accumulated in double.
inline Matrix<float> affine_styles(const Problem& problem, const Matrix<float>& w) {
  Matrix<float> s(w.rows(), problem.style_matrix.rows());
  for (std::int64_t i = 0; i < w.rows(); ++i)
    for (std::int64_t k = 0; k < s.cols(); ++k) {
      double sum = problem.style_bias[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < w.cols(); ++j) sum += problem.style_matrix(k, j) * static_cast<double>(w(i, j));
      s(i, k) = static_cast<float>(sum);
    }
  return s;
}

}  // namespace detail

FAULTLINE_INLINE void write_arrays(const Problem& problem, const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed)
    throw Error(ErrorCode::cannot_write, "write_arrays",
                "could not create '" + directory.string() + "': " + failed.message());
  for (const auto& [name, split] : {std::pair<std::string, const Population*>{"discovery", &problem.discovery},
                                    {"confirmation", &problem.confirmation}}) {
    const Population& p = *split;
    const auto path = [&, prefix = name](const char* what) { return directory / (prefix + "." + what + ".npy"); };
    const std::int64_t n = p.size();
    const auto matrix = [&](const char* what, const Matrix<float>& values) {
      data::write_npy(path(what), {values.rows(), values.cols()}, values.values());
    };
    matrix("w", p.w);
    matrix("s", p.s.empty() ? detail::affine_styles(problem, p.w) : p.s);
    if (!p.properties.empty()) matrix("properties", p.properties);
    data::write_npy(path("index"), {n}, std::span<const std::int64_t>(p.index));
    data::write_npy(path("label"), {n}, std::span<const std::int64_t>(p.label));
    data::write_npy(path("prediction"), {n}, std::span<const std::int64_t>(p.prediction));
    data::write_npy(path("failed"), {n}, std::span<const std::uint8_t>(p.failed));
    data::write_npy(path("probability"), {n}, std::span<const float>(p.probability));
    data::write_npy(path("margin"), {n}, std::span<const float>(p.margin));
  }
}

}  // namespace render

}  // namespace v1
}  // namespace faultline
