// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A classifier whose type is forgotten: what options can hold and programs can choose at run time.

#include <faultline/concepts/classifier.hpp>

#include <memory>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {

/// Owns (or, through `std::reference_wrapper`-like lambdas, borrows) any Classifier. Copies share the classifier.
///
/// Example: `MethodOptions{.judge = AnyClassifier(load_classifier("judge.safetensors"))}`
class AnyClassifier {
 public:
  template <Classifier C>
    requires(!std::same_as<std::remove_cvref_t<C>, AnyClassifier>)
  explicit AnyClassifier(C classifier) : self_(std::make_shared<Model<C>>(std::move(classifier))) {}

  [[nodiscard]] std::int64_t num_classes() const { return self_->num_classes(); }
  [[nodiscard]] Scores score_kind() const { return self_->score_kind(); }
  [[nodiscard]] InputSpec input_spec() const { return self_->input_spec(); }
  [[nodiscard]] std::string name() const { return self_->name(); }
  [[nodiscard]] bool thread_safe() const { return self_->thread_safe(); }
  void score(ImageView images, ScoreMatrix& scores) const { self_->score(images, scores); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::int64_t num_classes() const = 0;
    virtual Scores score_kind() const = 0;
    virtual InputSpec input_spec() const = 0;
    virtual std::string name() const = 0;
    virtual bool thread_safe() const = 0;
    virtual void score(ImageView images, ScoreMatrix& scores) = 0;
  };
  template <class C>
  struct Model final : Interface {
    explicit Model(C c) : classifier(std::move(c)) {}
    std::int64_t num_classes() const override { return classifier.num_classes(); }
    Scores score_kind() const override { return classifier.score_kind(); }
    InputSpec input_spec() const override {
      if constexpr (HasInputSpec<C>) return classifier.input_spec();
      else return {};
    }
    std::string name() const override {
      if constexpr (HasName<C>) return classifier.name();
      else return "classifier";
    }
    bool thread_safe() const override {
      if constexpr (StatesThreadSafety<C>) return classifier.thread_safe();
      else return false;
    }
    void score(ImageView images, ScoreMatrix& scores) override { classifier.score(images, scores); }
    C classifier;
  };
  std::shared_ptr<Interface> self_;
};

}  // namespace v1
}  // namespace faultline
