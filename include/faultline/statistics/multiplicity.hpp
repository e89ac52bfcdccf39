// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Adjusting p-values for the number of tests: Holm for the family-wise error, Benjamini–Hochberg for the
// false-discovery rate.

#include <faultline/config.hpp>

#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// Holm's adjusted p-values, in the order of `p`: rejecting those ≤ α makes any false rejection with probability at
/// most α, whatever the dependence.
///
/// Formula: with p_(1) ≤ … ≤ p_(m), adjusted_(i) = max over j ≤ i of min(1, (m − j + 1) p_(j)) (Holm 1979). Ties get
/// equal values.
/// **Throws** `invalid_argument` for a value outside [0, 1] or NaN. An empty list gives an empty list.
/// Example: `holm(std::vector{0.01, 0.04, 0.03})` is `{0.03, 0.06, 0.06}`
[[nodiscard]] std::vector<double> holm(std::span<const double> p);

/// Benjamini–Hochberg adjusted p-values (q), in the order of `p`: rejecting those ≤ q keeps the expected share of false
/// rejections at most q for independent or positively dependent tests.
///
/// Formula: adjusted_(i) = min over j ≥ i of min(1, m p_(j) / j) (Benjamini and Hochberg 1995). Ties get equal values.
/// **Throws** `invalid_argument` for a value outside [0, 1] or NaN. An empty list gives an empty list.
[[nodiscard]] std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/multiplicity_impl.hpp>
#endif
