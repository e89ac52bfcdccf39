// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A classifier whose classes are numbered otherwise than the generator's: in another order, a thousand of which ten are
// meant, or one logit for two classes.

#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/deferred_scores.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// For each class of the generator the classes of the classifier that mean it: one, or several whose probabilities add
/// up.
class ClassMap {
 public:
  /// Every class means itself.
  ClassMap() = default;
  /// **Throws** `invalid_argument` for no class, a class without a meaning, a negative one, and one that is used twice.
  explicit ClassMap(std::vector<std::vector<std::int64_t>> meanings);

  /// Reads "3, 1, 0" (class 0 of the generator is class 3 of the classifier, ...) or "281+282+285, 207" (class 0 is any
  /// of three). **Throws** `invalid_argument` with the place that cannot be read.
  /// Example: `ClassMap::from_text("1, 0")` for two labels that are swapped.
  [[nodiscard]] static ClassMap from_text(std::string_view text);

  [[nodiscard]] bool is_identity() const noexcept { return meanings_.empty(); }
  [[nodiscard]] const std::vector<std::vector<std::int64_t>>& meanings() const noexcept { return meanings_; }
  /// As `from_text` reads it; empty for the identity.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::int64_t>> meanings_;
};

namespace classify {

/// Puts scores of a classifier into the generator's classes, as probabilities.
///
/// **Shapes**: `[N, C]` -> `[N, K]`, or `[N, K + 1]` where some of the C classes mean none of the K: the last column is
/// then any of these. One column of logits (C = 1) is two classes, the second with probability 1/(1 + e^-x); one of
/// probabilities is that of the second class. **Throws** `invalid_argument` for a meaning that is no class.
[[nodiscard]] ScoreMatrix mapped_scores(const ScoreMatrix& scores, Scores kind, const ClassMap& map);

/// Number of columns that `mapped_scores` makes of so many classes. **Throws** as it.
[[nodiscard]] std::int64_t mapped_classes(std::int64_t classes, const ClassMap& map);

/// **Throws** `wrong_score_shape` unless scores are `[images, classes]`, `non_finite_scores` for NaN or infinity: what
/// a map would hide.
void check_mapped_shape(const ScoreMatrix& scores, std::int64_t images, std::int64_t classes, const std::string& name);

}  // namespace classify

/// A classifier seen through a map of its classes; the classifier is held as given, or borrowed through a
/// `std::reference_wrapper`-like type.
///
/// It answers with probabilities over the generator's classes and, where classes are left, one class more that means
/// any of them: an image that is answered so fails. Gradients are not handed on.
/// **Throws** `invalid_argument` when constructed with a meaning that is no class of the classifier. **Cost**: one
/// softmax per image.
/// Example: `MappedClassifier mine(std::move(imagenet), ClassMap::from_text("281+282, 207"));`
template <Classifier C>
class MappedClassifier {
 public:
  MappedClassifier(C classifier, ClassMap map)
      : classifier_(std::move(classifier)),
        map_(std::move(map)),
        classes_(classify::mapped_classes(classifier_.num_classes(), map_)) {}

  [[nodiscard]] std::int64_t num_classes() const noexcept { return classes_; }
  [[nodiscard]] Scores score_kind() const {
    return classifier_.score_kind() == Scores::undeclared ? Scores::undeclared : Scores::probabilities;
  }
  [[nodiscard]] InputSpec input_spec() const { return input_spec_of(classifier_); }
  [[nodiscard]] std::string name() const { return name_of(classifier_); }
  [[nodiscard]] bool thread_safe() const { return thread_safe_of(classifier_); }
  /// That of the classifier, and the map; empty where the classifier states none.
  [[nodiscard]] std::optional<std::string> digest() const {
    std::optional<std::string> digest = digest_of(classifier_);
    if (digest && !map_.is_identity()) *digest += " classes " + map_.text();
    return digest;
  }
  [[nodiscard]] DeferredScores* deferred_scores() const { return deferred_scores_of(classifier_); }
  void score(ImageView images, ScoreMatrix& scores) {
    ScoreMatrix own;
    classifier_.score(images, own);
    classify::check_mapped_shape(own, images.count(), classifier_.num_classes(), name());
    scores = classify::mapped_scores(own, classifier_.score_kind(), map_);
  }

 private:
  C classifier_;
  ClassMap map_;
  std::int64_t classes_;
};

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/classify/detail/mapped_classes_impl.hpp>
#endif
