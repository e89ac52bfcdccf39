// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The confirmation test: permutation p-values of many frozen one-sided scores at once, by the stratified Welch
// statistic (method section 5.2).

#include <faultline/core/matrix.hpp>
#include <faultline/statistics/permutation.hpp>
#include <faultline/statistics/stratified.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

/// One frozen score put to the test.
struct WelchTest {
  WelchStatistic statistic;  ///< as observed
  double p = 1.0;            ///< one-sided: failures have the larger values
};

/// Tests K frozen scores: observed stratified Welch statistics and their permutation p-values, the same permutations
/// for all of them.
///
/// **Shapes**: scores `[N, K]` with signs already frozen so that larger means more failure, labels and failed `[N]`;
/// `class_of` is empty or `[K]`: −1 tests a score in all classes that `strata` uses, c in class c alone (p = 1 where
/// that class is not used).
/// **Formula**: p = (1 + #{t_b ≥ t}) / (B + 1), t as in `stratified_welch`. The p-values are raw: adjust them with
/// `holm` over all K.
/// **Error rate**: exact (at most α) when outcomes are exchangeable within classes, asymptotically so when only the
/// means agree (Janssen 1997); the tests simulate both.
/// **Throws** `shape_mismatch`, `label_out_of_range`, `invalid_argument`.
/// **Randomness**: (seed, Stream::permutations, first + b). **Cost**: B x (smaller groups) x K multiplications: about a
/// second for 10 000 samples, 30 scores, B = 9999.
/// Example: `auto tests = welch_permutation_test(projected, labels, failed, strata, {.replicates = 9999, .seed = 7});`
[[nodiscard]] std::vector<WelchTest> welch_permutation_test(const Matrix<double>& scores,
                                                            std::span<const std::int64_t> labels,
                                                            std::span<const std::uint8_t> failed, const Strata& strata,
                                                            const PermutationOptions& options,
                                                            std::span<const std::int64_t> class_of = {});

}  // namespace statistics
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/statistics/detail/welch_permutation_impl.hpp>
#endif
