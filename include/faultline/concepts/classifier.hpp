// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The Classifier concept: what the library needs of the model under test.

#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

/// What a classifier's scores are. Declared by the user, never guessed.
enum class Scores {
  undeclared,     ///< the default: using such a classifier is error F201
  logits,         ///< any real numbers; softmax gives probabilities
  probabilities,  ///< non-negative, each row sums to 1 within 1e-4
};

/// How generated images of another size than the classifier's input are made to fit.
enum class Fit {
  centre_crop,  ///< cut equal margins (28x28 out of 32x32); smaller images are refused
  resize,       ///< bilinear, half-pixel centres
};

/// Order of colour channels the classifier expects.
enum class ChannelOrder { as_generated, reversed };

/// Order of values inside one image that the classifier expects.
enum class PixelLayout {
  channels_first,  ///< [C, H, W]
  channels_last,   ///< [H, W, C]: only `data()` and `image(i)` of the view are meaningful then
};

/// What a classifier wants its images to look like. Applied in this order: clamp to [0, 1] (relative to the generator's
/// value range), fit, channel order, `range`, then (x - mean) / std per channel, then layout.
struct InputSpec {
  std::int64_t channels = 0;  ///< 0: as generated; 1 from 3 takes the mean of the channels, 3 from 1 repeats it
  std::int64_t height = 0;    ///< 0: as generated
  std::int64_t width = 0;     ///< 0: as generated
  Fit fit = Fit::centre_crop;
  ChannelOrder order = ChannelOrder::as_generated;
  ValueRange range = {0.0, 1.0};
  std::vector<double> mean = {};  ///< empty: 0; one value, or one per channel
  std::vector<double> std = {};   ///< empty: 1; one value, or one per channel
  PixelLayout layout = PixelLayout::channels_first;
};

/// K, the number of classes.
template <class C>
concept HasClassCount = requires(const C& c) {
  { c.num_classes() } -> std::convertible_to<std::int64_t>;
};

/// `score_kind()`: logits or probabilities.
template <class C>
concept DeclaresScores = requires(const C& c) {
  { c.score_kind() } -> std::convertible_to<Scores>;
};

/// `score(images, scores)`: resizes scores to `[N, K]` and fills them.
template <class C>
concept ScoresImages = requires(C& c, ImageView images, ScoreMatrix& scores) {
  c.score(images, scores);
};

/// A model that scores batches of images.
///
/// *Syntax*: the sub-concepts above; optional refinements below. *Laws* (checked by `check_classifier`): deterministic;
/// row i depends on image i alone; the input is not written to and not kept.
template <class C>
concept Classifier = HasClassCount<C> && DeclaresScores<C> && ScoresImages<C>;

/// Refinement: `probability_gradient(images, labels, gradient)` fills gradient (same shape as images) with d p(label) /
/// d image, p the softmax probability (or the declared probability) of each image's label.
template <class C>
concept DifferentiableClassifier = Classifier<C> &&
    requires(C& c, ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) {
  c.probability_gradient(images, labels, gradient);
};

/// Refinement: `input_spec()` states what the images must look like; without it they are handed over as generated, in
/// [0, 1].
template <class C>
concept HasInputSpec = requires(const C& c) {
  { c.input_spec() } -> std::convertible_to<InputSpec>;
};

/// Refinement: `thread_safe()` says whether `score` may be called from several threads at once. Where it returns true,
/// `Scorer` scores the batches of one request side by side; otherwise, and without it, calls come one after another.
template <class C>
concept StatesThreadSafety = requires(const C& c) {
  { c.thread_safe() } -> std::convertible_to<bool>;
};

/// Refinement: `digest()`, a text that is equal exactly when the model is (a file's SHA-256, say), or empty when there
/// is none. Reports and replay lines show it; without it nobody can tell from a report which model it was about.
template <class C>
concept StatesDigest = requires(const C& c) {
  { c.digest() } -> std::convertible_to<std::string>;
};

/// Refinement: `name()` for reports.
template <class C>
concept HasName = requires(const C& c) {
  { c.name() } -> std::convertible_to<std::string>;
};

/// The input spec of a classifier, the default spec if it states none.
template <Classifier C>
[[nodiscard]] InputSpec input_spec_of(const C& classifier) {
  if constexpr (HasInputSpec<C>) return classifier.input_spec();
  else return {};
}

/// The name of a classifier, "classifier" if it states none.
template <Classifier C>
[[nodiscard]] std::string name_of(const C& classifier) {
  if constexpr (HasName<C>) return classifier.name();
  else return "classifier";
}

/// Whether calls may come from several threads at once; not unless it says so.
template <Classifier C>
[[nodiscard]] bool thread_safe_of(const C& classifier) {
  if constexpr (StatesThreadSafety<C>) return classifier.thread_safe();
  else return false;
}

/// Whether `probability_gradient` can be asked: of a type-erased classifier only it can tell.
template <Classifier C>
[[nodiscard]] bool is_differentiable(const C& classifier) {
  if constexpr (requires {
                  { classifier.is_differentiable() } -> std::convertible_to<bool>;
                })
    return classifier.is_differentiable();
  else return DifferentiableClassifier<C>;
}

/// The digest of a classifier; empty when it states none.
template <Classifier C>
[[nodiscard]] std::optional<std::string> digest_of(const C& classifier) {
  if constexpr (requires {
                  { classifier.digest() } -> std::same_as<std::optional<std::string>>;
                }) {
    return classifier.digest();
  } else if constexpr (StatesDigest<C>) {
    std::string digest = classifier.digest();
    if (!digest.empty()) return digest;
  }
  return std::nullopt;
}

}  // namespace v1
}  // namespace faultline
