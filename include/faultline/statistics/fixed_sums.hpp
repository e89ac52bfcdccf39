// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Large sums over samples, cut at fixed rows and added in a fixed order: what is summed has the same bits whoever sums
// which part, on however many threads.

#include <faultline/core/matrix.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Rows of one part of a large sum: enough to turn updates of rank one into a matrix product, few enough that a copy of
/// the part in double is no burden.
inline constexpr std::int64_t fixed_sum_rows = 2048;

/// zero + part(0, 2048) + part(2048, 2048) + …: the sum over `rows` rows of what `part(first, count)` returns for
/// consecutive ones, added in this order.
///
/// `part` returns the type of `zero` (a `Matrix<double>`, a `double`), not an expression, which would look into what is
/// gone. What a part is depends on its rows alone, so the bits of the sum do too. Inside a part keep to sums whose
/// order does not depend on where the values lie in memory: products and squaredNorm() are, sum() and mean() of
/// contiguous rows are not where vectors are wider than what malloc aligns to.
/// **Cost**: one sum held beside the parts. Example:
/// `fixed_sum(x.rows(), Matrix<double>(d, d), [&](auto first, auto n) -> Matrix<double> { return
/// x.middleRows(first, n).transpose() * x.middleRows(first, n); })`
template <class Sum, class Part>
  requires std::same_as<std::invoke_result_t<Part&, std::int64_t, std::int64_t>, Sum>
[[nodiscard]] Sum fixed_sum(std::int64_t rows, Sum zero, Part&& part) {
  for (std::int64_t first = 0; first < rows; first += fixed_sum_rows)
    zero += part(first, std::min(fixed_sum_rows, rows - first));
  return zero;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
