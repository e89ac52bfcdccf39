// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Charts of a report: drawings, to be put into a page as SVG or written by `write_drawing`. Where a report has nothing
// to be drawn there is no chart: "empty" below.

#include <faultline/analysis/report.hpp>
#include <faultline/render/drawing.hpp>

#include <optional>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

/// Mean p(y), share of failures and judge agreement against the edit along a finding, from `Finding::profile`; the
/// median distance to failure is marked with its interval. Empty when the finding has no profile.
[[nodiscard]] std::optional<Drawing> confidence_chart(const FailureReport& report, const Finding& finding);

/// Where failures (MIS) and successes (WELL) lie along a finding, as shares of each group (the paper's figure 4), from
/// `Finding::histogram`. Empty without one.
[[nodiscard]] std::optional<Drawing> histogram_chart(const FailureReport& report, const Finding& finding);

/// How strongly each image property follows the finding, with the ±.5 that a name needs. Empty when nothing was
/// measured.
[[nodiscard]] std::optional<Drawing> side_effect_chart(const FailureReport& report, const Finding& finding);

/// Mean of the property that follows the finding most, against the edit along it. Empty when there is no profile of it.
[[nodiscard]] std::optional<Drawing> property_chart(const FailureReport& report, const Finding& finding);

/// Distances to failure of all findings, with intervals of the median and quartiles, and of their first carriers alone.
/// Empty without findings.
[[nodiscard]] std::optional<Drawing> distance_chart(const FailureReport& report);

/// The share of the failures that would not occur with each cause at its usual level, and with all of them, with
/// intervals. Empty without causes.
[[nodiscard]] std::optional<Drawing> attributable_chart(const FailureReport& report);

/// What moving each condition did to the failure rate, with bounds, what counts as an effect, and random directions:
/// causes first, then what is undecided or does nothing. Empty when nothing was moved.
[[nodiscard]] std::optional<Drawing> intervention_chart(const FailureReport& report);

/// Failure rate of every class (of the fifty worst when there are more) with its interval. Empty without class rates.
[[nodiscard]] std::optional<Drawing> class_chart(const FailureReport& report);

/// Failure rate against a property as samples fall, with simultaneous intervals; where the flip lies is marked when
/// `flip` is given. `what` names the rate: "failure rate", "share not valid". Empty without bins.
[[nodiscard]] std::optional<Drawing> response_chart(const analysis::ResponseCurve& curve, const std::string& what,
                                                    const std::optional<analysis::PropertyAtFlip>& flip = std::nullopt);

/// The same for a curve of a finding: with the flips of either end that fails, and its class by name.
[[nodiscard]] std::optional<Drawing> response_chart(const FailureReport& report, const Finding& finding,
                                                    const analysis::ResponseCurve& curve, const std::string& what);

/// Where images flip along a finding, in the property of a curve, where that was measured.
[[nodiscard]] std::optional<analysis::PropertyAtFlip> flip_of(const Finding& finding,
                                                              const analysis::ResponseCurve& curve);

/// Failure rate in cells of two properties, with 95 % intervals where there is room; cells with fewer than 20 samples
/// stay blank. Empty without cells, for more than 40 in a row, and when tables and edges do not fit together.
[[nodiscard]] std::optional<Drawing> property_map_chart(const analysis::InteractionFinding& interaction);

/// Failure rates of generated and of real images against one property, on one axis, with intervals; the flip of a cause
/// is marked. Empty without bins.
[[nodiscard]] std::optional<Drawing> real_image_chart(const analysis::RealImageCheck& check);

}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/charts_impl.hpp>
#include <faultline/render/detail/overview_charts_impl.hpp>
#include <faultline/render/detail/response_charts_impl.hpp>
#endif
