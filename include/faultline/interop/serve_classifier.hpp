// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The other end of a ChildProcessClassifier: a program that answers frames of images with frames of scores.

#include <faultline/concepts/classifier.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace faultline {
inline namespace v1 {

namespace detail {

/// `serve_classifier` for one that is known by its calls.
void serve_frames(std::int64_t classes, Scores scores, const std::string& digest,
                  const std::function<void(ImageView, ScoreMatrix&)>& score, int input, int output);

}  // namespace detail

/// Says hello on `output`, then answers every batch that comes on `input` until that ends: the protocol of
/// docs/how-to/child_process.md, from the child's side. Returns at the end of `input`.
///
/// The classifier is asked in batches as they come, and sees the values that the other side sends, which its own
/// `input_spec()` does not change. `input` and `output` are descriptors, by default of standard input and output, to
/// which nothing else may then write. **Throws** scores_undeclared; malformed_header for frames that are none,
/// truncated where `input` ends within one, cannot_write; wrong_score_shape for scores of another shape than the
/// batch's; what the classifier throws.
/// Example: `int main() { auto mine = make_classifier(function, options); serve_classifier(mine); }`
template <Classifier C>
void serve_classifier(C& classifier, int input = 0, int output = 1) {
  detail::serve_frames(
      classifier.num_classes(), classifier.score_kind(), digest_of(classifier).value_or(std::string()),
      [&](ImageView images, ScoreMatrix& scores) { classifier.score(images, scores); }, input, output);
}

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/interop/detail/serve_classifier_impl.hpp>
#endif
