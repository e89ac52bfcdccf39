// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Real labelled images and what a classifier says of them become the table that an analysis without a generator starts
// from.

#include <faultline/analysis/problem/labelled_table.hpp>
#include <faultline/analysis/problem/property.hpp>
#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/classify/validate_scores.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/core/progress.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/data/labelled_images.hpp>
#include <faultline/data/score_table.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How labelled images are measured.
struct LabelledImageOptions {
  std::vector<Property> properties = default_properties();
  /// What is done to the images first, image i by index i. The padding makes them as large as a generator's where its
  /// properties are to be compared with theirs: 2 for MNIST beside 32x32
  CorruptionOptions corruption = {.mix = CorruptionMix::none, .padding = 0};
  /// 0: each image once. Less than there are: so many, drawn at random by the seed of `corruption`. More, with a mix:
  /// further corrupted versions of the same images, each image a group
  std::int64_t samples = 0;
  /// How images of another size are made to fit the classifier, in place of what its `InputSpec` says
  std::optional<Fit> fit = std::nullopt;
  std::int64_t batch_size = 64;  ///< images of a classifier call, the last call padded
  /// By how much declared probabilities may miss [0, 1] and a sum of 1, in [0, 0.1]
  double probability_tolerance = classify::default_probability_tolerance;
  ProgressCallback progress = nullptr;
};

/// `measure_labelled_images` without its types.
[[nodiscard]] LabelledTable measure_with_classifier(const LabelledImages& images, AnyClassifier classifier,
                                                    const classify::AnyCriterion& criterion,
                                                    const LabelledImageOptions& options);
/// `measure_labelled_images` without its types.
[[nodiscard]] LabelledTable measure_with_scores(const LabelledImages& images, const ScoreTable& scores,
                                                const classify::AnyCriterion& criterion,
                                                const LabelledImageOptions& options);

/// One row per image: its properties, the classifier's answer and what the criterion says of it.
///
/// Images go to the classifier in batches of one size, prepared as its `InputSpec` says, after the preflight that a
/// characterisation makes (`sampling::check_answers`). Properties are measured on the padded and corrupted images in
/// [0, 1], before they are cut for the classifier. A centre crop may take up to half of a side; where the images are
/// larger than that, ask for `fit = Fit::resize` or load them at another resolution.
/// **Randomness**: corruptions as `make_corrupted_image`; a subset by (seed, stream 7 `Stream::splits`, index 2^42).
/// **Throws** `inconsistent_files` for images without labels; `incompatible_models` for a classifier of fewer classes
/// and for images whose size or channels do not fit its input; `invalid_argument` for options outside their range and
/// for more samples than images without a mix; every F2xx error of scoring; `property_threw`, which names the image.
/// **Cost**: N + 16 images classified and 8 batches more, N x P measures; beside the table the memory of eight batches.
/// Example: `LabelledTable table = measure_labelled_images(load_labelled_images("photos"), mine);`
template <Classifier C, FailureCriterion F = Misclassified>
[[nodiscard]] LabelledTable measure_labelled_images(const LabelledImages& images, C& classifier,
                                                    const F& criterion = {}, const LabelledImageOptions& options = {}) {
  return measure_with_classifier(images, AnyClassifier::borrow(classifier), classify::AnyCriterion::borrow(criterion),
                                 options);
}

/// The same with scores that were written down elsewhere, for the images as they are: with a mix other than none
/// refused as `invalid_argument`.
///
/// **Throws** what `match_scores` throws, too. Labels may be in the table alone.
/// Example: `measure_labelled_images(images, read_score_table("scores.csv", {.scores = Scores::logits}))`
template <FailureCriterion F = Misclassified>
[[nodiscard]] LabelledTable measure_labelled_images(const LabelledImages& images, const ScoreTable& scores,
                                                    const F& criterion = {}, const LabelledImageOptions& options = {}) {
  return measure_with_scores(images, scores, classify::AnyCriterion::borrow(criterion), options);
}

}  // namespace analysis

using analysis::LabelledImageOptions;
using analysis::measure_labelled_images;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/properties/detail/measure_labelled_images_impl.hpp>
#endif
