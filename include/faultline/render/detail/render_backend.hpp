// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What drawing needs of generator and classifier, behind callbacks, so that sheets are tested without either.

#include <faultline/analysis/problem/answer_edits.hpp>
#include <faultline/analysis/problem/edit.hpp>
#include <faultline/data/png.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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
  std::vector<float> properties = {};  ///< those of the backend, measured on the image
};

struct RenderBackend {
  std::int64_t batch_size = 64;
  /// Labels of samples first .. first + count - 1
  std::function<std::vector<std::int64_t>(std::int64_t first, std::int64_t count)> labels;
  /// Start latents of these samples, in their order, which live as long as the backend
  std::function<std::vector<analysis::StartLatent>(std::span<const EditedSample>)> starts;
  analysis::AnswerEdits answer;
  std::shared_ptr<const void> owner = nullptr;   ///< of what the functions use
  std::vector<std::string> property_names = {};  ///< that it can measure

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
[[nodiscard]] std::vector<RenderedSample> render_samples(const RenderBackend& backend,
                                                         std::span<const EditedSample> samples, std::int64_t pixels);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/render_backend_impl.hpp>
#endif
