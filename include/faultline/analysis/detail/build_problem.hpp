// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The thin template layer: (sampler, classifier, criterion) become a plain Problem, and nothing after this knows their types.

#include <faultline/analysis/options.hpp>
#include <faultline/analysis/problem.hpp>
#include <faultline/concepts/check_classifier.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/scoring.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
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

/// What the callbacks of a Problem share. Generator, classifier and sampler are borrowed; everything else is owned.
template <StyleGenerator G, Classifier C, FailureCriterion F>
class ProblemSource {
 public:
  ProblemSource(const StyleSpaceSampler<G>& sampler, C& classifier, F criterion, const MethodOptions& method)
      : sampler_(sampler), criterion_(std::move(criterion)), properties_(method.properties), judge_model_(method.judge), progress_(method.progress),
        classifier_(std::addressof(classifier)), scorer_(classifier, shape(), range(), sampler_.classes(), method.batch_size), unit_(shape(), range(), InputSpec{}) {
    if (judge_model_) judge_.emplace(*judge_model_, shape(), range(), sampler_.classes(), method.batch_size);
  }
  ProblemSource(const ProblemSource&) = delete;
  ProblemSource& operator=(const ProblemSource&) = delete;

  [[nodiscard]] CostCounters cost() const {
    CostCounters cost = cost_;
    cost.classifier_images = scorer_.images();
    cost.classifier_batches = scorer_.batches();
    if (judge_) cost.judge_images = judge_->images();
    return cost;
  }

  /// Tries the classifier on the first samples, scored once the usual way (whose errors name the sample) and then against the laws of the concept.
  void check_laws() {
    const std::int64_t count = std::min<std::int64_t>(8, sampler_.options().batch_size);
    const auto batch = sampler_.sample(discovery_first, count);
    const ImageBatch images = generator().image_to_host(batch.images);
    count_images(count);
    (void)scorer_(images, batch.label, {batch.index, sampler_.options().seed});
    require_lawful(*classifier_, scorer_.preparation()(images));
    if (judge_) {
      (void)(*judge_)(images, batch.label, {batch.index, sampler_.options().seed});
      require_lawful(*judge_model_, judge_->preparation()(images));
    }
  }

  /// Classified samples; `stage` names them to the progress callback, if there is one.
  [[nodiscard]] Population sample(std::int64_t first, std::int64_t count, const std::string& stage) {
    Population population;
    population.w.resize(count, generator().w_dim());
    population.properties.resize(count, static_cast<std::int64_t>(properties_.size()));
    std::int64_t done = 0;
    for (const auto& batch : sampler_.batches(first, count)) {
      const Matrix<float> w = generator().latent_to_host(batch.w);
      const ImageBatch images = generator().image_to_host(batch.images);
      count_images(batch.size());
      const ScoredImages scored = scorer_(images, batch.label, {batch.index, sampler_.options().seed});
      std::copy_n(w.data(), batch.size() * w.cols(), population.w.row(done).data());
      population.index.insert(population.index.end(), batch.index.begin(), batch.index.end());
      population.label.insert(population.label.end(), batch.label.begin(), batch.label.end());
      population.prediction.insert(population.prediction.end(), scored.prediction.begin(), scored.prediction.end());
      population.probability.insert(population.probability.end(), scored.probability.begin(), scored.probability.end());
      population.margin.insert(population.margin.end(), scored.margin.begin(), scored.margin.end());
      for (std::int64_t i = 0; i < batch.size(); ++i) {
        population.failed.push_back(fails(scored.probabilities.row(i), batch.label[static_cast<std::size_t>(i)]));
        measure(images, i, population.properties.row(done + i));
      }
      done += batch.size();
      if (!stage.empty()) report_progress(progress_, stage, done, count);
    }
    return population;
  }

  [[nodiscard]] EditResult evaluate(const EditRequest& request) {
    EditResult result;
    const std::int64_t rows = request.w.rows();
    if (request.channel >= 0 && !request.channels.empty()) throw Error(ErrorCode::invalid_argument, "EditRequest", "has both a channel and channels; put the channel among the channels");
    if (!request.channels.empty() && (request.shifts.rows() != rows || request.shifts.cols() != static_cast<std::int64_t>(request.channels.size())))
      throw Error(ErrorCode::shape_mismatch, "EditRequest", "shifts need a row for each latent and a column for each of the channels");
    if (request.properties) result.properties.resize(rows, static_cast<std::int64_t>(properties_.size()));
    if (request.images) result.images = ImageBatch(rows, shape());
    const std::int64_t batch = sampler_.options().batch_size;
    for (std::int64_t first = 0; first < rows; first += batch) {  // one generator call at a time bounds the memory
      const std::int64_t count = std::min(batch, rows - first);
      const Matrix<float> w = rows_of(request.w, first, count);
      const auto labels = std::span(request.label).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const auto shift = request.channel < 0 ? std::span<const float>{} : std::span(request.shift).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const ImageBatch images = request.channels.empty() ? sampler_.synthesize_edited(w, request.channel, shift) : sampler_.synthesize_edited(w, request.channels, rows_of(request.shifts, first, count));
      count_images(count);
      const ScoredImages scored = scorer_(images, labels, {{}, sampler_.options().seed});
      result.prediction.insert(result.prediction.end(), scored.prediction.begin(), scored.prediction.end());
      result.probability.insert(result.probability.end(), scored.probability.begin(), scored.probability.end());
      result.log_odds.insert(result.log_odds.end(), scored.log_odds.begin(), scored.log_odds.end());
      for (std::int64_t i = 0; i < count; ++i) {
        result.failed.push_back(fails(scored.probabilities.row(i), labels[static_cast<std::size_t>(i)]));
        if (request.properties) measure(images, i, result.properties.row(first + i));
        if (request.images) unit_.to_unit(images.view().image(i), result.images.image(first + i), i);
      }
      if (request.judge && judge_) {
        const ScoredImages judged = (*judge_)(images, labels);
        for (std::int64_t i = 0; i < count; ++i) result.judge_agrees.push_back(judged.prediction[static_cast<std::size_t>(i)] == labels[static_cast<std::size_t>(i)] ? 1 : 0);
      }
    }
    return result;
  }

