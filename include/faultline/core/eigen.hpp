// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The one way to Eigen: its own threads are off, because results must not depend on how many there are. Decompositions
// come through statistics/decompositions.hpp.

#include <faultline/config.hpp>

// A product that Eigen shares out among OpenMP threads is cut, and so rounded, as their number has it.
#if defined(EIGEN_HAS_OPENMP)
#error "Faultline: Eigen was included before Faultline with its OpenMP threads on; define EIGEN_DONT_PARALLELIZE"
#endif
#if !defined(EIGEN_DONT_PARALLELIZE)
#define EIGEN_DONT_PARALLELIZE
#endif

#include <Eigen/Core>

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace core {

/// Numbers that lie side by side as a column vector; valid as long as they are.
template <class T>
using VectorMap =
    Eigen::Map<std::conditional_t<std::is_const_v<T>, const Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, 1>,
                                  Eigen::Matrix<T, Eigen::Dynamic, 1>>>;
template <class Numbers>
[[nodiscard]] auto as_vector(Numbers&& numbers) noexcept {
  const std::span view(numbers);
  return VectorMap<typename decltype(view)::element_type>(view.data(), static_cast<Eigen::Index>(view.size()));
}

/// The value of an expression as a list.
template <class Expression>
[[nodiscard]] auto to_list(const Eigen::DenseBase<Expression>& expression) {
  std::vector<typename Expression::Scalar> list(static_cast<std::size_t>(expression.size()));
  as_vector(list) = expression.derived();
  return list;
}

[[nodiscard]] inline double dot(std::span<const double> a, std::span<const double> b) noexcept {
  return as_vector(a).dot(as_vector(b));
}

}  // namespace core
}  // namespace v1
}  // namespace faultline
