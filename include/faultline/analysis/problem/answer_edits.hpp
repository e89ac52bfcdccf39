// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Edited latents and what is wanted of them in, answers out: the one way in which an analysis looks at an edit, for one
// classifier or several.

#include <faultline/analysis/problem/edit.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What is wanted beside each classifier's answer.
struct WantedAnswers {
  bool properties = false;  ///< measure image properties
  bool judge = false;       ///< ask the judge, when there is one
  bool images = false;      ///< return the images, in [0, 1], full size
  bool alone = false;       ///< hand the images to the classifiers one by one
  /// Positions of the classifiers that are asked, in the order of the answers; empty: all of them
  std::vector<std::size_t> classifiers = {};
  /// With random noise, row i of a batch takes the noise of sample `noise_first` + i
  std::int64_t noise_first = 0;
};

/// What one classifier says to each edit, in their order.
struct ClassifierAnswers {
  std::vector<std::uint8_t> failed;
  std::vector<std::int64_t> prediction;
  std::vector<float> probability;  ///< p(y)
  std::vector<float> log_odds;     ///< log p(y) / (1 - p(y)), clipped to +-20
};

/// What became of each edit: made once, whoever is asked about it.
struct EditAnswers {
  std::vector<ClassifierAnswers> classifiers;  ///< one per classifier asked
  std::vector<std::uint8_t> judge_agrees;      ///< empty unless asked for and there is a judge
  Matrix<float> properties;                    ///< [N, P] when asked for
  ImageBatch images;                           ///< when asked for

  /// The answers of the first classifier asked: of the only one, where there is one.
  [[nodiscard]] const ClassifierAnswers& first() const { return classifiers.front(); }
};

/// Synthesises edited latents, in fixed padded batches whatever each of them edits, and has them classified. Any number
/// of them. Styles, and images for classifiers that take them there, stay on the generator's device.
using AnswerEdits = std::function<EditAnswers(std::span<const EditedLatent> edits, const WantedAnswers& wanted)>;

/// Images that are held at a time.
inline constexpr std::size_t answer_block = 256;

/// The answers block by block, for requests with so many images that they are not to be held together: calls
/// `sink(first, answers)` with the answers to the edits from position `first` on.
template <class Sink>
void answer_in_blocks(const AnswerEdits& answer, std::span<const EditedLatent> edits, const WantedAnswers& wanted,
                      const Sink& sink) {
  for (std::size_t first = 0; first < edits.size(); first += answer_block)
    sink(first, answer(edits.subspan(first, std::min(answer_block, edits.size() - first)), wanted));
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
