// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The thin template layer of a comparison: (sampler, classifiers, criterion) become a plain ComparisonProblem.

#include <faultline/analysis/comparison_problem.hpp>
#include <faultline/concepts/any_classifier.hpp>
#include <faultline/concepts/check_classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/scoring.hpp>
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
namespace detail {

/// What the callbacks of a ComparisonProblem share. The generator is borrowed; classifiers are shared with the caller's handles.
template <StyleGenerator G, FailureCriterion F>
class ComparisonSource {
 public:
  ComparisonSource(const StyleSpaceSampler<G>& sampler, std::span<const AnyClassifier> classifiers, F criterion, const MethodOptions& method)
      : sampler_(sampler), criterion_(std::move(criterion)), properties_(method.properties), classifiers_(classifiers.begin(), classifiers.end()), progress_(method.progress), unit_(shape(), range(), InputSpec{}) {
    for (AnyClassifier& classifier : classifiers_) scorers_.emplace_back(classifier, shape(), range(), sampler_.classes(), method.batch_size);
    if (method.judge) {
      judge_model_ = method.judge;
      judge_.emplace(*judge_model_, shape(), range(), sampler_.classes(), method.batch_size);
    }
  }
  ComparisonSource(const ComparisonSource&) = delete;
  ComparisonSource& operator=(const ComparisonSource&) = delete;

  [[nodiscard]] CostCounters cost() const {
    CostCounters cost = cost_;
    for (const auto& scorer : scorers_) {
      cost.classifier_images += scorer.images();
      cost.classifier_batches += scorer.batches();
    }
    if (judge_) cost.judge_images = judge_->images();
    return cost;
  }

  /// Tries every classifier on the first samples: bad answers name the sample, then come the laws of the concept.
  void check_laws() {
    const auto batch = sampler_.sample(discovery_first, std::min<std::int64_t>(8, sampler_.options().batch_size));
    const ImageBatch images = generator().image_to_host(batch.images);
    count_images(batch.size());
    const auto check = [&](AnyClassifier& model, Scorer<AnyClassifier>& scorer) {
      (void)scorer(images, batch.label, {batch.index, sampler_.options().seed});
      require_lawful(model, scorer.preparation()(images));
    };
    for (std::size_t c = 0; c < classifiers_.size(); ++c) check(classifiers_[c], scorers_[c]);
    if (judge_) check(*judge_model_, *judge_);
  }

  /// Samples made once and classified by everybody; `stage` names them to the progress callback, if there is one.
  [[nodiscard]] std::vector<Population> sample(std::int64_t first, std::int64_t count, const std::string& stage) {
    Population common;
    common.w.resize(count, generator().w_dim());
    common.properties.resize(count, static_cast<std::int64_t>(properties_.size()));
    std::vector<Population> outcomes(classifiers_.size());
    std::int64_t done = 0;
    for (const auto& batch : sampler_.batches(first, count)) {
      const Matrix<float> w = generator().latent_to_host(batch.w);
      const ImageBatch images = generator().image_to_host(batch.images);
      count_images(batch.size());
      std::copy_n(w.data(), batch.size() * w.cols(), common.w.row(done).data());
      common.index.insert(common.index.end(), batch.index.begin(), batch.index.end());
      common.label.insert(common.label.end(), batch.label.begin(), batch.label.end());
      for (std::int64_t i = 0; i < batch.size(); ++i) measure(images, i, common.properties.row(done + i));
      for (std::size_t c = 0; c < outcomes.size(); ++c) {
        const ScoredImages scored = scorers_[c](images, batch.label, {batch.index, sampler_.options().seed});
        Population& own = outcomes[c];
        own.prediction.insert(own.prediction.end(), scored.prediction.begin(), scored.prediction.end());
        own.probability.insert(own.probability.end(), scored.probability.begin(), scored.probability.end());
        own.margin.insert(own.margin.end(), scored.margin.begin(), scored.margin.end());
        for (std::int64_t i = 0; i < batch.size(); ++i) own.failed.push_back(fails(scored.probabilities.row(i), batch.label[static_cast<std::size_t>(i)]));
      }
      done += batch.size();
      if (!stage.empty()) report_progress(progress_, stage, done, count);
    }
    for (Population& own : outcomes) {
      own.index = common.index;
      own.label = common.label;
      own.w = common.w;
      own.properties = common.properties;
    }
    return outcomes;
  }

