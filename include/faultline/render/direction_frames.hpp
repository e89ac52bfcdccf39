// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The images along one direction as values, for programs that show or measure them themselves.

#include <faultline/analysis/report.hpp>
#include <faultline/core/image.hpp>
#include <faultline/error.hpp>
#include <faultline/render/detail/render_backend.hpp>
#include <faultline/render/detail/sheet_choices.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
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

[[nodiscard]] inline std::vector<DirectionFrame> frames_along(const RenderBackend& backend, const Finding& finding,
                                                              const FrameOptions& options) {
  constexpr const char* where = "DirectionRenderer::frames";
  if (options.example < 0 || options.example >= static_cast<std::int64_t>(finding.examples.size()))
    throw Error(ErrorCode::invalid_argument, where,
                "the finding \"" + finding.direction.name + "\" lists " + std::to_string(finding.examples.size()) +
                    " examples, asked for number " + std::to_string(options.example));
  const analysis::ExampleCode& start = finding.examples[static_cast<std::size_t>(options.example)];
  const std::vector<double> shifts = options.shifts.empty() ? sheet_shifts(finding) : options.shifts;
  const Edit edit = Edit::in_w(finding.direction.w);
  std::vector<EditedSample> samples;
  for (const double shift : shifts) {
    if (!std::isfinite(shift)) throw Error(ErrorCode::invalid_argument, where, "shifts must be finite");
    samples.push_back({start.index, start.label, edit.at(shift)});
  }
  const analysis::EditAnswers answers = backend.answer(backend.latents(samples), {.images = true});
  std::vector<DirectionFrame> frames;
  for (std::size_t i = 0; i < shifts.size(); ++i) {
    ImageBatch image(1, answers.images.shape());
    const auto pixels = answers.images.image(static_cast<std::int64_t>(i));
    std::copy(pixels.begin(), pixels.end(), image.image(0).begin());
    const analysis::ClassifierAnswers& said = answers.first();
    frames.push_back({shifts[i], std::move(image), static_cast<double>(said.probability[i]),
                      static_cast<double>(said.log_odds[i]), said.prediction[i], said.failed[i] != 0});
  }
  return frames;
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
