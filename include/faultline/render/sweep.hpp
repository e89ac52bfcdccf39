// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Images along one cause as the page's slider shows them: precomputed, one frame for each position.

#include <faultline/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// One image of a sweep.
struct SweepImage {
  std::vector<std::byte> png;  ///< about 64 pixels a side
  double probability = 0.0;    ///< p(y) of the start latent's label
  std::int64_t prediction = 0;
  bool failed = false;
  std::optional<double> property = std::nullopt;  ///< as measured on it; empty where none is shown
};

/// Start latents moved along one cause, the same ones in every frame.
struct Sweep {
  std::string name;         ///< of the section that it belongs to: "finding-1"
  std::int64_t height = 0;  ///< of every image, in pixels
  std::int64_t width = 0;
  std::string property = {};  ///< that is shown; empty for none
  std::string unit = {};
  std::vector<double> shifts;                   ///< of the frames, in standard deviations, ascending
  std::vector<std::int64_t> labels;             ///< of the start latents
  std::vector<std::vector<SweepImage>> frames;  ///< `[shifts][labels]`
};

}  // namespace render
}  // namespace v1
}  // namespace faultline
