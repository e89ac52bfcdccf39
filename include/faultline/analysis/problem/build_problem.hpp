// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The thin template layer: (sampler, classifier, criterion) become a plain Problem, and nothing after this knows their
// types.

#include <faultline/classify/any_criterion.hpp>
#include <faultline/analysis/problem/image_source.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What the callbacks of a Problem share. The generator is borrowed, and the classifier as its pointer says (`hold`);
/// everything else is owned.
template <StyleGenerator G, Classifier C, FailureCriterion F>
class ProblemSource : public ImageSource<G, F> {
  using Base = ImageSource<G, F>;
  using Base::generator, Base::sampler_, Base::cost_;

 public:
  /// `who` names the caller in errors.
  ProblemSource(const StyleSpaceSampler<G>& sampler, std::shared_ptr<C> classifier, F criterion,
                const MethodOptions& method, std::string who = "FailureAnalyzer")
      : Base(std::move(who), sampler, std::move(criterion), method),
        classifier_(std::move(classifier)),
        scorer_(*classifier_, this->shape(), this->range(), sampler_.classes(), method.batch_size,
                method.probability_tolerance) {
    if (!ResidentClassifier<C, typename G::image_type> && thread_safe_of(*classifier_)) this->score_together();
  }

  [[nodiscard]] CostCounters cost() const {
    CostCounters cost = this->shared_cost();
    cost.classifier_images = scorer_.images();
    cost.classifier_batches = scorer_.batches();
    return cost;
  }

  /// What must hold before any verdict, see `preflight`.
  void preflight() {
    this->preflight_with([this](const auto& check) { check(*classifier_, scorer_); });
  }

  /// The classifier and the judge, as far as their scores are made elsewhere.
  [[nodiscard]] std::vector<DeferredScores*> deferred() const {
    return this->deferred_of({deferred_scores_of(*classifier_)});
  }

  /// Classified samples; `stage` names them to the progress callback, if there is one.
  [[nodiscard]] Population sample(std::int64_t first, std::int64_t count, const std::string& stage) {
    Population population;
    classify::ScoreRequest request(deferred());
    this->draw(
        first, count, stage, population,
        [&](const GeneratedImages<G>& images, std::span<const std::int64_t> labels,
            std::span<const std::int64_t> index) {
          this->append(population, score_generated(scorer_, images, labels, {index, sampler_.options().seed}), labels);
        });
    request.end();
    return population;
  }

  /// Edited latents synthesised and classified; there is one classifier, whichever are wanted.
  [[nodiscard]] EditAnswers answer_edits(std::span<const EditedLatent> edits, const WantedAnswers& wanted) {
    EditAnswers answers;
    classify::ScoreRequest request(deferred());
    ClassifierAnswers& own = answers.classifiers.emplace_back();
    this->make_edited(
        edits, wanted, answers, [&](const GeneratedImages<G>& images, std::span<const std::int64_t> labels) {
          this->append(own, score_generated(scorer_, images, labels, {{}, sampler_.options().seed}), labels);
        });
    request.end();
    return answers;
  }

  [[nodiscard]] bool is_differentiable() const { return faultline::is_differentiable(*classifier_); }
  [[nodiscard]] std::vector<double> gradient_sum(const Matrix<float>& w, std::span<const std::int64_t> labels) requires
      DifferentiableGenerator<G> && DifferentiableClassifier<C> {
    std::vector<double> sum(static_cast<std::size_t>(generator().layout().dimension()), 0.0);
    const std::int64_t batch = sampler_.options().batch_size;
    for (std::int64_t first = 0; first < w.rows(); first += batch) {
      const std::int64_t count = std::min(batch, w.rows() - first);
      const Matrix<float> part = Base::rows_of(w, first, count);
      const auto s = sampler_.styles(part);
      const ImageBatch images = generator().image_to_host(
          generator().synthesize(s, {.noise = sampler_.options().noise, .seed = sampler_.options().seed, .first = 0}));
      const ImageBatch gradient = scorer_.probability_gradient(
          images, labels.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
      const Matrix<float> pulled = generator().pullback(s, gradient);
      for (std::int64_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < sum.size(); ++k)
          sum[k] += static_cast<double>(pulled(i, static_cast<std::int64_t>(k)));
      }
      this->count_images(count, Base::Work::gradient);
      cost_.gradient_images += count;
      report_progress(this->progress_, "gradients", first + count, w.rows());
    }
    return sum;
  }

 private:
  std::shared_ptr<C> classifier_;
  classify::Scorer<C> scorer_;
};

/// A source of classified samples without its types: what an analysis keeps of generator, classifier and criterion.
struct AnySource {
  Problem problem;  ///< without its populations; its callbacks share the source
  /// Classified samples `first` .. `first + count - 1`; `stage` names them to the progress callback, if there is one
  std::function<Population(std::int64_t first, std::int64_t count, const std::string& stage)> sample;
  std::function<void()> preflight;     ///< what must hold before any verdict
  std::function<CostCounters()> cost;  ///< of everything so far
};

/// Puts generator, classifier and criterion behind an `AnySource`; `who` names the caller in errors.
template <StyleGenerator G, Classifier C>
  requires AffineStyles<G>
[[nodiscard]] AnySource make_source(const StyleSpaceSampler<G>& sampler, std::shared_ptr<C> classifier,
                                    classify::AnyCriterion criterion, const MethodOptions& method,
                                    const std::string& who) {
  using Source = ProblemSource<G, C, classify::AnyCriterion>;
  const auto source = std::make_shared<Source>(sampler, std::move(classifier), std::move(criterion), method, who);
  AnySource any;
  any.sample = [source](std::int64_t first, std::int64_t count, const std::string& stage) {
    return source->sample(first, count, stage);
  };
  any.preflight = [source] { source->preflight(); };
  any.cost = [source] { return source->cost(); };
  source->describe(any.problem);
  any.problem.deferred = source->deferred();
  any.problem.sample = [source](std::int64_t first, std::int64_t count) { return source->sample(first, count, ""); };
  any.problem.answer_edits = [source](std::span<const EditedLatent> edits, const WantedAnswers& wanted) {
    return source->answer_edits(edits, wanted);
  };
  if constexpr (DifferentiableGenerator<G> && DifferentiableClassifier<C>) {
    // pullback is defined for constant noise.
    if (sampler.options().noise == Noise::constant && is_differentiable(sampler.generator()) &&
        source->is_differentiable()) {
      any.problem.gradient_sum = [source](const Matrix<float>& w, std::span<const std::int64_t> labels) {
        return source->gradient_sum(w, labels);
      };
    }
  }
  return any;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifdef FAULTLINE_COMPILED
#include <faultline/analysis/problem/compiled_sources.hpp>
#endif