  [[nodiscard]] std::vector<double> gradient_sum(const Matrix<float>& w, std::span<const std::int64_t> labels)
    requires DifferentiableGenerator<G> && DifferentiableClassifier<C>
  {
    std::vector<double> sum(static_cast<std::size_t>(generator().layout().dimension()), 0.0);
    const std::int64_t batch = sampler_.options().batch_size;
    for (std::int64_t first = 0; first < w.rows(); first += batch) {
      const std::int64_t count = std::min(batch, w.rows() - first);
      const Matrix<float> part = rows_of(w, first, count);
      const auto s = sampler_.styles(part);
      const ImageBatch images = generator().image_to_host(generator().synthesize(s, {.noise = sampler_.options().noise, .seed = sampler_.options().seed, .first = 0}));
      const ImageBatch gradient = scorer_.probability_gradient(images, labels.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
      const Matrix<float> pulled = generator().pullback(s, gradient);
      for (std::int64_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += static_cast<double>(pulled(i, static_cast<std::int64_t>(k)));
      }
      count_images(count);
      cost_.gradient_images += count;
      report_progress(progress_, "gradients", first + count, w.rows());
    }
    return sum;
  }

 private:
  [[nodiscard]] static Matrix<float> rows_of(const Matrix<float>& matrix, std::int64_t first, std::int64_t count) {
    Matrix<float> part(count, matrix.cols());
    std::copy_n(matrix.row(first).data(), count * matrix.cols(), part.data());
    return part;
  }
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
      std::throw_with_nested(Error(ErrorCode::property_threw, "FailureAnalyzer", "the failure criterion threw for label " + std::to_string(label)));
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
        std::throw_with_nested(Error(ErrorCode::property_threw, "FailureAnalyzer", "the property \"" + properties_[p].name + "\" threw"));
      }
      out[p] = static_cast<float>(value);
      if (!std::isfinite(out[p])) {
        throw Error(ErrorCode::property_threw, "FailureAnalyzer", "the property \"" + properties_[p].name + "\" is not finite for an image; return a number for every image");
      }
    }
  }

  StyleSpaceSampler<G> sampler_;  // a copy, which borrows the generator: the caller's sampler may be a temporary of characterize
  F criterion_;
  std::vector<Property> properties_;
  std::optional<AnyClassifier> judge_model_;
  ProgressCallback progress_;
  C* classifier_;
  Scorer<C> scorer_;
  std::optional<Scorer<AnyClassifier>> judge_;
  ImagePreparation unit_;
  std::vector<float> unit_image_;
  CostCounters cost_;
};

/// A Problem without its populations, whose callbacks share the source.
template <StyleGenerator G, Classifier C, FailureCriterion F>
  requires AffineStyles<G>
[[nodiscard]] Problem make_problem(const std::shared_ptr<ProblemSource<G, C, F>>& source, const StyleSpaceSampler<G>& sampler, const MethodOptions& method) {
  Problem problem;
  problem.layout = sampler.generator().layout();
  problem.classes = sampler.classes();
  problem.style_matrix = sampler.style_matrix();
  problem.style_bias = sampler.style_bias();
  for (const Property& property : method.properties) {
    problem.property_names.push_back(property.name);
    problem.property_candidates.push_back(property.candidate ? 1 : 0);
  }
  problem.has_judge = method.judge.has_value();
  problem.seed = sampler.options().seed;
  problem.sample = [source](std::int64_t first, std::int64_t count) { return source->sample(first, count, ""); };
  problem.evaluate = [source](const EditRequest& request) { return source->evaluate(request); };
  if constexpr (DifferentiableGenerator<G> && DifferentiableClassifier<C>) {
    // pullback is defined for constant noise.
    if (sampler.options().noise == Noise::constant) {
      problem.gradient_sum = [source](const Matrix<float>& w, std::span<const std::int64_t> labels) { return source->gradient_sum(w, labels); };
    }
  }
  return problem;
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
