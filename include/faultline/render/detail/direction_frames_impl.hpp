// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/direction_frames.hpp.

#include <faultline/render/direction_frames.hpp>

#include <faultline/error.hpp>
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

namespace detail {

FAULTLINE_INLINE std::vector<DirectionFrame> frames_along(const RenderBackend& backend, const Finding& finding,
                                                          const FrameOptions& options) {
  constexpr const char* where = "DirectionRenderer::frames";
  if (options.example < 0 || options.example >= static_cast<std::int64_t>(finding.examples.size()))
    throw Error(ErrorCode::invalid_argument, where,
                "the finding \"" + finding.title + "\" lists " + std::to_string(finding.examples.size()) +
                    " examples, asked for number " + std::to_string(options.example));
  if (finding.direction.w.empty())
    throw Error(
        ErrorCode::invalid_argument, where,
        "the condition \"" + finding.title + "\" has no direction: it is minor, or the generator does not move it");
  const analysis::ExampleLatent& start = finding.examples[static_cast<std::size_t>(options.example)];
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
