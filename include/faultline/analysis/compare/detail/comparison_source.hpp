// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The thin template layer of a comparison: (sampler, classifiers, criterion) become a plain ComparisonProblem.

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/problem/image_source.hpp>
#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// What the callbacks of a ComparisonProblem share. The generator is borrowed; classifiers are shared with the caller's
/// handles.
template <StyleGenerator G, FailureCriterion F>
class ComparisonSource : public ImageSource<G, F> {
  using Base = ImageSource<G, F>;
  using Base::sampler_;

 public:
  ComparisonSource(const StyleSpaceSampler<G>& sampler, std::span<const AnyClassifier> classifiers, F criterion,
                   const MethodOptions& method)
      : Base("compare", sampler, std::move(criterion), method), classifiers_(classifiers.begin(), classifiers.end()) {
    for (AnyClassifier& classifier : classifiers_)
      scorers_.emplace_back(classifier, this->shape(), this->range(), sampler_.classes(), method.batch_size,
                            method.probability_tolerance);
    if (std::any_of(classifiers_.begin(), classifiers_.end(), [](const AnyClassifier& c) { return c.thread_safe(); }))
      this->score_together();
  }

  [[nodiscard]] CostCounters cost() const {
    CostCounters cost = this->shared_cost();
    for (const auto& scorer : scorers_) {
      cost.classifier_images += scorer.images();
      cost.classifier_batches += scorer.batches();
    }
    return cost;
  }

  /// Those of the classifiers and the judge whose scores are made elsewhere.
  [[nodiscard]] std::vector<DeferredScores*> deferred() const {
    std::vector<DeferredScores*> all;
    for (const AnyClassifier& classifier : classifiers_) all.push_back(classifier.deferred_scores());
    return this->deferred_of(std::move(all));
  }

  /// What must hold of every classifier before any verdict, see `preflight`.
  void preflight() {
    this->preflight_with([this](const auto& check) {
      for (std::size_t c = 0; c < classifiers_.size(); ++c) check(classifiers_[c], scorers_[c]);
    });
  }

  /// Samples made once, for every classifier; `stage` names them to the progress callback, if there is one.
  [[nodiscard]] std::vector<Population> sample(std::int64_t first, std::int64_t count, const std::string& stage) {
    Population common;
    std::vector<Population> outcomes(classifiers_.size());
    classify::ScoreRequest request(deferred());
    this->draw(
        first, count, stage, common,
        [&](const GeneratedImages<G>& images, std::span<const std::int64_t> labels,
            std::span<const std::int64_t> index) {
          for (std::size_t c = 0; c < outcomes.size(); ++c)
            this->append(outcomes[c], scorers_[c](images.host(), labels, {index, sampler_.options().seed}), labels);
        });
    request.end();
    for (Population& own : outcomes) {
      own.index = common.index;
      own.label = common.label;
      own.w = common.w;
      own.properties = common.properties;
      own.valid = common.valid;
    }
    return outcomes;
  }

  /// Edited images made once and classified by those that are wanted.
  [[nodiscard]] EditAnswers answer_edits(std::span<const EditedLatent> edits, const WantedAnswers& wanted) {
    std::vector<std::size_t> asked = wanted.classifiers;
    if (asked.empty())
      for (std::size_t c = 0; c < scorers_.size(); ++c) asked.push_back(c);
    EditAnswers answers;
    answers.classifiers.resize(asked.size());
    classify::ScoreRequest request(deferred());
    this->make_edited(
        edits, wanted, answers, [&](const GeneratedImages<G>& images, std::span<const std::int64_t> labels) {
          for (std::size_t k = 0; k < asked.size(); ++k)
            this->append(answers.classifiers[k],
                         scorers_[asked[k]](images.host(), labels, {{}, sampler_.options().seed}), labels);
        });
    request.end();
    return answers;
  }

 private:
  std::vector<AnyClassifier> classifiers_;  // never resized: the scorers point into it
  std::deque<classify::Scorer<AnyClassifier>> scorers_;
};

/// A ComparisonProblem without its populations, whose callbacks share the source.
template <StyleGenerator G, FailureCriterion F>
  requires AffineStyles<G>
[[nodiscard]] ComparisonProblem make_comparison(const std::shared_ptr<ComparisonSource<G, F>>& source) {
  ComparisonProblem problem;
  source->describe(problem.common);
  problem.common.deferred = source->deferred();
  problem.sample = [source](std::int64_t first, std::int64_t count) { return source->sample(first, count, ""); };
  problem.common.answer_edits = [source](std::span<const EditedLatent> edits, const WantedAnswers& wanted) {
    return source->answer_edits(edits, wanted);
  };
  return problem;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
