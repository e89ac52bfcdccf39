// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Several e-values together: whether any of what they speak against is wrong, and which. An e-value is a number ≥ 0
// whose mean is at most 1 where its hypothesis holds.

#include <faultline/config.hpp>

#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// The mean of e-values: an e-value against all of their hypotheses holding at once, however they depend on each other.
///
/// Under dependence there is no better way to merge them that treats all alike (Vovk and Wang 2021).
/// **Throws** `empty_input` for no value; `invalid_argument` for a negative value or NaN. Infinity is a value.
/// Example: `mean_e_value(std::vector{70.0, 0.5, 1.0}) >= 20`: at level .05 not all three hypotheses hold
[[nodiscard]] double mean_e_value(std::span<const double> e);

/// Adjusted e-values, in the order of `e`: rejecting those ≥ 1/α makes any false rejection with probability at most α,
/// however they depend on each other. Holm's procedure for e-values.
///
/// **Formula**: adjusted_i is the smallest mean over all sets of hypotheses with i among them (closed testing with
/// `mean_e_value`), which is that of e_i and the smallest others (Vovk and Wang 2021, algorithm 1): those, in ascending
/// order, that lie below the mean so far.
/// **Throws** `invalid_argument` for a negative value or NaN. An empty list gives an empty list.
/// **Cost**: a sort.
/// Example: `e_holm(std::vector{70.0, 0.5, 1.5})` is `{24, 0.5, 1}`
[[nodiscard]] std::vector<double> e_holm(std::span<const double> e);

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/e_values_impl.hpp>
#endif
