// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Whether real images fail where generated ones do: failure rate against the same property, on one axis (method section
// 10b).

#include <faultline/analysis/describe/response_curve.hpp>
#include <faultline/analysis/problem/labelled_table.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Compares the failure rates of generated and of real images along one property.
///
/// **Shapes**: values and outcomes of each set, `[N]` and `[M]`; take the samples of one class alone where a cause is
/// one class's. **Formula**: `common_response_edges`: every bin has at least `binning.least` samples of either set, so
/// that sets which overlap little have few bins; intervals hold together over the bins of each curve.
/// Levels need not agree, as a set of real images has a mix of its own; the order of the bins should.
/// **Throws** as `response_curve`, and `empty_input` for a set without samples.
/// Example: `check_on_real_images("blur", blur, failed, photo_blur, photo_failed).rank_correlation`
[[nodiscard]] RealImageCheck check_on_real_images(const std::string& property, std::span<const double> generated,
                                                  std::span<const std::uint8_t> generated_failed,
                                                  std::span<const double> real,
                                                  std::span<const std::uint8_t> real_failed,
                                                  const ResponseBinning& binning = {});

/// The same for several properties of a generated population and of a table of real images, found by their names.
///
/// **Shapes**: names `[P]`, generated `[N, P]` with a column for each name, failed `[N]`; valid `[N]`, 0 for samples
/// that are left out, or empty: all count. The units are the table's.
/// **Throws** `shape_mismatch`; `invalid_argument` for a property that the table has not; what `check_table` throws.
/// Example: `check_on_real_images(problem.property_names, p.properties, p.failed, p.valid, photos)`
[[nodiscard]] std::vector<RealImageCheck> check_on_real_images(
    std::span<const std::string> names, const Matrix<float>& generated, std::span<const std::uint8_t> failed,
    std::span<const std::uint8_t> valid, const LabelledTable& real, const ResponseBinning& binning = {});

/// Every property of every cause of a report on real images: among the valid samples of both splits, and in the one
/// class where the cause is one class's. `difference` is filled where images flip within the common bins, `predicted`
/// where real images have all properties of all causes.
///
/// **Throws** as above. **Cost**: N + M values sorted per property.
/// Example: `report.real_images = check_causes(report, analyzer.problem(), photos);`
[[nodiscard]] std::vector<RealImageCheck> check_causes(const FailureReport& report, const Problem& problem,
                                                       const LabelledTable& real, const ResponseBinning& binning = {});

}  // namespace analysis

using analysis::check_causes;
using analysis::check_on_real_images;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/real_image_check_impl.hpp>
#endif
