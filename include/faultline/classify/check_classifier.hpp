// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The laws of Classifier, checked at run time on a user's own type and images.

#include <faultline/classify/guarded_call.hpp>
#include <faultline/classify/validate_scores.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {

/// How much scores may differ before a law counts as broken. Logits are compared relative to the largest in their row,
/// which shows what saturated probabilities hide.
struct LawOptions {
  /// Of probabilities, between two calls with the same batch; devices differ by rounding
  double repeat_tolerance = 1e-4;
  /// Of probabilities, between batches that hold the image in other company or at another place
  double row_tolerance = 1e-3;
  double logit_tolerance = 1e-3;  ///< of logits, between two calls with the same batch
  /// Of logits, between batches; networks of reduced precision come near it
  double row_logit_tolerance = 0.02;
  /// By how much declared probabilities may miss [0, 1] and a sum of 1
  double probability_tolerance = classify::default_probability_tolerance;
  /// Every call gets so many images, filled up with copies; 0: as many as there are, and single ones
  std::int64_t batch_size = 0;
};

/// What `check_classifier` found. Differences are the largest over images and classes, of probabilities.
struct LawReport {
  bool deterministic = true;  ///< the same batch twice gives the same scores
  /// An image alone, in its batch and in the reversed batch gives the same scores
  bool row_independent = true;
  bool input_untouched = true;  ///< the pixels are as they were
  double repeat_difference = 0.0;
  double row_difference = 0.0;
  std::int64_t row = -1;    ///< first image that breaks a law, -1 if none
  std::string explanation;  ///< one sentence per broken law; empty when lawful

  [[nodiscard]] bool lawful() const noexcept { return deterministic && row_independent && input_untouched; }
};

namespace classify {

/// Scores of one call, and the probabilities that they mean.
struct CheckedScores {
  ScoreMatrix scores;
  Matrix<float> probabilities;
};

/// One checked call; reports a write to the input in `report`.
template <Classifier C>
CheckedScores lawful_call(C& classifier, ImageView images, LawReport& report, double probability_tolerance) {
  ImageBatch copy(images.count(), images.shape());
  const auto size = static_cast<std::size_t>(images.count() * images.shape().elements());
  std::copy_n(images.data(), size, copy.data());
  ScoreMatrix scores;
  const auto name = [](std::int64_t i) { return "image " + std::to_string(i); };
  call_user(
      "check_classifier", [&] { classifier.score(copy.view(), scores); },
      [&] { return std::to_string(images.count()) + " images"; });
  if (std::memcmp(images.data(), copy.data(), size * sizeof(float)) != 0) report.input_untouched = false;
  validate_scores(scores, images.count(), classifier.num_classes(), classifier.score_kind(), images.count(),
                  "check_classifier", name, probability_tolerance);
  Matrix<float> probabilities(scores.rows(), scores.cols());
  for (std::int64_t i = 0; i < scores.rows(); ++i)
    to_probabilities(scores.row_span(i), classifier.score_kind(), probabilities.row_span(i));
  return {std::move(scores), std::move(probabilities)};
}

/// Difference of two rows of logits relative to the larger of 1 and the largest of them.
double relative_difference(std::span<const float> a, std::span<const float> b);

double largest_difference(std::span<const float> a, std::span<const float> b);

}  // namespace classify

