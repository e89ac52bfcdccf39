// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Scorer: generated images in, judged probabilities out. The one place where a user's classifier is called.

#include <faultline/classify/guarded_call.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/classify/validate_scores.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/resident_classifier.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/ranges.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {

/// What a classifier said about N images. `probability`, `margin` and `log_odds` are of each image's label.
struct ScoredImages {
  Matrix<float> probabilities;           ///< [N, K], softmax of logits or the declared probabilities
  std::vector<std::int64_t> prediction;  ///< class with the highest probability, the first among equals
  std::vector<float> probability;        ///< p(y)
  std::vector<float> margin;             ///< p(y) minus the largest other probability
  std::vector<float> log_odds;           ///< log p(y) / (1 - p(y)) from the scores in double, clipped to +-20
};

/// Room for the answers to so many images.
[[nodiscard]] inline ScoredImages room_for_scores(std::int64_t count, std::int64_t classes) {
  ScoredImages result;
  result.probabilities.resize(count, classes);
  result.prediction.resize(static_cast<std::size_t>(count));
  result.probability.resize(static_cast<std::size_t>(count));
  result.margin.resize(static_cast<std::size_t>(count));
  result.log_odds.resize(static_cast<std::size_t>(count));
  return result;
}

/// Fills row i of `result` with what these scores, which are valid, mean for an image of that label.
inline void judge_scores(std::span<const float> scores, Scores kind, std::int64_t label, std::int64_t i,
                         ScoredImages& result) {
  const std::span<float> p = result.probabilities.row_span(i);
  to_probabilities(scores, kind, p);
  const auto at = static_cast<std::size_t>(i);
  result.prediction[at] = std::max_element(p.begin(), p.end()) - p.begin();
  const float own = p[static_cast<std::size_t>(label)];
  float other = 0.0f;
  for (std::size_t k = 0; k < p.size(); ++k)
    if (static_cast<std::int64_t>(k) != label) other = std::max(other, p[k]);
  result.probability[at] = own;
  result.margin[at] = own - other;
  result.log_odds[at] = static_cast<float>(log_odds(scores, kind, label));
}

/// Where images come from, for error messages only.
struct SampleOrigin {
  std::span<const std::int64_t> index = {};         ///< sample index of each image, or empty
  std::optional<std::int64_t> seed = std::nullopt;  ///< seed of the sampler
};

/// Prepares generated images as the classifier's `InputSpec` says, scores them in batches of one fixed size, and
/// refuses bad scores before any argmax.
///
/// Every batch is a private copy that dies after the call. The last batch is padded to the fixed size with copies of
/// its last image, because the last bits of a network's output depend on the batch size; bit equality of results is
/// promised at the fixed size. Calls are made one after another from the calling thread, or, where the classifier says
/// that it is `thread_safe()`, for several batches of one request at once. A classifier that runs out of memory
/// (std::bad_alloc) is asked again with half the batch, from then on; see `batch_size()`.
/// **Throws** scores_undeclared, incompatible_models and invalid_argument when constructed; label_out_of_range,
/// shape_mismatch, and F2xx when used: wrong_score_shape, non_finite_scores, not_probabilities, classifier_threw (with
/// the user's exception nested).
/// **Cost**: ceil(N / batch_size) classifier calls.
/// Example: `Scorer scorer(mine, generator.image_shape(), generator.value_range(), 10, 64); ScoredImages said =
/// scorer(images, labels);`
template <Classifier C>
class Scorer {
 public:
  /// `classes` is the number of the generator's classes (at least 1); the classifier must know at least as many. The
  /// classifier is borrowed.
  Scorer(C& classifier, ImageShape generated, ValueRange range, std::int64_t classes, std::int64_t batch_size = 64,
         double probability_tolerance = default_probability_tolerance)
      : classifier_(std::addressof(classifier)),
        raw_range_(range),
        prepare_(generated, range, input_spec_of(classifier)),
        kind_(classifier.score_kind()),
        classes_(classifier.num_classes()),
        labels_(std::max<std::int64_t>(classes, 1)),
        batch_size_(batch_size),
        tolerance_(probability_tolerance) {
    if (kind_ == Scores::undeclared) {
      throw Error(ErrorCode::scores_undeclared, where(),
                  "classifier \"" + name_of(classifier) +
                      "\" does not declare its scores; its score_kind() must say logits or probabilities");
    }
    if (classes_ < labels_) {
      throw Error(ErrorCode::incompatible_models, where(),
                  "classifier \"" + name_of(classifier) + "\" knows " + std::to_string(classes_) +
                      " classes, the generator makes " + std::to_string(labels_));
    }
    core::require_in(where(), "probability_tolerance", tolerance_, 0.0, 0.1);
    core::require_in(where(), "batch_size", batch_size_, 1, limits::batch);
  }
  Scorer(C&&, ImageShape, ValueRange, std::int64_t, std::int64_t = 64, double = default_probability_tolerance) = delete;

