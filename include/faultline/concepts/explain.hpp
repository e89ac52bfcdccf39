// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One sentence of the compiler for every piece that a type lacks to be a Classifier, a StyleGenerator or a
// FailureCriterion.

#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>

#include <type_traits>

namespace faultline {
inline namespace v1 {

/// True for a Classifier; for anything else a static_assert says what is missing, and how to write it.
///
/// Example: `static_assert(faultline::explain_classifier<MyClassifier>());`
template <class T>
consteval bool explain_classifier() {
  using C = std::remove_cvref_t<T>;
  static_assert(HasClassCount<C>,
                "faultline: a Classifier needs `std::int64_t num_classes() const`, its number of classes");
  static_assert(
      DeclaresScores<C>,
      "faultline: a Classifier needs `faultline::Scores score_kind() const`, which says logits or probabilities");
  static_assert(ScoresImages<C>,
                "faultline: a Classifier needs `void score(faultline::ImageView images, faultline::ScoreMatrix& "
                "scores)`, which resizes scores to [N, K] and fills them");
  return Classifier<C>;
}

/// True for a StyleGenerator; for anything else a static_assert says what is missing.
///
/// Example: `static_assert(faultline::explain_style_generator<MyGenerator>());`
template <class T>
consteval bool explain_style_generator() {
  using G = std::remove_cvref_t<T>;
  static_assert(HasGeneratorSizes<G>,
                "faultline: a StyleGenerator needs `latent_dim()`, `w_dim()` and `num_classes()`, const and returning "
                "std::int64_t");
  static_assert(DescribesImages<G>,
                "faultline: a StyleGenerator needs `faultline::ImageShape image_shape() const` and "
                "`faultline::ValueRange value_range() const`");
  static_assert(HasStyleLayout<G>,
                "faultline: a StyleGenerator needs `const faultline::StyleLayout& layout() const`, which names every "
                "style channel");
  static_assert(HasDigest<G>,
                "faultline: a StyleGenerator needs `std::string digest() const`, equal exactly for equal models");
  static_assert(
      MovesToHost<G>,
      "faultline: a StyleGenerator needs the types latent_type, style_type, label_type, image_type and "
      "latent_from_host, style_from_host, label_from_host, latent_to_host, "
      "style_to_host, image_to_host between them and Matrix<float>, std::span<const std::int64_t> and ImageBatch");
  if constexpr (MovesToHost<G>) {
    static_assert(MapsLatents<G>,
                  "faultline: a StyleGenerator needs `latent_type map(z, labels, faultline::MapOptions) const`");
    static_assert(ComputesStyles<G>, "faultline: a StyleGenerator needs `style_type styles(w) const`");
    static_assert(SynthesizesImages<G>,
                  "faultline: a StyleGenerator needs `image_type synthesize(s, faultline::SynthesisOptions) const`");
  }
  return StyleGenerator<G>;
}

/// True for a FailureCriterion; for anything else a static_assert says what it must look like.
///
/// Example: `static_assert(faultline::explain_failure_criterion<MyCriterion>());`
template <class T>
consteval bool explain_failure_criterion() {
  static_assert(FailureCriterion<std::remove_cvref_t<T>>,
                "faultline: a FailureCriterion needs `bool operator()(std::span<const float> probabilities, "
                "std::int64_t label) const`, true for a failure");
  return FailureCriterion<std::remove_cvref_t<T>>;
}

}  // namespace v1
}  // namespace faultline