/// Tries a classifier on images as it wants to see them (prepared by its `InputSpec`), `[N, C, H, W]`, best 8 to 64
/// different ones.
///
/// Scores the batch twice, then reversed, then images alone. With `batch_size` every call has that many images: the
/// images are at the beginning, then reversed at the end, then some of them fill a batch by themselves; images beyond
/// the batch are left out. Finds dropout left on, batch norm in training mode, scores that depend on the place in the
/// batch, writes to the input. It cannot find a reference kept past the call.
/// **Throws** empty_input without images, and every F2xx error that scoring can raise.
/// **Cost**: N + 3 classifier calls; with `batch_size` 7 of that size.
/// Example: `LawReport laws = check_classifier(mine, prepare_images(raw, range, mine.input_spec())); if
/// (!laws.lawful()) complain(laws.explanation);`
template <Classifier C>
[[nodiscard]] LawReport check_classifier(C& classifier, ImageView images, LawOptions options = {}) {
  if (images.count() < 1) throw Error(ErrorCode::empty_input, "check_classifier", "expected at least one image");
  LawReport report;
  const bool fixed = options.batch_size > 0;
  const std::int64_t count = fixed ? std::min(images.count(), options.batch_size) : images.count();
  const std::int64_t size = fixed ? options.batch_size : count;
  // One call with image `at(p)` at place p of a batch of `places`.
  const auto call = [&](std::int64_t places, const auto& at) {
    ImageBatch batch(places, images.shape());
    for (std::int64_t p = 0; p < places; ++p) std::ranges::copy(images.image(at(p)), batch.image(p).begin());
    return classify::lawful_call(classifier, batch.view(), report, options.probability_tolerance);
  };
  const auto in_order = [&](std::int64_t p) { return std::min(p, count - 1); };
  const classify::CheckedScores once = call(size, in_order), again = call(size, in_order);
  const bool logits = classifier.score_kind() == Scores::logits;
  const auto compare = [&](std::int64_t i, const classify::CheckedScores& other, std::int64_t place, double tolerance,
                           double logit_tolerance, double& largest, bool& law) {
    const double difference =
        classify::largest_difference(once.probabilities.row_span(i), other.probabilities.row_span(place));
    const bool far = logits && classify::relative_difference(once.scores.row_span(i), other.scores.row_span(place)) >
                                   logit_tolerance;
    largest = std::max(largest, difference);
    if (difference <= tolerance && !far) return;
    law = false;
    if (report.row < 0) report.row = i;
  };
  for (std::int64_t i = 0; i < count; ++i)
    compare(i, again, i, options.repeat_tolerance, options.logit_tolerance, report.repeat_difference,
            report.deterministic);

  const auto elsewhere = [&](std::int64_t i, const classify::CheckedScores& other, std::int64_t place) {
    compare(i, other, place, options.row_tolerance, options.row_logit_tolerance, report.row_difference,
            report.row_independent);
  };
  const classify::CheckedScores backwards =
      call(size, [&](std::int64_t p) { return p < size - count ? p % count : size - 1 - p; });
  for (std::int64_t i = 0; i < count; ++i) elsewhere(i, backwards, size - 1 - i);
  // a whole batch of one image is costly: four of them
  const std::int64_t step = fixed ? std::max<std::int64_t>(1, (count + 3) / 4) : 1;
  for (std::int64_t i = 0; i < count; i += step) {
    const classify::CheckedScores alone = call(fixed ? size : 1, [&](std::int64_t) { return i; });
    elsewhere(i, alone, 0);
    elsewhere(i, alone, fixed ? size - 1 : 0);
  }
  if (!report.deterministic) {
    report.explanation += "The same batch gives different scores each time (probabilities differ by up to " +
                          core::range_text(report.repeat_difference) + "): ";
    report.explanation += report.repeat_difference < 1e-3
                              ? "is dropout on, or does it run on kernels that are not deterministic? "
                              : "is dropout on, or the model in training mode? ";
  }
  if (!report.row_independent)
    report.explanation +=
        "The scores of an image depend on the other images of its batch or on its place there (probabilities differ by "
        "up to " +
        core::range_text(report.row_difference) + "): is a batch norm in training mode? ";
  if (!report.input_untouched)
    report.explanation += "The classifier writes to the images it is given: let it work on a copy. ";
  if (!report.explanation.empty()) report.explanation.pop_back();
  return report;
}

/// `check_classifier`, with a broken law thrown as classifier_unlawful.
template <Classifier C>
void require_lawful(C& classifier, ImageView images, LawOptions options = {}) {
  const LawReport report = check_classifier(classifier, images, options);
  if (report.lawful()) return;
  std::string message = report.explanation;
  if (report.row >= 0)
    message += " First seen at image " + std::to_string(report.row) + " of " + std::to_string(images.count()) + ".";
  throw Error(ErrorCode::classifier_unlawful, "check_classifier", message);
}

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/classify/detail/check_classifier_impl.hpp>
#endif