  /// Scores raw generator images; `labels` has one class of the generator per image.
  [[nodiscard]] ScoredImages operator()(ImageView raw, std::span<const std::int64_t> labels,
                                        const SampleOrigin& origin = {}) {
    check_labels(raw.count(), labels, origin);
    const std::int64_t count = raw.count();
    ScoredImages result = room_for_scores(count, classes_);
    if (count > batch_size_ && thread_safe_of(*classifier_) && score_side_by_side(raw, labels, origin, result))
      return result;
    for (std::int64_t first = 0; first < count;) {
      const std::int64_t rows = std::min(batch_size_, count - first);
      ScoreMatrix scores;
      ++batches_;
      try {
        score_batch(raw.slice(first, rows), first, labels, origin, scores);
      } catch (const std::bad_alloc&) {
        if (batch_size_ == 1) {
          std::throw_with_nested(
              Error(ErrorCode::classifier_threw, where(),
                    "the classifier ran out of memory with a single image, " + row_name(first, labels, origin)));
        }
        batch_size_ /= 2;
        continue;
      }
      for (std::int64_t i = 0; i < rows; ++i)
        judge_scores(scores.row_span(i), kind_, labels[static_cast<std::size_t>(first + i)], first + i, result);
      first += rows;
      images_ += rows;
    }
    return result;
  }

  /// Scores images that stay in the generator's memory, one per label. A classifier that runs out of memory is asked
  /// again with half the batch.
  template <class Images>
    requires ResidentClassifier<C, Images>
  [[nodiscard]] ScoredImages resident(const Images& raw, std::span<const std::int64_t> labels,
                                      const SampleOrigin& origin = {}) {
    const auto count = static_cast<std::int64_t>(labels.size());
    check_labels(count, labels, origin);
    ScoredImages result = room_for_scores(count, classes_);
    for (;;) {
      ScoreMatrix scores;
      try {
        batches_ += (count + batch_size_ - 1) / batch_size_;
        call_user(
            where(), [&] { classifier_->score_resident(raw, raw_range_, batch_size_, scores); },
            [&] { return batch_name(0, count, labels, origin); });
      } catch (const std::bad_alloc&) {
        if (batch_size_ == 1)
          std::throw_with_nested(
              Error(ErrorCode::classifier_threw, where(),
                    "the classifier ran out of memory with a single image, " + row_name(0, labels, origin)));
        batch_size_ /= 2;
        continue;
      }
      validate_scores(
          scores, count, classes_, kind_, count, where(), [&](std::int64_t i) { return row_name(i, labels, origin); },
          tolerance_);
      for (std::int64_t i = 0; i < count; ++i)
        judge_scores(scores.row_span(i), kind_, labels[static_cast<std::size_t>(i)], i, result);
      images_ += count;
      return result;
    }
  }

  /// d p(label) / d raw pixel of raw generator images, `[N, C, H, W]` in the generator's shape.
  [[nodiscard]] ImageBatch probability_gradient(ImageView raw, std::span<const std::int64_t> labels,
                                                const SampleOrigin& origin = {}) requires DifferentiableClassifier<C> {
    check_labels(raw.count(), labels, origin);
    ImageBatch result(raw.count(), raw.shape());
    for (std::int64_t first = 0; first < raw.count(); first += batch_size_) {
      const std::int64_t rows = std::min(batch_size_, raw.count() - first);
      const ImageBatch prepared = padded_batch(raw.slice(first, rows));
      std::vector<std::int64_t> own(labels.begin() + first, labels.begin() + first + rows);
      own.resize(static_cast<std::size_t>(batch_size_), own.back());
      ImageBatch gradient(batch_size_, prepared.shape());
      call_user(
          where(),
          [&] { classifier_->probability_gradient(prepared.view(), std::span<const std::int64_t>(own), gradient); },
          [&] { return batch_name(first, rows, labels, origin); });
      if (gradient.count() != batch_size_ || !(gradient.shape() == prepared.shape())) {
        throw Error(ErrorCode::wrong_score_shape, where(),
                    "probability_gradient must fill one gradient per image, in the shape of the images it was given");
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        for (const float g : gradient.image(i)) {
          if (!std::isfinite(g))
            throw Error(ErrorCode::non_finite_scores, where(),
                        "probability_gradient is not finite for " + row_name(first + i, labels, origin));
        }
      }
      const ImageBatch pulled = prepare_.pull_gradient(gradient.view().slice(0, rows), raw.slice(first, rows));
      std::copy_n(pulled.data(), rows * raw.shape().elements(), result.image(first).data());
    }
    return result;
  }

