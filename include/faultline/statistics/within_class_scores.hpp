// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Normal scores of ranks within classes: values without a unit, without outliers and without differences between
// classes (method.md: Conditions).

#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Replaces every value by the normal score of its rank within its class.
///
/// **Formula**: Φ⁻¹((r − ½) / n_c), r the rank among the n_c values of the class, equal values sharing their mean rank
/// (Blom 1958 with constant ½). All zero in a class where all values are equal.
/// **Shapes**: values `[N]`, labels `[N]` in 0 .. classes − 1 -> `[N]`.
/// **Throws** `shape_mismatch`, `label_out_of_range`, `invalid_argument` for a value that is not finite.
/// **Cost**: N log N.
/// Example: `std::vector<double> blur = within_class_scores(values, population.label, 10);`
[[nodiscard]] std::vector<double> within_class_scores(std::span<const double> values,
                                                      std::span<const std::int64_t> labels, std::int64_t classes);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/within_class_scores_impl.hpp>
#endif
