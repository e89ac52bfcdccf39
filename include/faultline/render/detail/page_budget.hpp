// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a page carries inside itself and what lies beside it, so that it can be mailed and opens at once.

#include <faultline/render/report_picture.hpp>
#include <faultline/render/sweep.hpp>

#include <cstddef>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// The largest page that is written, in bytes, as far as pictures decide it.
inline constexpr std::size_t page_bytes = 5'000'000;

/// What pictures and sweeps add to a page, in bytes, from above by some percent.
[[nodiscard]] std::size_t embedded_bytes(const std::vector<ReportPicture>& pictures, const std::vector<Sweep>& sweeps);

/// Takes out of the page what its reader misses least, until pictures and sweeps fit into `budget` bytes. The causes
/// are in the order of what they explain, so the last ones lose first: their sheets by class (linked instead of
/// embedded), every second frame of the sliders, the sheets, and the sliders.
void fit_page(std::vector<ReportPicture>& pictures, std::vector<Sweep>& sweeps, std::size_t budget);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/page_budget_impl.hpp>
#endif
