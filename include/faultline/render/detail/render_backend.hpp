// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What drawing needs of generator and classifier, behind callbacks, so that sheets are tested without either.

#include <faultline/analysis/problem/answer_edits.hpp>
#include <faultline/data/png.hpp>
#include <faultline/render/canvas.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// A sample of the report's seed, and what is done to its latent.
struct EditedSample {
  std::int64_t index = 0;
  std::int64_t label = 0;
  Edit edit = {};
};

/// Its image and what the classifier said.
struct RenderedSample {
  Picture picture;
  double probability = 0.0;
  std::int64_t prediction = 0;
  bool failed = false;
};

struct RenderBackend {
  std::int64_t batch_size = 64;
  /// Labels of samples first .. first + count - 1
  std::function<std::vector<std::int64_t>(std::int64_t first, std::int64_t count)> labels;
  /// Start latents of these samples, in their order, which live as long as the backend
  std::function<std::vector<analysis::StartLatent>(std::span<const EditedSample>)> starts;
  analysis::AnswerEdits answer;

  [[nodiscard]] std::vector<analysis::EditedLatent> latents(std::span<const EditedSample> samples) const {
    const std::vector<analysis::StartLatent> own = starts(samples);
    std::vector<analysis::EditedLatent> edited;
    for (std::size_t i = 0; i < samples.size(); ++i) edited.push_back({own[i], samples[i].edit});
    return edited;
  }
};

/// Pictures of edited samples, about `pixels` large, and the answers to them.
///
/// Consecutive samples as they are get their own random noise; others share the noise of their row, so that one edit
/// differs from the next by the edit alone.
[[nodiscard]] inline std::vector<RenderedSample> render_samples(const RenderBackend& backend,
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
        std::span(edited).subspan(first, count), {.images = true, .noise_first = consecutive ? own[0].index : 0});
    const analysis::ClassifierAnswers& said = answers.first();
    for (std::size_t i = 0; i < count; ++i)
      result.push_back({to_picture(answers.images.image(static_cast<std::int64_t>(i)), answers.images.shape(), pixels),
                        static_cast<double>(said.probability[i]), said.prediction[i], said.failed[i] != 0});
  }
  return result;
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
