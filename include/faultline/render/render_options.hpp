// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a user may choose about sheets and page.

#include <faultline/core/progress.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {

/// Options of `DirectionRenderer`.
struct RenderOptions {
  std::int64_t columns = 10;       ///< of the degradation grids; few findings get several start codes each
  std::int64_t examples = 6;       ///< start codes (rows) on the sheet of one finding
  std::int64_t failures = 24;      ///< images on the sheet of plain failures; 0 leaves it out
  std::int64_t image_pixels = 96;  ///< longer side of an image on a sheet, about
  std::int64_t batch_size = 64;    ///< fixed padded batch of generator and classifier
  std::string title = {};          ///< of the page; empty: "Failure conditions of <classifier>"
  std::string command = {};        ///< the command line that repeats the run; empty: the call that does
  /// The report's criterion: what counts as a failure, given class probabilities and label. Empty: the most probable class is not the label.
  std::function<bool(std::span<const float> probabilities, std::int64_t label)> criterion = nullptr;
  ProgressCallback progress = nullptr;
};

}  // namespace v1
}  // namespace faultline
