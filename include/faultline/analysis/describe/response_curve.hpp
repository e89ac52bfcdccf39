// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How often samples fail against one of their properties.

#include <faultline/analysis/finding.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Bins at most, and samples of a bin at least.
inline constexpr std::int64_t response_bins = 12;
inline constexpr std::int64_t response_bin_samples = 50;

/// Rates of an outcome in bins of a property, with about as many samples each; equal values share a bin, so that there
/// may be fewer bins.
///
/// **Shapes**: values and outcomes `[N]`, 0 or not. **Error rate**: intervals of all bins hold together at 95 %.
/// **Throws** `shape_mismatch`; `invalid_argument` for a value that is not finite. No samples give no bins.
/// Example: `ResponseCurve curve = response_curve("blur", values, failed);`
[[nodiscard]] ResponseCurve response_curve(std::string property, std::span<const double> values,
                                           std::span<const std::uint8_t> outcomes,
                                           std::optional<std::int64_t> class_label = std::nullopt);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/response_curve_impl.hpp>
#endif
