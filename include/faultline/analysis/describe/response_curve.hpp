// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How often a classifier fails at small, usual and large values of one property: the curve that a reader checks a
// condition against (labelled_images.md).

#include <faultline/analysis/finding.hpp>
#include <faultline/core/describe.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How values are put into bins.
struct ResponseBinning {
  std::int64_t bins = 12;    ///< at most, in [1, 1000]
  std::int64_t least = 50;   ///< samples that a bin has at least, where there is more than one bin
  double confidence = 0.95;  ///< with which the intervals of all bins hold together
};

/// Refuses options out of range: **throws** `invalid_argument`; `where` words the message.
void check_binning(const char* where, const ResponseBinning& binning);

/// Edges of bins with about equal numbers of samples: K + 1 numbers for K bins, ascending.
///
/// Equal values are never separated, so that bins may be fewer than asked for: one where all values are equal. Each bin
/// has at least `least` of the values; with fewer than twice that, there is one. Inner edges lie half way between the
/// values that they part, outer ones are the smallest and the largest value.
/// **Throws** `empty_input` without values; `invalid_argument` for a value that is not finite and options out of range.
/// **Cost**: N log N.
[[nodiscard]] std::vector<double> response_edges(std::span<const double> values, const ResponseBinning& binning = {});

/// Edges for two sets of values, in which each set has at least `least` of its values in every bin, whatever the sizes
/// of the two: both count the same. One bin where they overlap too little. **Throws** as `response_edges`.
[[nodiscard]] std::vector<double> common_response_edges(std::span<const double> first, std::span<const double> second,
                                                        const ResponseBinning& binning = {});

/// Failure rate in given bins, so that several sets can be drawn on one axis.
///
/// **Shapes**: values, failed `[N]`, edges `[K + 1]` ascending. Values below the first edge are counted in the first
/// bin, those above the last in the last.
/// **Formula**: Clopper–Pearson intervals, simultaneous over the bins (`statistics::simultaneous_rates`): samples are
/// taken as independent of each other.
/// **Throws** `shape_mismatch` when lengths differ; `invalid_argument` for a value or edge that is not finite, for
/// fewer than two edges, for edges that do not ascend (the two edges of a single bin may be equal), and for a
/// confidence outside (0, 1). **Cost**: N log N.
/// Example: `ResponseCurve real = response_curve("blur", blur, failed, edges);`
[[nodiscard]] ResponseCurve response_curve(std::string property, std::span<const double> values,
                                           std::span<const std::uint8_t> failed, std::span<const double> edges,
                                           double confidence = 0.95);

/// Failure rate in bins of the values' own: `response_curve` with `response_edges`. **Throws** what both throw.
/// Example: `ResponseCurve curve = response_curve("blur", blur, failed);`
[[nodiscard]] ResponseCurve response_curve(std::string property, std::span<const double> values,
                                           std::span<const std::uint8_t> failed, const ResponseBinning& binning = {});

}  // namespace analysis

using analysis::response_curve;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/response_curve_impl.hpp>
#endif
