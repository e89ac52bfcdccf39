// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An interval for an area under the ROC curve, within classes.

#include <faultline/statistics/interval.hpp>
#include <faultline/statistics/stratified.hpp>

#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Interval for Σ ω_c AUC_c / Σ ω_c around the estimate `auc`, cut off at 0 and 1.
///
/// **Formula**: var AUC_c = var(A_i)/m + var(B_j)/n with A_i the share of successes below failure i and B_j the share
/// of failures above success j, ties half (DeLong, DeLong and Clarke-Pearson 1988); normal approximation.
[[nodiscard]] statistics::Interval stratified_auc_interval(double auc, std::span<const double> values,
                                                           std::span<const std::int64_t> labels,
                                                           std::span<const std::uint8_t> failed,
                                                           const statistics::Strata& strata, double confidence = 0.95);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/auc_interval_impl.hpp>
#endif
