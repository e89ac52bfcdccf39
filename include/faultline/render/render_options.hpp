// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a user may choose about sheets and page.

#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/core/progress.hpp>

#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

/// Options of `DirectionRenderer`. How samples are drawn again, and in which batches, the report says.
struct RenderOptions {
  std::int64_t columns = 10;       ///< of the degradation grids; few findings get several start latents each
  std::int64_t examples = 6;       ///< start latents (rows) on the sheet of one finding
  std::int64_t failures = 24;      ///< images on the sheet of plain failures; 0 leaves it out
  std::int64_t image_pixels = 96;  ///< longer side of an image on a sheet, about
  std::string title = {};          ///< of the page; empty: "Failure conditions of <classifier>"
  /// The criterion of the report where it is one of your own; the shipped ones follow from the report.
  CriterionFunction criterion = nullptr;
  ProgressCallback progress = nullptr;
};

}  // namespace render

using render::RenderOptions;

}  // namespace v1
}  // namespace faultline
