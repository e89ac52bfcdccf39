// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which images the sheets of a report show. Knows neither generator nor classifier, only what answers for them.

#include <faultline/analysis/report.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/data/png.hpp>
#include <faultline/render/detail/render_backend.hpp>
#include <faultline/render/render_options.hpp>
#include <faultline/render/sheet.hpp>
#include <faultline/render/sweep.hpp>

#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// A finished sheet.
struct NamedSheet {
  std::string name;  ///< of the file, without folder and extension
  std::string alt;   ///< in words, for readers who do not see it
  Picture picture;
};

/// The criterion that sheets mark by: the one given, else the shipped one that the report names; nothing where the
/// report names one of the caller's own.
std::optional<CriterionFunction> report_criterion(const FailureReport& report, const RenderOptions& options);

/// Said on every sheet when its marks cannot follow the report's criterion, because only the caller knows it.
std::string criterion_note(const FailureReport& report, const RenderOptions& options);

inline constexpr double grid_shares[] = {0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5};

/// A column of a degradation grid: a start latent, its edit, and the amount that 100 % stands for.
struct GridColumn {
  SheetColumn heading;
  EditedSample sample;
  double reference = 0.0;
};

/// Figure 5 along the causes; empty when none of them has a start latent and a direction.
std::optional<NamedSheet> findings_grid(const FailureReport& report, const RenderBackend& backend,
                                        const RenderOptions& options);

/// Where the edit of each column first makes its start latent fail, searched as distances to failure are; empty when it
/// never does.
std::vector<std::optional<double>> flips_of(const std::vector<GridColumn>& columns, const RenderBackend& backend);

/// Figure 5 as the paper has it: single style channels of the pooled ranking, here all from one start latent so that
/// columns compare.
std::optional<NamedSheet> paper_grid(const FailureReport& report, const RenderBackend& backend,
                                     const RenderOptions& options);

/// Start latents edited along one finding, a row each; empty when there are none, and for a condition without a
/// direction.
std::optional<Sheet> sheet_along(const FailureReport& report, const RenderBackend& backend,
                                 const RenderOptions& options, const Finding& finding,
                                 const std::vector<analysis::ExampleLatent>& starts, bool by_class);

NamedSheet drawn(const FailureReport& report, const Finding& finding, const Sheet& sheet, const std::string& name,
                 const std::string& rows);

/// One start latent per class along one finding; none for a direction of one class, when fewer than two classes have
/// start latents, and without `options.examples`.
std::optional<NamedSheet> class_sheet(const FailureReport& report, const RenderBackend& backend,
                                      const RenderOptions& options, const Finding& finding, const std::string& name);

/// The first failures of the confirmation split as they are, among at most 16 batches.
std::optional<NamedSheet> failures_sheet(const FailureReport& report, const RenderBackend& backend,
                                         const RenderOptions& options);

/// What the sliders of the page show: for every cause with a direction and examples a frame for each of up to 25 shifts
/// over the range of its sheet.
std::vector<Sweep> make_sweeps(const FailureReport& report, const RenderBackend& backend, const RenderOptions& options);

/// All sheets of a report, in the order of the page.
std::vector<NamedSheet> draw_sheets(const FailureReport& report, const RenderBackend& backend,
                                    const RenderOptions& options);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/report_sheets_impl.hpp>
#endif
