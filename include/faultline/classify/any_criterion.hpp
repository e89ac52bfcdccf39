// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Type erasure for failure criteria and classifiers, so that what is built on them is compiled once.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/resident_classifier.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace classify {

/// Any failure criterion, with what reports call it and the expression that makes it again.
class AnyCriterion {
 public:
  template <FailureCriterion F>
    requires(!std::is_same_v<F, AnyCriterion> && std::is_copy_constructible_v<F>)
  explicit AnyCriterion(F criterion)
      : name_(criterion_name(criterion)), expression_(criterion_expression(criterion)), call_(std::move(criterion)) {}
  /// Borrows a criterion that outlives this and all its copies.
  template <FailureCriterion F>
  [[nodiscard]] static AnyCriterion borrow(const F& criterion) {
    AnyCriterion any;
    any.name_ = criterion_name(criterion);
    any.expression_ = criterion_expression(criterion);
    any.call_ = [&criterion](std::span<const float> probabilities, std::int64_t label) {
      return static_cast<bool>(criterion(probabilities, label));
    };
    return any;
  }

  bool operator()(std::span<const float> probabilities, std::int64_t label) const {
    return call_(probabilities, label);
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& replay_expression() const noexcept { return expression_; }

 private:
  AnyCriterion() = default;

  std::string name_;
  std::string expression_;
  CriterionFunction call_;
};

/// How an analysis holds a classifier: as it is where it takes `Images` on the generator's device, else type-erased.
template <Classifier C, class Images>
using HeldClassifier = std::conditional_t<ResidentClassifier<C, Images>, C, AnyClassifier>;

/// Borrows a classifier in the form in which it is held; the address stays.
template <class Images, Classifier C>
[[nodiscard]] std::shared_ptr<HeldClassifier<C, Images>> hold(C& classifier) {
  if constexpr (ResidentClassifier<C, Images>)
    return std::shared_ptr<C>(std::shared_ptr<void>(), std::addressof(classifier));  // owns nothing
  else return std::make_shared<AnyClassifier>(AnyClassifier::borrow(classifier));
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