  /// Images scored so far (padding not counted), and calls made.
  [[nodiscard]] std::int64_t images() const noexcept { return images_; }
  [[nodiscard]] std::int64_t batches() const noexcept { return batches_; }
  /// The batch size in use; smaller than asked for once the classifier has run out of memory.
  [[nodiscard]] std::int64_t batch_size() const noexcept { return batch_size_; }
  /// K of the classifier.
  [[nodiscard]] std::int64_t classes() const noexcept { return classes_; }
  [[nodiscard]] const ImagePreparation& preparation() const noexcept { return prepare_; }
  [[nodiscard]] double probability_tolerance() const noexcept { return tolerance_; }

 private:
  static std::string where() { return "Scorer"; }

  void check_labels(std::int64_t count, std::span<const std::int64_t> labels, const SampleOrigin& origin) const {
    if (static_cast<std::int64_t>(labels.size()) != count ||
        (!origin.index.empty() && origin.index.size() != labels.size())) {
      throw Error(ErrorCode::shape_mismatch, where(),
                  "got " + std::to_string(labels.size()) + " labels for " + std::to_string(count) + " images");
    }
    for (const std::int64_t label : labels) {
      if (label < 0 || label >= labels_)
        throw Error(ErrorCode::label_out_of_range, where(),
                    "labels must lie in [0, " + std::to_string(labels_) + "), got " + std::to_string(label));
    }
  }

  /// Scores all batches in several threads; false, and `result` not to be used, when memory did not suffice for that.
  bool score_side_by_side(ImageView raw, std::span<const std::int64_t> labels, const SampleOrigin& origin,
                          ScoredImages& result) {
    const std::int64_t batches = (raw.count() + batch_size_ - 1) / batch_size_;
    batches_ += batches;
    try {
      parallel_for(batches, 0, [&](std::int64_t batch) {
        const std::int64_t first = batch * batch_size_, rows = std::min(batch_size_, raw.count() - first);
        ScoreMatrix scores;
        score_batch(raw.slice(first, rows), first, labels, origin, scores);
        for (std::int64_t i = 0; i < rows; ++i)
          judge_scores(scores.row_span(i), kind_, labels[static_cast<std::size_t>(first + i)], first + i, result);
      });
    } catch (const std::bad_alloc&) {
      batches_ -= batches;
      return false;
    }
    images_ += raw.count();
    return true;
  }

  void score_batch(ImageView raw, std::int64_t first, std::span<const std::int64_t> labels, const SampleOrigin& origin,
                   ScoreMatrix& scores) {
    const ImageBatch prepared = padded_batch(raw);
    call_user(
        where(), [&] { classifier_->score(prepared.view(), scores); },
        [&] { return batch_name(first, raw.count(), labels, origin); });
    validate_scores(
        scores, batch_size_, classes_, kind_, raw.count(), where(),
        [&](std::int64_t i) { return row_name(first + i, labels, origin); }, tolerance_);
  }

  /// Up to `batch_size` images prepared, the last one repeated to the full size.
  [[nodiscard]] ImageBatch padded_batch(ImageView raw) const {
    ImageBatch own = prepare_(raw);
    if (own.count() == batch_size_) return own;
    ImageBatch result(batch_size_, own.shape());
    std::copy_n(own.data(), own.count() * own.shape().elements(), result.data());
    for (std::int64_t i = own.count(); i < batch_size_; ++i)
      std::copy(own.image(own.count() - 1).begin(), own.image(own.count() - 1).end(), result.image(i).begin());
    return result;
  }

  static std::string row_name(std::int64_t i, std::span<const std::int64_t> labels, const SampleOrigin& origin) {
    const auto at = static_cast<std::size_t>(i);
    std::string text =
        origin.index.empty() ? "image " + std::to_string(i) : "sample " + std::to_string(origin.index[at]);
    text += " (label " + std::to_string(labels[at]);
    if (origin.seed) text += ", seed " + std::to_string(*origin.seed);
    return text + ")";
  }
  static std::string batch_name(std::int64_t first, std::int64_t rows, std::span<const std::int64_t> labels,
                                const SampleOrigin& origin) {
    return "a batch of " + std::to_string(rows) + " images beginning with " + row_name(first, labels, origin);
  }

  C* classifier_;
  ValueRange raw_range_;
  ImagePreparation prepare_;
  Scores kind_;
  std::int64_t classes_;
  std::int64_t labels_;
  std::int64_t batch_size_;
  double tolerance_;
  std::int64_t images_ = 0;
  std::int64_t batches_ = 0;
};

}  // namespace classify
}  // namespace v1
}  // namespace faultline
