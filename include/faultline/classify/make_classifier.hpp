// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Turns a function over a batch of images into a Classifier.

#include <faultline/classify/score_reader.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace faultline {
inline namespace v1 {

/// What `make_classifier` cannot know from the function.
struct ClassifierOptions {
  std::int64_t classes = 0;            ///< K, at least 1
  Scores scores = Scores::undeclared;  ///< must be declared
  InputSpec input = {};                ///< what the images must look like
  std::string name = "classifier";     ///< for reports
  bool thread_safe = false;            ///< the function may be called from several threads at once
  /// What tells this model from another, a file's SHA-256 say; empty: not stated
  std::string digest = "";
};

/// Fills scores itself: `void f(ImageView images, ScoreMatrix& scores)`, after `scores.resize(images.count(),
/// classes)`.
template <class F>
concept FillsScores = std::invocable<F&, ImageView, ScoreMatrix&>;

/// Returns scores: `T f(ImageView images)` with T readable as (row, column), see `ReadableScores`.
template <class F>
concept ReturnsScores =
    !FillsScores<F> && std::invocable<F&, ImageView> && ReadableScores<std::invoke_result_t<F&, ImageView>>;

/// A function that scores a batch of images on the host, contiguous float32 `[N, C, H, W]`.
template <class F>
concept ScoreFunction = FillsScores<F> || ReturnsScores<F>;

/// Fills the gradient of each image's label probability: `void g(ImageView images, std::span<const std::int64_t>
/// labels, ImageBatch& gradient)`.
template <class F>
concept GradientFunction = std::invocable<F&, ImageView, std::span<const std::int64_t>, ImageBatch&>;

/// A Classifier made of a function, which it owns. Made by `make_classifier`.
template <ScoreFunction F>
class FunctionClassifier {
 public:
  /// Throws scores_undeclared when `options.scores` was left out, invalid_argument when `options.classes` is below 1.
  FunctionClassifier(F function, ClassifierOptions options)
      : function_(std::move(function)), options_(std::move(options)) {
    if (options_.scores == Scores::undeclared) {
      throw Error(ErrorCode::scores_undeclared, "make_classifier",
                  "the kind of scores is not declared; say .scores = Scores::logits or Scores::probabilities");
    }
    core::require_in("make_classifier", ".classes", options_.classes, 1, limits::classes);
  }

  [[nodiscard]] std::int64_t num_classes() const noexcept { return options_.classes; }
  [[nodiscard]] Scores score_kind() const noexcept { return options_.scores; }
  [[nodiscard]] const InputSpec& input_spec() const noexcept { return options_.input; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  [[nodiscard]] bool thread_safe() const noexcept { return options_.thread_safe; }
  [[nodiscard]] const std::string& digest() const noexcept { return options_.digest; }

  /// Calls the function; whatever it throws comes through, and what it returns is not judged here.
  void score(ImageView images, ScoreMatrix& scores) { call(function_, images, scores); }
  void score(ImageView images, ScoreMatrix& scores) const requires ScoreFunction<const F> {
    call(function_, images, scores);
  }

 private:
  template <class Function>
  static void call(Function& function, ImageView images, ScoreMatrix& scores) {
    if constexpr (FillsScores<Function>) {
      std::invoke(function, images, scores);
    } else {
      using Result = std::remove_cvref_t<std::invoke_result_t<Function&, ImageView>>;
      ScoreReader<Result>::read(std::invoke(function, images), images.count(), scores);
    }
  }

  F function_;
  ClassifierOptions options_;
};

/// A FunctionClassifier that also knows the gradient of its probabilities.
template <ScoreFunction F, GradientFunction Gradient>
class DifferentiableFunctionClassifier : public FunctionClassifier<F> {
 public:
  DifferentiableFunctionClassifier(F function, Gradient gradient, ClassifierOptions options)
      : FunctionClassifier<F>(std::move(function), std::move(options)), gradient_(std::move(gradient)) {}

  /// Fills `gradient`, shaped like `images`, with d p(label) / d image.
  void probability_gradient(ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) {
    std::invoke(gradient_, images, labels, gradient);
  }

 private:
  Gradient gradient_;
};

/// A Classifier from a function over host images.
///
/// The function takes an `ImageView` `[N, C, H, W]` (values as `options.input` asks, by default [0, 1]) and either
/// fills a `ScoreMatrix&` or returns scores `[N, K]`: `std::vector<float>` row-major, nested vectors, an Eigen matrix
/// of either storage order, an xtensor, or a type with a `ScoreReader`. It must keep the laws of `Classifier`. The
/// function is moved in; capture models by reference to borrow them.
/// **Throws** scores_undeclared, invalid_argument.
/// Example: `auto mine = make_classifier([&](ImageView images) { return model.predict(images.data(), images.count());
/// }, {.classes = 10, .scores = Scores::logits});`
template <class F>
[[nodiscard]] auto make_classifier(F&& function, ClassifierOptions options) {
  using Function = std::decay_t<F>;
  static_assert(ScoreFunction<Function>,
                "faultline::make_classifier: the function must take (faultline::ImageView, faultline::ScoreMatrix&) "
                "and fill the scores, or take (faultline::ImageView) and "
                "return something readable as (row, column) floats");
  return FunctionClassifier<Function>(std::forward<F>(function), std::move(options));
}

/// The same with the gradient of each image's label probability with respect to the image, as the classifier sees it.
template <class F, class Gradient>
[[nodiscard]] auto make_classifier(F&& function, Gradient&& gradient, ClassifierOptions options) {
  using Function = std::decay_t<F>;
  static_assert(ScoreFunction<Function>,
                "faultline::make_classifier: the function must take (faultline::ImageView, faultline::ScoreMatrix&) "
                "and fill the scores, or take (faultline::ImageView) and "
                "return something readable as (row, column) floats");
  static_assert(GradientFunction<std::decay_t<Gradient>>,
                "faultline::make_classifier: the gradient must take (faultline::ImageView, std::span<const "
                "std::int64_t>, faultline::ImageBatch&) and fill the image gradient");
  return DifferentiableFunctionClassifier<Function, std::decay_t<Gradient>>(
      std::forward<F>(function), std::forward<Gradient>(gradient), std::move(options));
}

}  // namespace v1
}  // namespace faultline
