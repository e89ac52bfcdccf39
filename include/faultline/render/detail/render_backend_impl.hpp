// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/detail/render_backend.hpp.

#include <faultline/render/detail/render_backend.hpp>
#include <faultline/render/canvas.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

FAULTLINE_INLINE std::vector<RenderedSample> render_samples(const RenderBackend& backend,
                                                            std::span<const EditedSample> samples,
                                                            std::int64_t pixels) {
  const std::vector<analysis::EditedLatent> edited = backend.latents(samples);
  std::vector<RenderedSample> result;
  const auto batch = static_cast<std::size_t>(backend.batch_size);
  for (std::size_t first = 0; first < samples.size(); first += batch) {
    const std::size_t count = std::min(batch, samples.size() - first);
    const auto own = samples.subspan(first, count);
    bool consecutive = true;
    for (std::size_t i = 0; i < count; ++i) consecutive &= own[i].index == own[0].index + static_cast<std::int64_t>(i);
    const analysis::EditAnswers answers = backend.answer(
        std::span(edited).subspan(first, count),
        {.properties = !backend.property_names.empty(), .images = true, .noise_first = consecutive ? own[0].index : 0});
    const analysis::ClassifierAnswers& said = answers.first();
    for (std::size_t i = 0; i < count; ++i) {
      const auto row = static_cast<std::int64_t>(i);
      RenderedSample& sample = result.emplace_back();
      sample = {to_picture(answers.images.image(row), answers.images.shape(), pixels),
                static_cast<double>(said.probability[i]), said.prediction[i], said.failed[i] != 0};
      if (answers.properties.rows() > row)
        sample.properties.assign(answers.properties.row_span(row).begin(), answers.properties.row_span(row).end());
    }
  }
  return result;
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