  [[nodiscard]] std::vector<EditResult> evaluate(const EditRequest& request, std::span<const std::size_t> who) {
    std::vector<EditResult> results(who.size());
    EditResult& front = results.front();
    const std::int64_t rows = request.w.rows();
    if (request.properties) front.properties.resize(rows, static_cast<std::int64_t>(properties_.size()));
    if (request.images) front.images = ImageBatch(rows, shape());
    const std::int64_t batch = sampler_.options().batch_size;
    for (std::int64_t first = 0; first < rows; first += batch) {  // one generator call at a time bounds the memory
      const std::int64_t count = std::min(batch, rows - first);
      Matrix<float> w(count, request.w.cols());
      std::copy_n(request.w.row(first).data(), count * w.cols(), w.data());
      const auto labels = std::span(request.label).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const auto shift = request.channel < 0 ? std::span<const float>{} : std::span(request.shift).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const ImageBatch images = sampler_.synthesize_edited(w, request.channel, shift);
      count_images(count);
      for (std::size_t k = 0; k < who.size(); ++k) {
        const ScoredImages scored = scorers_[who[k]](images, labels, {{}, sampler_.options().seed});
        EditResult& result = results[k];
        result.prediction.insert(result.prediction.end(), scored.prediction.begin(), scored.prediction.end());
        result.probability.insert(result.probability.end(), scored.probability.begin(), scored.probability.end());
        result.log_odds.insert(result.log_odds.end(), scored.log_odds.begin(), scored.log_odds.end());
        for (std::int64_t i = 0; i < count; ++i) result.failed.push_back(fails(scored.probabilities.row(i), labels[static_cast<std::size_t>(i)]));
      }
      for (std::int64_t i = 0; i < count; ++i) {
        if (request.properties) measure(images, i, front.properties.row(first + i));
        if (request.images) unit_.to_unit(images.view().image(i), front.images.image(first + i), i);
      }
      if (request.judge && judge_) {
        const ScoredImages judged = (*judge_)(images, labels);
        for (std::int64_t i = 0; i < count; ++i) front.judge_agrees.push_back(judged.prediction[static_cast<std::size_t>(i)] == labels[static_cast<std::size_t>(i)] ? 1 : 0);
      }
    }
    return results;
  }

 private:
  [[nodiscard]] const G& generator() const noexcept { return sampler_.generator(); }
  [[nodiscard]] ImageShape shape() const { return sampler_.generator().image_shape(); }
  [[nodiscard]] ValueRange range() const { return sampler_.generator().value_range(); }

  void count_images(std::int64_t count) noexcept {
    cost_.generator_images += count;
    ++cost_.generator_batches;
  }

  [[nodiscard]] std::uint8_t fails(std::span<const float> probabilities, std::int64_t label) const {
    try {
      return criterion_(probabilities, label) ? 1 : 0;
    } catch (...) {
      std::throw_with_nested(Error(ErrorCode::property_threw, "compare", "the failure criterion threw for label " + std::to_string(label)));
    }
  }

  void measure(const ImageBatch& images, std::int64_t i, std::span<float> out) {
    if (properties_.empty()) return;
    unit_image_.resize(static_cast<std::size_t>(images.shape().elements()));
    unit_.to_unit(images.image(i), unit_image_, i);
    ++cost_.property_images;
    for (std::size_t p = 0; p < properties_.size(); ++p) {
      double value = 0.0;
      try {
        value = properties_[p].measure(unit_image_, images.shape());
      } catch (...) {
        std::throw_with_nested(Error(ErrorCode::property_threw, "compare", "the property \"" + properties_[p].name + "\" threw"));
      }
      out[p] = static_cast<float>(value);
      if (!std::isfinite(out[p])) throw Error(ErrorCode::property_threw, "compare", "the property \"" + properties_[p].name + "\" is not finite for an image; return a number for every image");
    }
  }

  StyleSpaceSampler<G> sampler_;  // a copy, which borrows the generator
  F criterion_;
  std::vector<Property> properties_;
  std::vector<AnyClassifier> classifiers_;        // never resized: the scorers point into it
  std::deque<Scorer<AnyClassifier>> scorers_;
  std::optional<AnyClassifier> judge_model_;
  std::optional<Scorer<AnyClassifier>> judge_;
  ProgressCallback progress_;
  ImagePreparation unit_;
  std::vector<float> unit_image_;
  CostCounters cost_;
};

/// A ComparisonProblem without its populations, whose callbacks share the source.
template <StyleGenerator G, FailureCriterion F>
  requires AffineStyles<G>
[[nodiscard]] ComparisonProblem make_comparison(const std::shared_ptr<ComparisonSource<G, F>>& source, const StyleSpaceSampler<G>& sampler, const MethodOptions& method) {
  ComparisonProblem problem;
  problem.common.layout = sampler.generator().layout();
  problem.common.classes = sampler.classes();
  problem.common.style_matrix = sampler.style_matrix();
  problem.common.style_bias = sampler.style_bias();
  for (const Property& property : method.properties) {
    problem.common.property_names.push_back(property.name);
    problem.common.property_candidates.push_back(property.candidate ? 1 : 0);
  }
  problem.common.has_judge = method.judge.has_value();
  problem.common.seed = sampler.options().seed;
  problem.sample = [source](std::int64_t first, std::int64_t count) { return source->sample(first, count, ""); };
  problem.evaluate = [source](const EditRequest& request, std::span<const std::size_t> who) { return source->evaluate(request, who); };
  return problem;
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
