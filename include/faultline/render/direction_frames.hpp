// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The images along one direction as values, for programs that show or measure them themselves.

#include <faultline/analysis/report.hpp>
#include <faultline/core/image.hpp>
#include <faultline/render/detail/render_backend.hpp>

#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// Which frames `DirectionRenderer::frames` makes.
struct FrameOptions {
  std::int64_t example = 0;         ///< position of the start latent among the finding's examples
  std::vector<double> shifts = {};  ///< in standard deviations; empty: those of the finding's sheet
};

/// One image along a direction, and what the classifier says to it.
struct DirectionFrame {
  double shift = 0.0;           ///< standard deviations from the start latent; failure lies at positive ones
  ImageBatch image = {};        ///< `[1, C, H, W]` in [0, 1]
  double probability = 0.0;     ///< p(y) of the start latent's label
  double log_odds = 0.0;        ///< log p(y) / (1 - p(y)), clipped to +-20
  std::int64_t prediction = 0;  ///< class with the highest probability
  bool failed = false;          ///< by the report's criterion
};

namespace detail {

[[nodiscard]] std::vector<DirectionFrame> frames_along(const RenderBackend& backend, const Finding& finding,
                                                       const FrameOptions& options);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/direction_frames_impl.hpp>
#endif
