// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A classifier whose type is forgotten: what options can hold and programs can choose at run time.

#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/deferred_scores.hpp>
#include <faultline/error.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace faultline {
inline namespace v1 {

/// Owns (or, through `std::reference_wrapper`-like lambdas, borrows) any Classifier. Copies share the classifier.
///
/// Example: `MethodOptions{.judge = AnyClassifier(load_classifier("judge.safetensors"))}`
class AnyClassifier {
 public:
  template <Classifier C>
    requires(!std::same_as<std::remove_cvref_t<C>, AnyClassifier> && std::move_constructible<C>)
  explicit AnyClassifier(C classifier) : self_(std::make_shared<Model<C>>(std::move(classifier))) {}
  /// Borrows a classifier, which must outlive every copy; another AnyClassifier is shared.
  template <Classifier C>
  [[nodiscard]] static AnyClassifier borrow(C& classifier) {
    if constexpr (std::same_as<C, AnyClassifier>) return classifier;
    else return AnyClassifier(std::make_shared<Model<C&>>(classifier));
  }

  [[nodiscard]] std::int64_t num_classes() const { return self_->num_classes(); }
  [[nodiscard]] Scores score_kind() const { return self_->score_kind(); }
  [[nodiscard]] InputSpec input_spec() const { return self_->input_spec(); }
  [[nodiscard]] std::string name() const { return self_->name(); }
  [[nodiscard]] bool thread_safe() const { return self_->thread_safe(); }
  /// What the classifier states of itself; empty when it states nothing.
  [[nodiscard]] std::optional<std::string> digest() const { return self_->digest(); }
  /// That of the classifier that is held; null when it has its scores always.
  [[nodiscard]] DeferredScores* deferred_scores() const { return self_->deferred_scores(); }
  void score(ImageView images, ScoreMatrix& scores) const { self_->score(images, scores); }
  /// Whether `probability_gradient` can be asked.
  [[nodiscard]] bool is_differentiable() const { return self_->is_differentiable(); }
  /// As the classifier that is held. **Throws** `invalid_argument` when it has none.
  void probability_gradient(ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) const {
    self_->probability_gradient(images, labels, gradient);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::int64_t num_classes() const = 0;
    virtual Scores score_kind() const = 0;
    virtual InputSpec input_spec() const = 0;
    virtual std::string name() const = 0;
    virtual bool thread_safe() const = 0;
    virtual std::optional<std::string> digest() const = 0;
    virtual DeferredScores* deferred_scores() const = 0;
    virtual void score(ImageView images, ScoreMatrix& scores) = 0;
    virtual bool is_differentiable() const = 0;
    virtual void probability_gradient(ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) = 0;
  };
  template <class C>
  struct Model final : Interface {
    using Own = std::remove_reference_t<C>;
    explicit Model(C c) : classifier(std::forward<C>(c)) {}
    std::int64_t num_classes() const override { return classifier.num_classes(); }
    Scores score_kind() const override { return classifier.score_kind(); }
    InputSpec input_spec() const override { return input_spec_of(classifier); }
    std::string name() const override { return name_of(classifier); }
    bool thread_safe() const override { return thread_safe_of(classifier); }
    std::optional<std::string> digest() const override { return digest_of(classifier); }
    DeferredScores* deferred_scores() const override { return deferred_scores_of(classifier); }
    void score(ImageView images, ScoreMatrix& scores) override { classifier.score(images, scores); }
    bool is_differentiable() const override { return faultline::is_differentiable(classifier); }
    void probability_gradient(ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) override {
      if constexpr (DifferentiableClassifier<Own>) classifier.probability_gradient(images, labels, gradient);
      else
        throw Error(ErrorCode::invalid_argument, "AnyClassifier",
                    "the classifier has no gradients; ask is_differentiable() before");
    }
    C classifier;  // an object, or a reference to a borrowed one
  };
  explicit AnyClassifier(std::shared_ptr<Interface> self) : self_(std::move(self)) {}
  std::shared_ptr<Interface> self_;
};

}  // namespace v1
}  // namespace faultline
